"""Choosing trusted rows: the most typical M of each cluster (ClusMatch section 3.3)."""
from __future__ import annotations

import math
from typing import NamedTuple, Optional

import torch
import torch.nn.functional as F
from torch import Tensor

# Elements of a (rows, centres, D) temporary.
CHUNK_ELEMENTS = 1 << 22


class Selection(NamedTuple):
    """Chosen rows, ordered by cluster, then from the most typical one on.

    Attributes:
        index: (n,) long, rows.
        target: (n,) long, their cluster.
    """
    index: Tensor
    target: Tensor


def num_per_cluster(sigma: float, num_samples: int, num_clusters: int) -> int:
    """Rows to choose from each cluster, M = floor(sigma N / K).

    The guard of 1e-9 makes 0.29 * 100 give 29, which floating point puts just below.

    Args:
        sigma: Share of the data set, the paper's sigma.
        num_samples: N.
        num_clusters: K.

    Returns:
        M.
    """
    return math.floor(sigma * num_samples / num_clusters + 1e-9)


def select_by_distance(embed: Tensor, label: Tensor, centers: Tensor, sigma: float, distance: str = 'cosine',
                       to: str = 'assigned', per_cluster: Optional[int] = None) -> Selection:
    """Choose the rows of each cluster that are nearest to a centre.

    Args:
        embed: (N, D) raw features.
        label: (N,) long, cluster of each row; a row with -1 is not chosen.
        centers: (K, D).
        sigma: Share to choose, see :func:`num_per_cluster`.
        distance: ``'cosine'``, or ``'euclidean'`` on raw features.
        to: Distance to the ``'assigned'`` centre, or to the ``'nearest'`` of all (release).
        per_cluster: M, if it is not to follow from sigma.

    Returns:
        M rows of each cluster by ascending distance. Equal distances: the smaller index first.

    Edge cases: a cluster with fewer than M rows gives all of them, an empty one none.
    """
    embed, label, centers = embed.detach(), label.to(embed.device), centers.detach().to(embed.device)
    spread = _center_distance(embed, centers, label.clamp(0, len(centers) - 1) if to == 'assigned' else None, distance)
    if per_cluster is None:
        per_cluster = num_per_cluster(sigma, len(embed), len(centers))
    return first_per_cluster(spread, label, len(centers), per_cluster)


def select_by_variance(prob: Tensor, sigma: float) -> Selection:
    """Choose the rows of each arg-max class whose probabilities vary most.

    Args:
        prob: (N, K).
        sigma: Share to choose, see :func:`num_per_cluster`.

    Returns:
        M rows of each class by descending variance. Equal variances: the smaller index first.

    Edge cases: as in :func:`select_by_distance`.
    """
    num_samples, num_clusters = prob.shape
    per_cluster = num_per_cluster(sigma, num_samples, num_clusters)
    return first_per_cluster(-probability_variance(prob), prob.argmax(dim=1), num_clusters, per_cluster)


def probability_variance(prob: Tensor) -> Tensor:
    """Population variance of each row: (N, K) -> (N,) float64."""
    prob = prob.detach().double()
    return (prob - prob.mean(dim=1, keepdim=True)).square().mean(dim=1)


def first_per_cluster(value: Tensor, label: Tensor, num_clusters: int, per_cluster: int) -> Selection:
    """Keep the rows of smallest value of each cluster.

    Args:
        value: (N,).
        label: (N,) long; ids outside 0 .. K - 1 are not kept.
        num_clusters: K.
        per_cluster: M.

    Returns:
        At most M rows of each cluster, ordered by cluster, then value, then index.
    """
    inside = torch.where((label >= 0) & (label < num_clusters), label, num_clusters)
    order = value.argsort(stable=True)
    order = order[inside[order].argsort(stable=True)]
    cluster = inside[order]
    counts = torch.bincount(cluster, minlength=num_clusters + 1)
    rank = torch.arange(len(order), device=order.device) - (counts.cumsum(0) - counts)[cluster]
    keep = (rank < per_cluster) & (cluster < num_clusters)
    return Selection(order[keep], cluster[keep])


def to_target(selection: Selection, num_samples: int) -> Tensor:
    """Spread a selection over the data set.

    Args:
        selection: n rows.
        num_samples: N.

    Returns:
        (N,) long, the cluster of chosen rows, -1 elsewhere.
    """
    target = torch.full((num_samples,), -1, dtype=torch.long, device=selection.index.device)
    target[selection.index] = selection.target
    return target


def balanced_weights(label: Tensor) -> Tensor:
    """Weights with which every cluster that occurs is drawn equally often (ProPos, class-balanced resampling).

    Args:
        label: (N,) long.

    Returns:
        (N,) float64, N / count(own label); 0 for rows without a label (-1).
    """
    known = label >= 0
    own = label.clamp(min=0)
    counts = torch.zeros(int(own.max()) + 1 if len(own) else 0, dtype=torch.long, device=label.device)
    counts.index_add_(0, own, known.long())
    return torch.where(known, len(label) / counts[own].double(), 0.)


def _center_distance(embed: Tensor, centers: Tensor, own: Optional[Tensor], distance: str) -> Tensor:
    """Distance (N,) in float64 of each row to its own centre, or to the nearest of all if ``own`` is ``None``.

    Every pair is summed by itself, not as a matrix product, so that equal rows tie exactly.
    """
    rows, centers = embed.double(), centers.double()
    if distance == 'cosine':
        rows, centers = F.normalize(rows, dim=1), F.normalize(centers, dim=1)
    every = 1 if own is not None else len(centers)
    parts = [rows.new_zeros(0)]
    step = max(1, CHUNK_ELEMENTS // (every * rows.shape[1] + 1))
    for chunk in torch.arange(len(rows), device=rows.device).split(step):
        near = centers[None] if own is None else centers[own[chunk], None]
        row = rows[chunk, None]
        pairs = 1 - (row * near).sum(dim=2) if distance == 'cosine' else (row - near).square().sum(dim=2)
        parts.append(pairs.amin(dim=1))
    return torch.cat(parts)
