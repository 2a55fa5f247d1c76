"""Scales: numbers stretched to the unit interval, weights of a length of their own."""
from __future__ import annotations

from typing import Optional

import torch
from torch import Tensor

from .losses.contrast import at_least_float32


def min_max(x: Tensor, dim: Optional[int] = None) -> Tensor:
    """Stretch numbers so that the least becomes 0 and the largest 1.

    Args:
        x: Any shape.
        dim: Stretch along this dimension; ``None``: over all entries.

    Returns:
        Same shape. Edge cases: zeros where all numbers are equal.
    """
    x = at_least_float32(x)
    if not x.numel():
        return x
    low, high = (x.amin(), x.amax()) if dim is None else (x.amin(dim, keepdim=True), x.amax(dim, keepdim=True))
    span = high - low
    return (x - low) / span.where(span > 0, torch.ones_like(span))


def weight_normalised(gain: Tensor, direction: Tensor) -> Tensor:
    """Weights whose length is a parameter of its own, ``g v / |v|`` row by row (Salimans and Kingma, 2016).

    Args:
        gain: (..., K) lengths g.
        direction: (..., K, D) v.

    Returns:
        (..., K, D). Edge cases: a direction of length 0 gives zeros.
    """
    return gain[..., None] * direction / direction.norm(dim=-1, keepdim=True).clamp_min(1e-12)
