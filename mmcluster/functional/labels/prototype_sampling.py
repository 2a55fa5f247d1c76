"""Prototypes accompanied by neighbours: the images nearest to every centroid (ASD_PS, section III-C)."""
from __future__ import annotations

import torch
from torch import Tensor

from ..finite import require_finite
from ..losses.contrast import at_least_float32
from .select import CHUNK, Selection


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
