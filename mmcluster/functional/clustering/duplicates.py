"""Groups of near-duplicates: rows whose features point (almost) the same way."""
from __future__ import annotations

import numpy as np
import torch
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components
from torch.nn import functional as F

SIMILARITIES = 1 << 25          # held at once


def near_pairs(x: np.ndarray, threshold: float) -> np.ndarray:
    """Find the pairs of rows whose cosine reaches a threshold, exactly, block by block.

    Args:
        x: (N, D) of any norm; a zero row is near nothing.
        threshold: Smallest cosine.

    Returns:
        (P, 2) int64, the smaller index first.
    """
    rows = F.normalize(torch.from_numpy(np.ascontiguousarray(x, np.float32)), dim=1)
    step, found = max(1, SIMILARITIES // max(len(rows), 1)), []
    for start in range(0, len(rows), step):
        # only what lies after a row, so that a pair is met once
        near = (rows[start:start + step] @ rows[start:].T >= threshold).triu_(1).nonzero()
        found.append(near + start)
    return torch.cat(found).numpy() if found else np.zeros((0, 2), np.int64)


def duplicate_groups(x: np.ndarray, threshold: float, part: np.ndarray) -> np.ndarray:
    """Number the groups of rows that are connected by near pairs.

    Args:
        x: (N, D) features.
        threshold: See :func:`near_pairs`.
        part: (N,) integer; only rows of one part are compared. One part for all compares every pair; with clusters as
            parts the cost for very many rows falls to that within clusters.

    Returns:
        (N,) int64 group, numbered by first rows; -1 without a near-duplicate.
    """
    pairs = [rows[near_pairs(x[rows], threshold)]
             for rows in (np.flatnonzero(part == value) for value in np.unique(part))]
    first, second = np.concatenate(pairs).T if pairs else np.zeros((2, 0), np.int64)
    graph = coo_matrix((np.ones(len(first), np.int8), (first, second)), shape=(len(x), len(x)))
    group = connected_components(graph, directed=False)[1]
    alone = np.bincount(group, minlength=1)[group] == 1
    out = np.full(len(x), -1, np.int64)
    _, start, numbered = np.unique(group[~alone], return_index=True, return_inverse=True)
    out[~alone] = np.argsort(np.argsort(start))[numbered]
    return out
