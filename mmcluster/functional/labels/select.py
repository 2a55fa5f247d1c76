"""Confident rows of a clustering, and prototypes with their neighbours."""
from __future__ import annotations

import functools
import math
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from ..finite import require_finite
from ..losses.contrast import at_least_float32
from ..shards import WHOLE, Shards

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


# Euclidean distances from differences: expanded squares lose their digits near a centre
_differences = functools.partial(torch.cdist, compute_mode='donot_use_mm_for_euclid_dist')


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
                       to: str = 'assigned', shards: Shards = WHOLE) -> Selection:
    """Take the M rows of every cluster that lie nearest to its centre (ClusMatch Sec. 3.3).

    Args:
        embed: (n, D) raw rows.
        label: (n,) long, cluster of each row; -1 is never selected.
        centers: (K, D).
        sigma: Share to select; M = floor(sigma N / K).
        distance: ``'cosine'`` or ``'euclidean'`` (raw rows to raw centres).
        to: ``'assigned'`` measures the distance to the row's own centre, ``'nearest'`` to the nearest of all.
        shards: Who holds the N rows; they exchange a distance and a label for each.

    Returns:
        Rows of all N by cluster, then ascending distance, then index. Edge case: a cluster of fewer than M gives all.

    Raises:
        ValueError: If ``distance`` or ``to`` is unknown, or a row is not finite.
    """
    if distance not in ('cosine', 'euclidean') or to not in ('assigned', 'nearest'):
        raise ValueError(f"distance must be 'cosine' or 'euclidean' and to 'assigned' or 'nearest', "
                         f'got {distance!r} and {to!r}')
    require_finite(embed, 'selection by distance', shards=shards)
    label = label.long().to(embed.device)
    centers = centers.to(embed.device).double()
    if distance == 'cosine':
        centers = F.normalize(centers, dim=1)
    parts = []
    for rows, own in zip(embed.split(CHUNK), label.split(CHUNK)):
        rows = F.normalize(rows.double(), dim=1) if distance == 'cosine' else rows.double()
        if to == 'nearest':
            all_far = 1 - rows @ centers.T if distance == 'cosine' else _differences(rows, centers)
            parts.append(all_far.amin(1) if len(centers) else rows.new_zeros(len(rows)))
            continue
        center = centers[own.clamp(0, len(centers) - 1)] if len(centers) else torch.zeros_like(rows)
        parts.append(1 - (rows * center).sum(1) if distance == 'cosine' else (rows - center).norm(dim=1))
    far, label = shards.gather(torch.cat(parts)), shards.gather(label)
    return _first_of_each(far, label, len(centers), num_per_cluster(sigma, len(label), len(centers)))


@torch.no_grad()
def select_by_variance(prob: Tensor, sigma: float, shards: Shards = WHOLE) -> Selection:
    """Take the M rows of every arg-max class whose probabilities vary most (ClusMatch Sec. 3.3).

    Args:
        prob: (n, K).
        sigma: Share to select; M = floor(sigma N / K).
        shards: Who holds the N rows; they exchange a variance and a class for each.

    Returns:
        Rows of all N by class, then descending population variance, then index. Edge cases: a class of fewer than M
        gives all; equal probabilities count for the first class.

    Raises:
        ValueError: If a probability is not finite.
    """
    require_finite(prob, 'selection by variance', shards=shards)
    size, num_clusters = sum(shards.sizes(len(prob))), prob.shape[1]
    if not size or not num_clusters:
        empty = torch.zeros(0, dtype=torch.long, device=prob.device)
        return Selection(empty, empty)
    variance, label = shards.gather(probability_variance(prob)), shards.gather(prob.argmax(1))
    return _first_of_each(-variance, label, num_clusters, num_per_cluster(sigma, size, num_clusters))


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
    parts = [part.double().var(1, correction=0) for part in prob.split(CHUNK) if len(part)]
    return torch.cat(parts) if parts else prob.new_zeros(0, dtype=torch.float64)


def to_target(selection: Selection, num_samples: int, shards: Shards = WHOLE) -> Tensor:
    """Spread a selection of N rows over the data set.

    Args:
        selection: Selected rows, of all N.
        num_samples: n, the rows of this holder.
        shards: Who holds the N rows.

    Returns:
        (n,) long, -1 where nothing was selected.
    """
    start = shards.start(num_samples)
    target = torch.full((sum(shards.sizes(num_samples)),), -1, dtype=torch.long, device=selection.index.device)
    target[selection.index] = selection.target
    return target[start:start + num_samples]


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
    order = torch.randperm(len(label), generator=torch.Generator().manual_seed(seed))
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
        parts = [_differences(centroids, at_least_float32(part).double()) for part in features.split(chunk)]
    return torch.cat(parts, 1)


@torch.no_grad()
def accompanied_prototypes(features: Tensor, centroids: Tensor, per_centroid: int,
                           shards: Shards = WHOLE) -> Selection:
    """Choose distinct samples around every centroid.

    Of all pairs of centroid and sample the nearest is taken first, as long as the sample is free and the centroid has
    fewer than ``per_centroid``; no sample counts twice.

    Args:
        features: (n, D).
        centroids: (K, D).
        per_centroid: n_l / k, samples of each centroid.
        shards: Who holds the N rows; of each they exchange those nearest to every centroid.

    Returns:
        Ascending samples of all N and the centroid of each, K * ``per_centroid`` or, if there are fewer, all. Equal
        distances go to the first centroid, then to the first sample.

    Raises:
        ValueError: If a feature is not finite.
    """
    clusters, rows = len(centroids), sum(shards.sizes(len(features)))
    require_finite(features, 'prototypes: features', shards=shards)
    candidates = min(rows, clusters * per_centroid)         # of which the other centroids can take all but their share
    distance, sample = (part[:, :candidates] for part in centroid_distances(features, centroids).sort(stable=True))
    distance, sample = (shards.gather(part.T).T for part in (distance, sample + shards.start(len(features))))
    distance, place = (part[:, :candidates] for part in distance.sort(dim=1, stable=True))
    sample = sample.gather(1, place)
    order = distance.flatten().argsort(stable=True)
    pairs = zip((order // max(candidates, 1)).tolist(), sample.flatten()[order].tolist())
    owner: dict[int, int] = {}
    left = [per_centroid] * clusters
    for centroid, one in pairs:
        if left[centroid] and one not in owner:
            owner[one] = centroid
            left[centroid] -= 1
    chosen = torch.tensor(sorted(owner.items()), dtype=torch.long, device=features.device).view(-1, 2)
    return Selection(chosen[:, 0], chosen[:, 1])
