"""The control that needs no network: k-means on raw pixels."""
from __future__ import annotations

import numpy as np
from sklearn.cluster import KMeans

from mmcluster.datasets import IndexedDataset
from mmcluster.functional.clustering.metrics import clustering_metrics
from mmcluster.structures import TEST_STREAM, Key


def raw_pixels(dataset: IndexedDataset) -> np.ndarray:
    """Pixels of all images in the range of their publisher.

    That is 0 to 16 for scikit-learn's digits, which ``DigitsSource`` stretches to 0..255 and rounds, and 0 to 255 for
    all others. Rounding alone moves k-means from one optimum to another.

    Args:
        dataset: The images.

    Returns:
        (N, H * W * C) float64.
    """
    rows = dataset[[Key(i, TEST_STREAM) for i in range(len(dataset))]][TEST_STREAM].images[0].flatten(1).double()
    if dataset.metainfo['dataset'] == 'digits':
        rows = (rows * (16 / 255)).round()
    return rows.numpy()


def pixels_kmeans(dataset: IndexedDataset, num_clusters: int, seed: int) -> dict[str, float]:
    """Metrics of scikit-learn's k-means on raw pixels, 10 restarts.

    Args:
        dataset: The images.
        num_clusters: K.
        seed: Of k-means.
    """
    label = KMeans(num_clusters, n_init=10, random_state=seed).fit_predict(raw_pixels(dataset))
    return clustering_metrics(dataset.labels, label)
