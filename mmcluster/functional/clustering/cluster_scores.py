"""How well a number of clusters fits, without labels."""
from __future__ import annotations

import numpy as np
from scipy import stats
from sklearn.metrics import mutual_info_score

from .metrics import clustering_metrics


def prediction_strength(own: np.ndarray, predicted: np.ndarray) -> float:
    """Return how well another sample's clustering predicts which rows belong together (Tibshirani and Walther, 2005).

    The paper takes the smallest of the clusters' shares; their mean says the same of K and hangs less on the one
    cluster that happened to be cut differently.

    Args:
        own: (N,) integer clusters of the rows by their own clustering.
        predicted: (N,) integer, nearest centres of the clustering of other rows.

    Returns:
        Of each own cluster the share of pairs that the prediction keeps together, and of these the mean; clusters of
        one row have no pairs and do not count. 0 without any pair.
    """
    table = np.zeros((int(own.max(initial=0)) + 1, int(predicted.max(initial=0)) + 1))
    np.add.at(table, (own, predicted), 1)
    sizes = table.sum(axis=1)
    pairs = (table * (table - 1)).sum(axis=1)[sizes > 1] / (sizes * (sizes - 1))[sizes > 1]
    return float(pairs.mean()) if len(pairs) else 0.0


def agreement(first: np.ndarray, second: np.ndarray) -> float:
    """Return the adjusted Rand index of two clusterings (N,) of the same rows."""
    return clustering_metrics(first, second, ami=False)['ari']


def shared_information(first: np.ndarray, second: np.ndarray) -> tuple[float, float]:
    """Return what two clusterings (N,) of the same rows say of each other, and what either says alone.

    Returns:
        Their mutual information, and the mean of the two entropies less it; in nats.
    """
    shared = float(mutual_info_score(first, second))
    return shared, float(stats.entropy(np.bincount(first)) + stats.entropy(np.bincount(second))) / 2 - shared
