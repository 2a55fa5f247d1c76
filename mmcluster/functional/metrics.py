"""Clustering metrics from one table of counts: ACC, NMI, ARI, AMI and purity in time linear in N."""
from __future__ import annotations

from typing import Sequence

import numpy as np
import torch
from scipy.sparse import coo_matrix, hstack, identity
from scipy.sparse.csgraph import min_weight_full_bipartite_matching
from sklearn.metrics import adjusted_mutual_info_score
from torch import Tensor

from .match import hungarian

Ids = Tensor | np.ndarray | Sequence[int]
DENSE_CELLS = 1 << 22       # largest table that is laid out in full


def _to_ids(values: Ids) -> np.ndarray:
    """Flatten to int64 on the host; uint64 stays as it is, for ids beyond the signed range."""
    values = values.detach().cpu().numpy() if isinstance(values, Tensor) else np.asarray(values)
    return values.reshape(-1).astype(np.uint64 if values.dtype == np.uint64 else np.int64, copy=False)


def _codes(ids: np.ndarray) -> tuple[np.ndarray, int]:
    """Number ids (N,) consecutively -> codes (N,) int64 and how many codes there are.

    Ids in a narrow range are counted, others (negative or huge ones may lie anywhere) sorted. The codes of a narrow
    range of few ids may leave gaps.
    """
    if not len(ids):
        return np.zeros(0, np.int64), 0
    low, high = int(ids.min()), int(ids.max())
    span = high - low + 1
    if span > max(1024, 4 * len(ids)):
        distinct, codes = np.unique(ids, return_inverse=True)
        return codes.reshape(-1).astype(np.int64, copy=False), len(distinct)
    codes = (ids - ids.dtype.type(low)).astype(np.int64, copy=False)
    if span <= 1024:
        return codes, span
    place = np.cumsum(np.bincount(codes, minlength=span) > 0) - 1
    return place[codes], int(place[-1]) + 1


def _entries(target: np.ndarray, pred: np.ndarray, num_target: int, num_pred: int) -> np.ndarray:
    """Count pairs of codes -> (3, E) int64: class, cluster and count (> 0) of every pair that occurs."""
    pairs = target * num_pred + pred
    if num_target * num_pred <= max(DENSE_CELLS, 4 * len(pairs)):
        count = np.bincount(pairs, minlength=num_target * num_pred)
        cell = np.flatnonzero(count)
        count = count[cell]
    else:
        cell, count = np.unique(pairs, return_counts=True)
    return np.stack([cell // max(num_pred, 1), cell % max(num_pred, 1), count])


def _matched(entries: np.ndarray, num_target: int, num_pred: int) -> int:
    """Rows on the best one-to-one matching of classes and clusters, which may differ in number."""
    row, column, count = entries
    if num_target * num_pred <= DENSE_CELLS:
        table = np.zeros((num_pred, num_target), np.int64)
        table[column, row] = count
        mapping = hungarian(table).numpy()
        kept = mapping >= 0
        return int(table[np.flatnonzero(kept), mapping[kept]].sum())
    most = float(count.max() + 1)
    cost = hstack([coo_matrix((most - count, (row, column)), shape=(num_target, num_pred)),
                   identity(num_target) * most]).tocsr()        # a class may also stay alone
    chosen = min_weight_full_bipartite_matching(cost)
    return int(round(most * num_target - cost[chosen].sum()))


def _entropy(sizes: np.ndarray, total: int) -> float:
    """Entropy in nats of the clusters with these sizes (> 0)."""
    share = sizes / total
    return float(-(share * np.log(share)).sum())


def _nmi(entries: np.ndarray, classes: np.ndarray, clusters: np.ndarray, total: int) -> float:
    """Mutual information over the arithmetic mean of the entropies; 1 when both sides are one cluster."""
    if np.count_nonzero(classes) == np.count_nonzero(clusters) <= 1:
        return 1.0
    row, column, count = entries
    log_class, log_cluster = (np.log(np.maximum(sizes, 1)) for sizes in (classes, clusters))
    information = count / total * (np.log(count) + np.log(total) - log_class[row] - log_cluster[column])
    information = max(float(information.sum()), 0.0)
    if information <= np.finfo(np.float64).eps:
        return 0.0
    mean = (_entropy(classes[classes > 0], total) + _entropy(clusters[clusters > 0], total)) / 2
    return min(information / mean, 1.0)


def _ari(entries: np.ndarray, classes: np.ndarray, clusters: np.ndarray, total: int) -> float:
    """Rand index adjusted for chance, from exact pair counts (Python integers do not overflow)."""
    same = int((entries[2] ** 2).sum())
    by_class, by_cluster = int((classes ** 2).sum()), int((clusters ** 2).sum())
    both, only_cluster, only_class = same - total, by_cluster - same, by_class - same
    neither = total * total - by_class - by_cluster + same
    if only_cluster == 0 and only_class == 0:
        return 1.0
    scale = (both + only_class) * (only_class + neither) + (both + only_cluster) * (only_cluster + neither)
    return 2 * (both * neither - only_class * only_cluster) / scale


def clustering_metrics(target: Ids, pred: Ids, ami: bool = True) -> dict[str, float]:
    """Compare a clustering with classes; rows whose target is -1 (unknown) are dropped.

    Args:
        target: (N,) integer classes, any numbering.
        pred: (N,) integer clusters, any numbering; -1 is a cluster like any other.
        ami: Whether to compute AMI, which takes longer than the rest together.

    Returns:
        As fractions: ``acc`` (Hungarian, the numbers of clusters and classes may differ), ``nmi`` and ``ami``
        (arithmetic), ``ari``, ``purity``. Edge cases follow scikit-learn: one class and one cluster, or no row at
        all, give nmi = ari = ami = 1; acc and purity of no row are 0.

    Raises:
        ValueError: If the lengths differ.
    """
    target, pred = _to_ids(target), _to_ids(pred)
    if len(target) != len(pred):
        raise ValueError(f'target and pred must have one id per row, got {len(target)} and {len(pred)}')
    known = target != -1
    if not known.all():
        target, pred = target[known], pred[known]
    total = len(target)
    (target, num_target), (pred, num_pred) = _codes(target), _codes(pred)
    entries = _entries(target, pred, num_target, num_pred)
    row, column, count = entries
    classes, clusters = np.zeros(num_target, np.int64), np.zeros(num_pred, np.int64)
    np.add.at(classes, row, count)
    np.add.at(clusters, column, count)
    largest = np.zeros(num_pred, np.int64)
    np.maximum.at(largest, column, count)
    metrics = dict(acc=_matched(entries, num_target, num_pred) / total if total else 0.0,
                   nmi=_nmi(entries, classes, clusters, total),
                   ari=_ari(entries, classes, clusters, total),
                   purity=int(largest.sum()) / total if total else 0.0)
    if ami:
        metrics['ami'] = float(adjusted_mutual_info_score(target, pred))
    return metrics
