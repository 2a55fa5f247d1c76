"""How reduced features are clustered, by name. Every method ends in centres and a linear head for new rows."""
from __future__ import annotations

from typing import Callable, NamedTuple, Optional

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from mmcluster.functional.clustering.kmeans import kmeans, lloyd
from mmcluster.functional.clustering.spectral import diffusion_map

from .feature_heads import NEIGHBORS, Head, fit_scan, fit_temi, fit_turtle

RESTARTS = 10
SEEDED_ROWS = 50000             # rows that seed k-means, and that heads learn from; all rows follow
FULL_PASSES = 20                # passes over all rows after that
CENTER_TEMPERATURE = 0.1        # of the probabilities that cosines to centres give
SMALLEST_CLUSTER = 5            # of HDBSCAN, or half a per cent of the rows
USUAL = 'auto'
SPECTRAL_ROWS = 50              # in fewer, the graph of ten neighbours joins everything
LIMITS = dict(agglomerative=15000, spectral=30000, hdbscan=30000)   # rows whose pairs fit in memory and patience


class Partition(NamedTuple):
    """Outcome of a method.

    Attributes:
        centers: (K, d).
        labels: (N,) long, -1 for none; ``None``: those of the head.
        head: ``None``: distances to the centres decide.
        method: Name of the method that took the place of the one asked for, if another did.
    """
    centers: Tensor
    labels: Optional[Tensor] = None
    head: Optional[Head] = None
    method: Optional[str] = None


def _kmeans(z: Tensor, count: int, unit: bool, seed: int, restarts: int = RESTARTS) -> Tensor:
    """Centres (K, d) of k-means; of very many rows a sample finds them, and all rows refine them."""
    metric = 'cosine' if unit else 'euclidean'
    if len(z) <= SEEDED_ROWS:
        return kmeans(z, count, n_init=restarts, metric=metric, seed=seed).centers
    rows = torch.randperm(len(z), generator=torch.Generator().manual_seed(seed))[:SEEDED_ROWS]
    found = kmeans(z[rows], count, n_init=min(restarts, 3), metric=metric, seed=seed)
    return lloyd(z, found.centers, metric, max_iter=FULL_PASSES).centers


def _sample(z: Tensor, seed: int, most: int = SEEDED_ROWS) -> Tensor:
    """Rows that a head learns from."""
    return z if len(z) <= most else z[torch.randperm(len(z), generator=torch.Generator().manual_seed(seed))[:most]]


def by_kmeans(z: Tensor, count: int, unit: bool, seed: int) -> Partition:
    """Spherical k-means; Euclidean where rows have a length."""
    return Partition(_kmeans(z, count, unit, seed))


def _by_head(fit: Callable[[Tensor, Tensor, int], Head], z: Tensor, count: int, seed: int) -> Partition:
    """A linear head that learns from the centres of a spectral clustering on."""
    start = F.normalize(by_spectral(_sample(z, seed, LIMITS['spectral']), count, True, seed).centers, dim=1)
    return Partition(start, head=fit(_sample(z, seed), start, seed))


def by_scan(z: Tensor, count: int, unit: bool, seed: int) -> Partition:
    """A linear head with SCAN's loss, started at the centres of a spectral clustering."""
    return _by_head(fit_scan, z, count, seed)


def by_temi(z: Tensor, count: int, unit: bool, seed: int) -> Partition:
    """A linear head with TEMI's loss, started at the centres of a spectral clustering."""
    return _by_head(fit_temi, z, count, seed)


def by_turtle(z: Tensor, count: int, unit: bool, seed: int) -> Partition:
    """A linear head whose labels other heads learn best (TURTLE), started at the centres of a spectral clustering."""
    return _by_head(fit_turtle, z, count, seed)


def _limited(name: str, rows: int) -> None:
    """Refuse more rows than a method that looks at all pairs can take."""
    if rows > LIMITS[name]:
        raise ValueError(f'{name} compares all pairs of images, which is too much for {rows}: use kmeans or scan, or '
                         f'at most {LIMITS[name]} images (--limit)')


def _means(z: Tensor, labels: np.ndarray) -> Partition:
    """The partition with the means of its clusters as centres."""
    label = torch.from_numpy(labels.astype(np.int64))
    count, known = int(label.max()) + 1, label >= 0
    if not count:
        raise ValueError('HDBSCAN found no dense group: use kmeans with a number of clusters')
    centers = z.new_zeros(count, z.shape[1]).index_add_(0, label[known], z[known])
    return Partition(centers / torch.bincount(label[known], minlength=count)[:, None], label)


def by_spectral(z: Tensor, count: int, unit: bool, seed: int) -> Partition:
    """Spectral clustering (Ng, Jordan and Weiss, 2001): k-means on a diffusion map of the graph of nearest rows.

    Edge case: a graph of more parts than clusters, or one with fewer clusters to find, is left to k-means on the rows.
    """
    from scipy.sparse.csgraph import connected_components
    from sklearn.neighbors import kneighbors_graph
    _limited('spectral', len(z))
    if count == 1:
        return _means(z, np.zeros(len(z), np.int64))
    graph = kneighbors_graph(z.numpy(), min(NEIGHBORS, len(z) - 1))
    graph = (graph + graph.T) / 2
    if connected_components(graph, directed=False)[0] > count:       # it does not say which parts belong together
        return by_kmeans(z, count, unit, seed)._replace(method='kmeans')
    place = torch.from_numpy(diffusion_map(graph, count - 1))
    labels = (place @ _kmeans(place, count, True, seed).T).argmax(dim=1)
    if len(labels.unique()) < count:      # so many clusters of so few rows leave some without any
        return by_kmeans(z, count, unit, seed)._replace(method='kmeans')
    part = _means(z, labels.numpy())
    # the nearest of the means puts right single rows that the graph misplaced, and knows new rows in the same way
    return part._replace(labels=None) if unit else part


def by_agglomerative(z: Tensor, count: int, unit: bool, seed: int) -> Partition:
    """Ward's agglomerative clustering (scikit-learn)."""
    from sklearn.cluster import AgglomerativeClustering
    _limited('agglomerative', len(z))
    return _means(z, AgglomerativeClustering(count).fit_predict(z.numpy()))


def by_hdbscan(z: Tensor, count: int, unit: bool, seed: int) -> Partition:
    """HDBSCAN (scikit-learn), which finds K itself and leaves rows of thin regions to no cluster."""
    from sklearn.cluster import HDBSCAN
    _limited('hdbscan', len(z))
    return _means(z, HDBSCAN(min_cluster_size=max(SMALLEST_CLUSTER, len(z) // 200), copy=True).fit_predict(z.numpy()))


METHODS: dict[str, Callable[[Tensor, int, bool, int], Partition]] = dict(
    kmeans=by_kmeans, scan=by_scan, temi=by_temi, turtle=by_turtle, spectral=by_spectral,
    agglomerative=by_agglomerative, hdbscan=by_hdbscan)


def usual_method(rows: int, unit: bool) -> str:
    """What ``'auto'`` stands for: spectral clustering where its graph means something and fits, else k-means.

    Args:
        rows: N.
        unit: The rows have unit length.
    """
    return 'spectral' if unit and SPECTRAL_ROWS <= rows <= LIMITS['spectral'] else 'kmeans'


def center_head(z: Tensor, centers: Tensor, unit: bool) -> Head:
    """Probabilities by the distance to centres, as a linear head.

    Unit rows: softmax of the cosines over a temperature. Else the posterior of Gaussians of one common width, whose
    exponent ``-|z - c|^2 / 2 s^2`` is linear in z but for a term that all clusters share.
    """
    if unit:
        return Head(F.normalize(centers, dim=1).T / CENTER_TEMPERATURE, torch.zeros(len(centers)))
    nearest = torch.cat([torch.cdist(rows, centers).amin(1) for rows in z.split(8192)])
    variance = max(float(nearest.square().mean()) / z.shape[1], 1e-12)
    return Head(centers.T / variance, -centers.square().sum(dim=1) / (2 * variance))
