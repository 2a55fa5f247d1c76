"""Stretching of numbers to the unit interval."""
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
