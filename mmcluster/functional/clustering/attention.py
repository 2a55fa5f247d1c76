"""What a cluster's prototype looks at, and the samples that stand for it."""
from __future__ import annotations

import torch
from torch import Tensor

from ..losses.contrast import at_least_float32, unit_rows

FLAT = 16                       # a map whose range is below this many roundings of its values is flat


@torch.no_grad()
def prototype_maps(centers: Tensor, conv_map: Tensor, metric: str = 'cosine') -> Tensor:
    """Return how similar every place of a feature map is to each prototype (SPICE section IV-F, Fig. 5).

    Args:
        centers: (K, D) prototypes.
        conv_map: (D, h, w) last feature map of one image, before pooling.
        metric: ``'cosine'`` (the paper), or ``'dot'`` (authors' release).

    Returns:
        (K, h, w), the map of each prototype stretched to [0, 1]. Edge cases: a flat map is 0.

    Raises:
        ValueError: If ``metric`` is unknown.
    """
    if metric not in ('cosine', 'dot'):
        raise ValueError(f"metric must be 'cosine' or 'dot', got {metric!r}.")
    cells = conv_map.flatten(1).t()
    centers, cells = (unit_rows(x) if metric == 'cosine' else at_least_float32(x) for x in (centers, cells))
    with torch.autocast(cells.device.type, enabled=False):
        score = centers @ cells.t()
    low, high = score.amin(dim=1, keepdim=True), score.amax(dim=1, keepdim=True)
    span = high - low
    noise = FLAT * torch.finfo(score.dtype).eps * score.abs().amax(dim=1, keepdim=True)
    stretched = torch.where(span > noise, (score - low) / span.where(span > 0, torch.ones_like(span)), 0)
    return stretched.view(-1, *conv_map.shape[1:])


@torch.no_grad()
def prototype_indices(centers: Tensor, feats: Tensor, count: int) -> Tensor:
    """Return the samples with the largest dot product with each prototype (SPICE Fig. 5).

    Args:
        centers: (K, D) prototypes.
        feats: (N, D) features, of the norm in which they shall be compared.
        count: Samples for each prototype.

    Returns:
        (K, min(count, N)) long by descending similarity, equal ones in the order of the rows.
    """
    with torch.autocast(feats.device.type, enabled=False):
        score = at_least_float32(centers) @ at_least_float32(feats).t()
    return score.argsort(dim=1, descending=True, stable=True)[:, :count]
