"""Clustering metrics from one table of counts: ACC, NMI, ARI, AMI and purity in time linear in N."""
from __future__ import annotations

from typing import NamedTuple, Sequence

import numpy as np
from scipy.sparse import coo_matrix, hstack, identity
from scipy.sparse.csgraph import min_weight_full_bipartite_matching
from sklearn.metrics import adjusted_mutual_info_score
from torch import Tensor

from ..labels.given import UNKNOWN, whole_labels
from .match import hungarian

Ids = Tensor | np.ndarray | Sequence[int]
DENSE_CELLS = 1 << 22       # largest table that is laid out in full


def _to_ids(values: Ids) -> np.ndarray:
    """Flatten to int64 on the host; uint64 stays as it is, for ids beyond the signed range.

    Raises:
        ValueError: If an id is NaN or a fraction.
    """
    values = values.detach().cpu().numpy() if isinstance(values, Tensor) else np.asarray(values)
    if values.dtype.kind == 'f' and not (np.isfinite(values) & (values == np.floor(values))).all():
        first = np.flatnonzero(~np.isfinite(values) | (values != np.floor(values)))[0]
        raise ValueError(f'clusters must be whole numbers, got {values.reshape(-1)[first]} in row {first}')
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
    codes = (ids - ids.dtype.type(low) if low else ids).astype(np.int64, copy=False)
    if span <= 1024:
        return codes, span
    place = np.cumsum(np.bincount(codes, minlength=span) > 0) - 1
    return place[codes], int(place[-1]) + 1


class _Counts(NamedTuple):
    """What the metrics need of the table of classes by clusters.

    Attributes:
        classes: Sizes of the classes that occur.
        clusters: Sizes of the clusters that occur.
        cells: Counts of the pairs of class and cluster that occur.
        matched: Rows on the best one-to-one matching of classes and clusters, which may differ in number.
        purest: Sum over clusters of the rows of their largest class.
    """
    classes: np.ndarray
    clusters: np.ndarray
    cells: np.ndarray
    matched: int
    purest: int


def laid_out(num_classes: int, num_clusters: int, rows: int) -> bool:
    """Whether a table of so many rows is laid out in full; of a larger one the cells that occur are held.

    Args:
        num_classes: C.
        num_clusters: K.
        rows: N.
    """
    return num_classes * num_clusters <= max(DENSE_CELLS, 4 * rows)


def _count(target: np.ndarray, pred: np.ndarray, num_target: int, num_pred: int) -> _Counts:
    """Count codes (N,) of classes and clusters."""
    pairs = target * num_pred
    pairs += pred
    if not laid_out(num_target, num_pred, len(pairs)):
        return _count_cells(*np.unique(pairs, return_counts=True), num_target, num_pred)
    return _count_table(np.bincount(pairs, minlength=num_target * num_pred).reshape(num_target, num_pred))


def _count_table(table: np.ndarray) -> _Counts:
    """Count a table (C, K)."""
    classes, clusters = table.sum(1), table.sum(0)
    mapping = hungarian(table).numpy()
    kept = np.flatnonzero(mapping >= 0)
    return _Counts(classes[classes > 0], clusters[clusters > 0], table[table > 0],
                   int(table[kept, mapping[kept]].sum()), int(table.max(0, initial=0).sum()))


def _count_cells(cell: np.ndarray, count: np.ndarray, num_target: int, num_pred: int) -> _Counts:
    """Count cells (class * number of clusters + cluster) (M,) of a table that is mostly empty.

    The matching is exact, too: it runs over the cells that occur, and leaves alone a class that gains nothing.
    """
    row, column = np.divmod(cell, num_pred)
    largest = np.zeros(num_pred, np.int64)
    np.maximum.at(largest, column, count)
    most = float(count.max(initial=0) + 1)
    cost = hstack([coo_matrix((most - count, (row, column)), shape=(num_target, num_pred)),
                   identity(num_target) * most]).tocsr()        # a class may also stay alone
    matched = most * num_target - cost[min_weight_full_bipartite_matching(cost)].sum()
    classes, clusters = (np.unique(side, return_inverse=True)[1] for side in (row, column))
    classes, clusters = (np.bincount(side, weights=count).astype(np.int64) for side in (classes, clusters))
    return _Counts(classes, clusters, count, round(float(matched)), int(largest.sum()))


def _nmi(counts: _Counts, total: int) -> tuple[float, float]:
    """Mutual information over the arithmetic and the geometric mean of the entropies; 1 when both sides are one
    cluster."""
    if len(counts.classes) == len(counts.clusters) <= 1:
        return 1.0, 1.0
    classes, clusters, joint = (np.log(total) - float(sizes @ np.log(sizes)) / total
                                for sizes in (counts.classes, counts.clusters, counts.cells))       # entropies
    information = classes + clusters - joint
    if information <= 64 * np.finfo(np.float64).eps * max(1.0, joint):
        return 0.0, 0.0                                                                             # rounding
    arithmetic, geometric = (min(float(information / mean), 1.0)
                             for mean in ((classes + clusters) / 2, np.sqrt(classes * clusters)))
    return arithmetic, geometric


def _ari(counts: _Counts, total: int) -> float:
    """Rand index adjusted for chance, from exact pair counts (Python integers do not overflow)."""
    by_class, by_cluster, same = (int(sizes @ sizes) for sizes in (counts.classes, counts.clusters, counts.cells))
    both, only_cluster, only_class = same - total, by_cluster - same, by_class - same
    neither = total * total - by_class - by_cluster + same
    if only_cluster == 0 and only_class == 0:
        return 1.0
    scale = (both + only_class) * (only_class + neither) + (both + only_cluster) * (only_cluster + neither)
    return 2 * (both * neither - only_class * only_cluster) / scale


def clustering_metrics(target: Ids, pred: Ids, ami: bool = True) -> dict[str, float]:
    """Compare a clustering with classes; rows whose target is -1 (unknown) are dropped.

    Args:
        target: (N,) classes, whole numbers from 0 in any numbering; -1 and NaN are unknown, see
            :func:`~mmcluster.functional.labels.given.whole_labels`.
        pred: (N,) integer clusters, any numbering; -1 is a cluster like any other.
        ami: Whether to compute AMI, which takes longer than the rest together.

    Returns:
        As fractions: ``acc`` (Hungarian, the numbers of clusters and classes may differ), ``nmi`` and ``ami``
        (arithmetic), ``nmi_geometric`` (over the geometric mean of the entropies), ``ari``, ``purity``. Edge cases
        follow scikit-learn: one class and one cluster, or no row at all, give nmi = ari = ami = 1; acc and purity of
        no row are 0.

    Raises:
        ValueError: If the lengths differ, a target is another negative number or a fraction, or a cluster is NaN or a
            fraction.
    """
    unsigned = getattr(getattr(target, 'dtype', None), 'kind', None) == 'u'     # nothing in it can be unknown
    truth = _to_ids(target if unsigned else whole_labels(target, 'targets'))
    cluster = _to_ids(pred)
    if len(truth) != len(cluster):
        raise ValueError(f'target and pred must have one id per row, got {len(truth)} and {len(cluster)}')
    known = np.ones(len(truth), bool) if unsigned else truth != UNKNOWN
    if not known.all():
        truth, cluster = truth[known], cluster[known]
    (truth, num_target), (cluster, num_pred) = _codes(truth), _codes(cluster)
    metrics = _values(_count(truth, cluster, num_target, num_pred), len(truth))
    return {**metrics, 'ami': float(adjusted_mutual_info_score(truth, cluster))} if ami else metrics


def table_metrics(table: Tensor) -> dict[str, float]:
    """Compare a clustering with classes by how often each pair occurs, which processes can add up.

    Args:
        table: (C, K) long, rows of each class (row) and cluster (column), as
            :func:`~mmcluster.functional.clustering.match.contingency` counts them.

    Returns:
        What :func:`clustering_metrics` returns for these rows but AMI, to the bit.
    """
    counts = table.cpu().numpy()
    num_classes, num_clusters = counts.shape
    if laid_out(num_classes, num_clusters, int(counts.sum())):
        return _values(_count_table(counts), int(counts.sum()))
    cell = np.flatnonzero(counts)
    return cell_metrics(cell, counts.reshape(-1)[cell], num_classes, num_clusters)


def cell_metrics(cell: Ids, count: Ids, num_classes: int, num_clusters: int) -> dict[str, float]:
    """Compare a clustering with classes by the cells of their table that occur, see :func:`table_metrics`.

    Args:
        cell: (M,) class * K + cluster, in any order; one that several processes counted may be there for each.
        count: (M,) rows of each.
        num_classes: C.
        num_clusters: K.

    Returns:
        What :func:`table_metrics` returns, to the bit, in the memory and time of the cells.
    """
    distinct, place = np.unique(_to_ids(cell), return_inverse=True)
    total = np.zeros(len(distinct), np.int64)
    np.add.at(total, place.reshape(-1), _to_ids(count))
    if not laid_out(num_classes, num_clusters, int(total.sum())):
        return _values(_count_cells(distinct, total, num_classes, num_clusters), int(total.sum()))
    table = np.zeros(num_classes * num_clusters, np.int64)
    table[distinct] = total
    return _values(_count_table(table.reshape(num_classes, num_clusters)), int(total.sum()))


def _values(counts: _Counts, total: int) -> dict[str, float]:
    """All metrics of the counts of so many rows but AMI."""
    nmi, nmi_geometric = _nmi(counts, total)
    return dict(acc=counts.matched / max(total, 1), nmi=nmi, nmi_geometric=nmi_geometric, ari=_ari(counts, total),
                purity=counts.purest / max(total, 1))
