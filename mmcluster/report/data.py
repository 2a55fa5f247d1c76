"""The table of a result as the page's script reads it: typed arrays, and texts once each."""
from __future__ import annotations

import base64
from collections import Counter
from typing import Any, Mapping, Sequence

import numpy as np
import torch

from mmcluster.apis.result import Result
from mmcluster.functional.labels.quality import rank_purity

from .gallery import Gallery
from .names import shown

SHOWN_LABELS = 3
KINDS = {'int32': '<i4', 'uint16': '<u2', 'uint8': '|u1'}


def packed(values: np.ndarray, kind: str) -> dict[str, str]:
    """Numbers (N,) as the bytes of one of JavaScript's typed arrays, in base64."""
    return dict(kind=kind, data=base64.b64encode(np.ascontiguousarray(values, KINDS[kind]).tobytes()).decode())


def _share(values: np.ndarray, steps: int) -> np.ndarray:
    """Numbers of [0, 1] as whole ones up to ``steps``; NaN counts as 0."""
    return np.rint(np.clip(np.nan_to_num(values), 0, 1) * steps)


def _numbered(texts: Sequence[str]) -> tuple[list[str], np.ndarray]:
    """Distinct texts by first appearance, and the number of each."""
    known: dict[str, int] = {}
    numbers = [known.setdefault(text, len(known)) for text in texts]
    return list(known), np.array(numbers, np.int64)


def table_data(result: Result) -> dict[str, Any]:
    """Columns of all images.

    Args:
        result: The result.

    Returns:
        What JSON can hold: folders, names, labels, and packed columns.
    """
    parts = [shown(path).rpartition('/') for path in result.paths]
    folders, folder = _numbered([head + slash for head, slash, _ in parts])
    table = result.table
    columns = dict(folder=packed(folder, 'int32'))
    columns |= {name: packed(table[name], 'int32') for name in ('cluster', 'second', 'duplicate_group')}
    columns |= {name: packed(_share(table[name], 255), 'uint8') for name in ('confidence', 'margin', 'outlier')}
    columns |= {name: packed(_share((table[name] + 1) / 2, 65535), 'uint16') for name in 'xy'}
    data = dict(images=len(result.paths), folders=folders, names=[name for _, _, name in parts], columns=columns,
                labels=[])
    if result.label is not None:
        data['labels'], number = _numbered([shown(label) for label in result.label])
        columns['label'] = packed(number, 'int32')
    return data


def cluster_data(result: Result, chosen: Mapping[int, Gallery]) -> list[dict[str, Any]]:
    """Facts and galleries of the clusters, -1 last.

    Args:
        result: The result.
        chosen: See :func:`~mmcluster.report.gallery.galleries`.
    """
    told = {one['id']: one for one in result.summary.get('clusters', [])}
    found = []
    for cluster in sorted(chosen, key=lambda number: (number < 0, number)):
        gallery, rows = chosen[cluster], np.flatnonzero(result.table['cluster'] == cluster)
        own = told.get(cluster, {})
        found.append(dict(
            id=cluster, size=len(rows), share=len(rows) / len(result.paths),
            confidence=float(np.nan_to_num(result.table['confidence'][rows]).mean()),
            silhouette=own.get('silhouette'), spread=own.get('spread'), typical=gallery.typical,
            borderline=gallery.borderline, far=gallery.far, random=gallery.random, duplicates=gallery.duplicates,
            copies=gallery.copies, mostly=_mostly(result, rows)))
    return found


def _mostly(result: Result, rows: np.ndarray) -> list[list[Any]]:
    """The commonest labels of rows, each with its share of the labelled ones."""
    if result.label is None:
        return []
    counts = Counter(shown(result.label[row]) for row in rows.tolist() if result.label[row])
    return [[label, count / counts.total()] for label, count in counts.most_common(SHOWN_LABELS)]


def purity_by_distance(result: Result, parts: int = 5) -> list[float]:
    """How often images have the commonest label of their cluster, from those near its centre to the far ones.

    Args:
        result: The result.
        parts: Of each cluster, equally large.

    Returns:
        A share for each part, over the clusters that have an image for each; empty without labels or such clusters.
    """
    if result.label is None:
        return []
    known = np.flatnonzero((result.table['cluster'] >= 0) & np.array([bool(label) for label in result.label]))
    own = result.table['cluster'][known]
    known = known[np.bincount(own)[own] >= parts]
    if not len(known):
        return []
    _, true = _numbered([result.label[row] for row in known])
    cluster, distance = (torch.from_numpy(result.table[name][known]) for name in ('cluster', 'distance'))
    found = rank_purity(distance, cluster, torch.from_numpy(true), int(cluster.max()) + 1, parts)
    return found.curve.tolist()
