"""Clustering by scikit-learn, of vectors; no equation of it is written here."""
from __future__ import annotations

from typing import Any, Callable, Mapping, Optional

import torch
from sklearn.base import BaseEstimator
from sklearn.cluster import AgglomerativeClustering, Birch, KMeans, SpectralClustering
from sklearn.decomposition import NMF, PCA
from sklearn.mixture import GaussianMixture
from sklearn.pipeline import make_pipeline
from torch import Tensor

from ..finite import require_finite

MAX_PAIRS_ROWS = 30_000         # rows whose distances to each other, 8 bytes a pair, still fit into 4 GB


def _kmeans(num_clusters: int, seed: int) -> KMeans:
    return KMeans(num_clusters, n_init=10, random_state=seed)


METHODS: dict[str, Callable[[int, int], BaseEstimator]] = {
    'kmeans': _kmeans,
    'spectral': lambda k, seed: SpectralClustering(k, affinity='nearest_neighbors', random_state=seed),
    'agglomerative': lambda k, seed: AgglomerativeClustering(k),
    'birch': lambda k, seed: Birch(n_clusters=k),
    'gaussian_mixture': lambda k, seed: GaussianMixture(k, covariance_type='diag', reg_covar=1e-3, random_state=seed),
    'nmf': lambda k, seed: make_pipeline(NMF(k, max_iter=1000, random_state=seed), _kmeans(k, seed)),
    'pca_kmeans': lambda k, seed: make_pipeline(PCA(50, random_state=seed), _kmeans(k, seed)),
}


def classical_estimator(method: str, num_clusters: int, seed: int = 0,
                        options: Optional[Mapping[str, Any]] = None) -> BaseEstimator:
    """Make an estimator of scikit-learn.

    Args:
        method: A key of ``METHODS``. ``'nmf'`` and ``'pca_kmeans'`` end with k-means on what they reduce to.
        num_clusters: K.
        seed: Seed of those that draw.
        options: Its other parameters, by scikit-learn's names: ``dict(n_init=20)``, ``dict(pca__n_components=20)``.

    Raises:
        ValueError: If there is no such method or parameter.
    """
    if method not in METHODS:
        raise ValueError(f'there is no classical method {method!r}; there are {sorted(METHODS)}')
    return METHODS[method](num_clusters, seed).set_params(**(options or {}))


def classical_labels(x: Tensor, method: str, num_clusters: int, seed: int = 0,
                     options: Optional[Mapping[str, Any]] = None) -> Tensor:
    """Cluster rows.

    Args:
        x: (N, D).
        method: See :func:`classical_estimator`.
        num_clusters: K.
        seed: The same.
        options: The same.

    Returns:
        (N,) long on the CPU.

    Raises:
        ValueError: If a row is not finite, NMF finds a negative entry, or agglomeration would need more memory than
            computers have.
    """
    require_finite(x, method)
    estimator = classical_estimator(method, num_clusters, seed, options)
    if method == 'nmf' and bool((x < 0).any()):
        raise ValueError('nmf takes no negative entries: give it pixels with mean 0, or features after a ReLU')
    if method == 'agglomerative' and len(x) > MAX_PAIRS_ROWS and estimator.get_params()['connectivity'] is None:
        raise ValueError(f'agglomerative compares every two of {len(x)} rows, {len(x) ** 2 * 4 / 2**30:.0f} GiB; take '
                         f'birch, which agglomerates groups of rows, or fewer images')
    return torch.from_numpy(estimator.fit_predict(x.float().cpu().numpy())).long()
