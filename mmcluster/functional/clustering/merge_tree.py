"""A tree of merges over clusters: Ward's criterion on their centres, weighted by their sizes."""
from __future__ import annotations

import numpy as np
from scipy.spatial.distance import cdist


def ward_tree(centers: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """Merge clusters two by two, always those whose union adds least to the sum of squares (Ward, 1963).

    scipy's linkage starts from single rows; here a centre stands for all rows of its cluster, so that the merges are
    those of the rows themselves from where the clusters are whole.

    Args:
        centers: (K, D).
        sizes: (K,) rows of each cluster, not negative.

    Returns:
        (K - 1, 4) float64 in scipy's form: the two nodes (a merge makes node K + its row), height, rows. The height is
        ``sqrt(2 n m / (n + m)) |a - b|``, for single rows their distance, as in scipy. Edge cases: an empty cluster
        joins at height 0; one cluster has no merges; the first pair wins ties.
    """
    count = len(centers)
    sizes = np.asarray(sizes, np.float64).copy()
    total = sizes[:, None] + sizes
    cost = cdist(centers, centers, 'sqeuclidean') * 2 * sizes[:, None] * sizes / np.maximum(total, 1)
    cost[np.diag_indices(count)] = np.inf
    node, tree = np.arange(count), np.empty((max(count - 1, 0), 4))
    nearest = cost.argmin(axis=1) if count else node
    alive = np.ones(count, bool)
    for step in range(count - 1):
        best = np.where(alive, cost[np.arange(count), nearest], np.inf)
        a = int(best.argmin())
        a, b = sorted((a, int(nearest[a])))
        height, n, m = cost[a, b], sizes[a], sizes[b]
        tree[step] = *sorted((node[a], node[b])), np.sqrt(max(height, 0)), n + m
        # Lance and Williams: the cost of the union to every other cluster from those of its parts
        with np.errstate(invalid='ignore'):
            joint = ((n + sizes) * cost[a] + (m + sizes) * cost[b] - sizes * height) / np.maximum(n + m + sizes, 1)
        alive[b], sizes[a], sizes[b], node[a] = False, n + m, 0, count + step
        joint[~alive] = joint[a] = np.inf
        cost[a], cost[:, a], cost[b], cost[:, b] = joint, joint, np.inf, np.inf
        stale = np.flatnonzero(alive & ((nearest == a) | (nearest == b) | (joint < cost[np.arange(count), nearest])))
        stale = np.union1d(stale, a)
        nearest[stale] = cost[stale].argmin(axis=1)
    return tree


def cut_tree(tree: np.ndarray, groups: int) -> np.ndarray:
    """Cut a tree of K clusters into groups by undoing its last merges.

    Args:
        tree: (K - 1, 4), see :func:`ward_tree`.
        groups: Number of groups, 1 to K; beyond it is K.

    Returns:
        (K,) int64 group of each cluster, numbered by their first cluster.
    """
    count = len(tree) + 1
    member = np.arange(2 * count - 1)
    for step in range(count - min(max(groups, 1), count)):
        member[[int(tree[step, 0]), int(tree[step, 1])]] = count + step
    roots = member[:count]
    while (member[roots] != roots).any():
        roots = member[roots]
    _, first, group = np.unique(roots, return_index=True, return_inverse=True)
    return np.argsort(np.argsort(first))[group]
