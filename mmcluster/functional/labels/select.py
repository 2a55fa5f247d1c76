"""Confident rows of a clustering, prototypes with their neighbours, and weights that balance clusters."""
from __future__ import annotations

import math
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from ..finite import require_finite
from ..losses.contrast import at_least_float32

CHUNK = 8192
DECIMALS = 12           # distances that agree to this many decimals are a tie


class Selection(NamedTuple):
    """Selected rows, grouped by cluster, most confident first.

    Attributes:
        index: (n,) long rows.
        target: (n,) long, the cluster of each.
    """
    index: Tensor  # type: ignore[assignment]  # hides tuple.index
    target: Tensor


def num_per_cluster(sigma: float, num_samples: int, num_clusters: int) -> int:
    """Return M = floor(sigma N / K), guarded against rounding (.29 * 100 gives 29); 0 without clusters."""
    return max(0, math.floor(sigma * num_samples / num_clusters + 1e-9)) if num_clusters > 0 else 0


def _first_of_each(key: Tensor, label: Tensor, num_clusters: int, count: int) -> Selection:
    """Take the ``count`` rows with the smallest key (N,) of every cluster; equal keys in the order of the rows."""
    scale = key.abs().nan_to_num(0.0, 0.0, 0.0).amax().clamp(min=torch.finfo(key.dtype).tiny) if len(key) else 1.0
    order = torch.argsort((key / scale).round(decimals=DECIMALS), stable=True)
    order = order[torch.argsort(label[order], stable=True)]
    label = label[order]
    known = (label >= 0) & (label < num_clusters)
    sizes = torch.bincount(label[known], minlength=num_clusters)
    start = sizes.cumsum(0) - sizes
    order, label = order[known], label[known]
    place = torch.arange(len(label), device=label.device) - start[label]
    taken = place < count
    return Selection(order[taken], label[taken])


@torch.no_grad()
def select_by_distance(embed: Tensor, label: Tensor, centers: Tensor, sigma: float, distance: str = 'cosine',
                       to: str = 'assigned') -> Selection:
    """Take the M rows of every cluster that lie nearest to its centre (ClusMatch Sec. 3.3).

    Args:
        embed: (N, D) raw rows.
        label: (N,) long, cluster of each row; -1 is never selected.
        centers: (K, D).
        sigma: Share to select; M = floor(sigma N / K).
        distance: ``'cosine'`` or ``'euclidean'`` (raw rows to raw centres).
        to: ``'assigned'`` measures the distance to the row's own centre, ``'nearest'`` to the nearest of all.

    Returns:
        Rows by cluster, then ascending distance, then index. Edge cases: a cluster with fewer than M rows gives all.

    Raises:
        ValueError: If ``distance`` or ``to`` is unknown, or a row is not finite.
    """
    if distance not in ('cosine', 'euclidean') or to not in ('assigned', 'nearest'):
        raise ValueError(f"distance must be 'cosine' or 'euclidean' and to 'assigned' or 'nearest', "
                         f'got {distance!r} and {to!r}')
    require_finite(embed, 'selection by distance')
    label = label.long().to(embed.device)
    centers = centers.to(embed.device).double()
    if distance == 'cosine':
        centers = F.normalize(centers, dim=1)
    parts = []
    for rows, own in zip(embed.split(CHUNK), label.split(CHUNK)):
        rows = F.normalize(rows.double(), dim=1) if distance == 'cosine' else rows.double()
        if to == 'nearest':
            all_far = 1 - rows @ centers.T if distance == 'cosine' else torch.cdist(
                rows, centers, compute_mode='donot_use_mm_for_euclid_dist')
            parts.append(all_far.amin(1) if len(centers) else rows.new_zeros(len(rows)))
            continue
        center = centers[own.clamp(0, len(centers) - 1)] if len(centers) else torch.zeros_like(rows)
        parts.append(1 - (rows * center).sum(1) if distance == 'cosine' else (rows - center).norm(dim=1))
    far = torch.cat(parts) if parts else centers.new_zeros(0)
    return _first_of_each(far, label, len(centers), num_per_cluster(sigma, len(embed), len(centers)))


@torch.no_grad()
def select_by_variance(prob: Tensor, sigma: float) -> Selection:
    """Take the M rows of every arg-max class whose probabilities vary most (ClusMatch Sec. 3.3).

    Args:
        prob: (N, K).
        sigma: Share to select; M = floor(sigma N / K).

    Returns:
        Rows by class, then descending population variance, then index. Edge cases: a class with fewer than M rows
        gives all; equal probabilities count for the first class.

    Raises:
        ValueError: If a probability is not finite.
    """
    require_finite(prob, 'selection by variance')
    size, num_clusters = prob.shape
    if not size or not num_clusters:
        empty = torch.zeros(0, dtype=torch.long, device=prob.device)
        return Selection(empty, empty)
    return _first_of_each(-probability_variance(prob), prob.argmax(1), num_clusters,
                          num_per_cluster(sigma, size, num_clusters))


@torch.no_grad()
def select_at_random(label: Tensor, num_clusters: int, sigma: float, seed: int = 0) -> Selection:
    """Take M rows of every cluster at random, the control of a ranked selection (ClusMatch Table 7).

    Args:
        label: (N,) long, cluster of each row; -1 is never selected.
        num_clusters: K.
        sigma: Share to select; M = floor(sigma N / K).
        seed: Seed of the draw, which depends on nothing else.

    Returns:
        Rows by cluster, in the order in which they were drawn. Edge cases: a cluster with fewer than M rows gives all.
    """
    key = torch.rand(len(label), generator=torch.Generator().manual_seed(seed), dtype=torch.float64).to(label.device)
    return _first_of_each(key, label, num_clusters, num_per_cluster(sigma, len(label), num_clusters))


def probability_variance(prob: Tensor) -> Tensor:
    """Population variance of the probabilities of every row (N, K) -> (N,) float64."""
    return torch.cat([part.double().var(1, correction=0) for part in prob.split(CHUNK)])


def to_target(selection: Selection, num_samples: int) -> Tensor:
    """Spread a selection over the data set.

    Args:
        selection: n rows.
        num_samples: N.

    Returns:
        (N,) long, -1 where nothing was selected.
    """
    target = torch.full((num_samples,), -1, dtype=torch.long, device=selection.index.device)
    target[selection.index] = selection.target
    return target


def draw_per_class(label: Tensor, per_class: int, num_clusters: int, seed: int = 0) -> Tensor:
    """Draw some rows of every class; what is drawn depends on labels and seed alone.

    Args:
        label: (N,) long; -1 is unknown.
        per_class: Rows of each class.
        num_clusters: K.
        seed: Seed of the draw.

    Returns:
        (N,) long, the label of the drawn rows, -1 elsewhere.

    Raises:
        ValueError: If a class has fewer rows.
    """
    generator = torch.Generator().manual_seed(seed)
    order = torch.randperm(len(label), generator=generator)
    place = order[torch.argsort(label.cpu()[order], stable=True)]
    counts = torch.bincount(label.cpu().clamp(min=-1) + 1, minlength=num_clusters + 1)
    if int(counts[1:num_clusters + 1].min()) < per_class:
        few = {k: count for k, count in enumerate(counts[1:].tolist()) if k < num_clusters and count < per_class}
        raise ValueError(f'{per_class} rows of every class are wanted, but these classes have fewer: {few}')
    start = counts.cumsum(0)[:num_clusters]
    chosen = place[(start[:, None] + torch.arange(per_class)).flatten()].to(label.device)
    target = torch.full_like(label, -1)
    target[chosen] = label[chosen]
    return target


def balanced_weights(label: Tensor) -> Tensor:
    """Weights that give every occurring cluster the same chance (ProPos, class-balanced resampling).

    Args:
        label: (N,) long; -1 is unknown.

    Returns:
        (N,) float64, N / size of the row's own cluster; 0 where the label is unknown.
    """
    place = label.long().clamp(min=-1) + 1          # the unknown come first
    counts = torch.bincount(place, minlength=1)
    return torch.where(place > 0, len(place) / counts[place].double(), 0.0)


@torch.no_grad()
def centroid_distances(features: Tensor, centroids: Tensor, chunk: int = CHUNK) -> Tensor:
    """Return Euclidean distances of centroids to samples, in float64.

    Args:
        features: (N, D), of the norm in which they shall be compared.
        centroids: (K, D).
        chunk: Samples that are compared at once.

    Returns:
        (K, N).
    """
    centroids = centroids.to(features.device).double()
    with torch.autocast(features.device.type, enabled=False):
        parts = [torch.cdist(centroids, at_least_float32(part).double(), compute_mode='donot_use_mm_for_euclid_dist')
                 for part in features.split(chunk)]
    return torch.cat(parts, dim=1) if len(features) else centroids.new_zeros(len(centroids), 0)


@torch.no_grad()
def accompanied_prototypes(features: Tensor, centroids: Tensor, per_centroid: int) -> Selection:
    """Choose distinct samples around every centroid.

    Of all pairs of centroid and sample the nearest is taken first, as long as the sample is free and the centroid has
    fewer than ``per_centroid``; so no sample counts twice and each centroid gets its share.

    Args:
        features: (N, D).
        centroids: (K, D).
        per_centroid: n_l / k, samples of each centroid.

    Returns:
        Ascending samples and the centroid of each, K * ``per_centroid`` or, if there are fewer, all. Equal distances go
        to the first centroid, then to the first sample.

    Raises:
        ValueError: If a feature is not finite.
    """
    clusters, rows = len(centroids), len(features)
    require_finite(features, 'prototypes: features')
    far = centroid_distances(features, centroids)
    candidates = min(rows, clusters * per_centroid)         # of which the other centroids can take all but their share
    distance, sample = (part[:, :candidates] for part in far.sort(dim=1, stable=True))
    order = distance.flatten().argsort(stable=True)
    pairs = zip((order // max(candidates, 1)).tolist(), sample.flatten()[order].tolist())
    owner: dict[int, int] = {}
    left = [per_centroid] * clusters
    for centroid, one in pairs:
        if left[centroid] and one not in owner:
            owner[one] = centroid
            left[centroid] -= 1
    index = torch.tensor(sorted(owner), dtype=torch.long, device=features.device)
    target = torch.tensor([owner[one] for one in sorted(owner)], dtype=torch.long, device=features.device)
    return Selection(index, target)
