"""External clustering metrics, all from one contingency table."""
from __future__ import annotations

from typing import Union

import numpy as np
from scipy.optimize import linear_sum_assignment
from scipy.special import gammaln
from torch import Tensor

IGNORED = -1
# Ids are counted without sorting while their range is at most this many times the number of rows (plus a constant).
RANGE_PER_ROW, RANGE_CONSTANT = 2, 1 << 16


def clustering_metrics(target: Union[np.ndarray, Tensor], pred: Union[np.ndarray, Tensor],
                       ami: bool = True) -> dict[str, float]:
    """Compare clusters with classes.

    Rows whose target is -1 are dropped. Ids are any integers; the numbers of clusters and classes may differ, and a
    prediction of -1 is a cluster like any other. Linear in N, after which only the table of counts is used.

    Args:
        target: (N,) class ids.
        pred: (N,) cluster ids.
        ami: Also compute AMI, whose expectation costs most with many clusters.

    Returns:
        Fractions: ``acc`` under the best one-to-one match of clusters to classes (Hungarian; rows of a cluster or
        class without partner are wrong), ``nmi`` and ``ami`` with the arithmetic mean of the entropies, ``ari``,
        ``purity`` (rows in the largest class of their cluster).

    Edge cases, as in scikit-learn: one cluster and one class: all 1. One of them only: NMI, AMI and ARI 0. No row left:
    all 1, since nothing disagrees.
    """
    table = contingency_table(target, pred)
    total = int(table.sum())
    if not total:
        return {name: 1.0 for name in ('acc', 'nmi', 'ari', 'ami', 'purity') if ami or name != 'ami'}
    rows, columns = linear_sum_assignment(table, maximize=True)
    information = mutual_information(table)
    spread = (entropy(table.sum(axis=1)) + entropy(table.sum(axis=0))) / 2
    metrics = dict(acc=float(table[rows, columns].sum() / total), nmi=_normalized(table, information, spread),
                   ari=adjusted_rand(table), purity=float(table.max(axis=0).sum() / total))
    if ami:
        metrics['ami'] = _adjusted(table, information, spread)
    return metrics


def contingency_table(target: Union[np.ndarray, Tensor], pred: Union[np.ndarray, Tensor]) -> np.ndarray:
    """Count the rows of each class in each cluster.

    Args:
        target: (N,) class ids; -1 drops the row.
        pred: (N,) cluster ids.

    Returns:
        (classes, clusters) int64, only ids that occur.
    """
    target, pred = (_array(ids) for ids in (target, pred))
    if len(target) and target.min() < 0:
        known = target != IGNORED
        target, pred = target[known], pred[known]
    if not len(target):
        return np.zeros((0, 0), dtype=np.int64)
    (target, classes), (pred, clusters) = (_codes(ids) for ids in (target, pred))
    table = np.bincount(target * clusters + pred, minlength=classes * clusters).reshape(classes, clusters)
    return table[table.any(axis=1)][:, table.any(axis=0)]


def entropy(counts: np.ndarray) -> float:
    """Entropy in nats of counts (K,)."""
    counts = counts[counts > 0].astype(np.float64)
    share = counts / counts.sum()
    return float(-(share * np.log(share)).sum()) if len(counts) > 1 else 0.0


def mutual_information(table: np.ndarray) -> float:
    """Mutual information in nats of a table of counts (classes, clusters), at least 0."""
    if min(table.shape) < 2:
        return 0.0
    row, column = np.nonzero(table)
    count, total = table[row, column].astype(np.float64), float(table.sum())
    log_expected = np.log(table.sum(axis=1))[row] + np.log(table.sum(axis=0))[column] - np.log(total)
    terms = count / total * (np.log(count) - log_expected)
    terms[np.abs(terms) < np.finfo(np.float64).eps] = 0     # independence gives exactly 0
    return max(float(terms.sum()), 0.0)


def adjusted_rand(table: np.ndarray) -> float:
    """Adjusted Rand index of a table (classes, clusters), in Python integers: pairs of 1.28M rows overflow products."""
    total = int(table.sum())
    both = int((table * table).sum())
    same_class, same_cluster = (sum(int(count) ** 2 for count in table.sum(axis=axis)) for axis in (1, 0))
    agree, only_class, only_cluster = both - total, same_class - both, same_cluster - both
    neither = total ** 2 - total - agree - only_class - only_cluster
    if not (only_class or only_cluster):
        return 1.0
    above = 2 * (agree * neither - only_class * only_cluster)
    room = (agree + only_class) * (only_class + neither) + (agree + only_cluster) * (only_cluster + neither)
    return above / room


def expected_mutual_information(row_sums: np.ndarray, column_sums: np.ndarray) -> float:
    """Mean mutual information in nats over all tables with the given margins (Vinh, Epps, Bailey 2010, eq. 24a).

    Equal margins are computed once, and of each cell's hypergeometric distribution only the part that is not below
    rounding.

    Args:
        row_sums: (classes,) counts, all positive.
        column_sums: (clusters,) counts, same total.

    Returns:
        The expectation; 0 for a single class or cluster.
    """
    if min(len(row_sums), len(column_sums)) < 2:
        return 0.0
    total = int(row_sums.sum())
    expectation = 0.0
    b, b_times = np.unique(column_sums, return_counts=True)
    for a, a_times in zip(*np.unique(row_sums, return_counts=True)):
        mean = a * (b / total)
        reach = 10 * np.sqrt(mean * (1 - b / total)) + 40       # Bernstein: less than 1e-20 lies beyond
        low = np.maximum(np.maximum(1, a + b - total), np.floor(mean - reach)).astype(np.int64)
        high = np.minimum(np.minimum(a, b), np.ceil(mean + reach)).astype(np.int64)
        count = low[:, None] + np.arange((high - low).max() + 1)
        inside = count <= high[:, None]
        count = np.minimum(count, high[:, None])
        log_prob = (_log_choose(a, count) + _log_choose(total - a, b[:, None] - count)
                    - _log_choose(total, b)[:, None])
        value = count / total * (np.log(count / a) - np.log(b / total)[:, None]) * np.exp(log_prob)
        expectation += float(a_times * (b_times[:, None] * value)[inside].sum())
    return expectation


def _log_choose(n: Union[int, np.ndarray], k: np.ndarray) -> np.ndarray:
    return gammaln(n + 1.0) - gammaln(k + 1.0) - gammaln(n - k + 1.0)


def _normalized(table: np.ndarray, information: float, spread: float) -> float:
    if table.shape == (1, 1):
        return 1.0
    return information / spread if information > 0 else 0.0


def _adjusted(table: np.ndarray, information: float, spread: float) -> float:
    if table.shape[0] == table.shape[1] == np.count_nonzero(table):
        return 1.0              # a perfect match; the quotient could be 0 / 0
    if min(table.shape) < 2:
        return 0.0
    expected = expected_mutual_information(table.sum(axis=1), table.sum(axis=0))
    eps = np.finfo(np.float64).eps
    above, room = (np.copysign(max(abs(part), eps), part) for part in (information - expected, spread - expected))
    return float(above / room)


def _array(ids: Union[np.ndarray, Tensor]) -> np.ndarray:
    array = ids.detach().cpu().numpy() if isinstance(ids, Tensor) else np.asarray(ids)
    return array.reshape(-1).astype(np.int64, copy=False)


def _codes(ids: np.ndarray) -> tuple[np.ndarray, int]:
    """Small non-negative codes (N,) of integer ids (N,), and a bound on them."""
    low, high = int(ids.min()), int(ids.max())
    size = high - low + 1
    if size > RANGE_PER_ROW * len(ids) + RANGE_CONSTANT:
        values, codes = np.unique(ids, return_inverse=True)
        return codes.reshape(-1), len(values)
    codes = ids if low == 0 else ids - low
    occurs = np.zeros(size, dtype=np.int64)
    occurs[codes] = 1
    if occurs.all():
        return codes, size
    return (np.cumsum(occurs) - 1)[codes], int(occurs.sum())
