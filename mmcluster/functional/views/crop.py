"""Plain crops of batches with one window per row; what lies outside the image is its reflection, or black."""
from __future__ import annotations

from typing import Optional

import torch
from torch import Tensor

from .geometry import Taps, separable_sample


def _positions(start: Tensor, size: int, flip: Optional[Tensor]) -> Tensor:
    """Positions (B, size) on one axis that the window from start (B,) covers, backwards in the rows to mirror."""
    step = torch.arange(size, device=start.device)
    if flip is not None:
        step = torch.where(flip[:, None], size - 1 - step, step)
    return start[:, None] + step


def reflect_taps(start: Tensor, extent: int, size: int, flip: Optional[Tensor] = None) -> Taps:
    """Which pixels a plain crop of an axis reads when the image continues as in a mirror (edge pixel not repeated).

    Args:
        start: (B,) first pixel of the window; may be negative or reach beyond the image by less than its length.
        extent: Length of the image.
        size: Length of the window and of the result.
        flip: (B,) bool, rows whose result is mirrored.

    Returns:
        index (B, size, 1) long and no weight.
    """
    index = _positions(start, size, flip).abs()
    return torch.where(index < extent, index, 2 * (extent - 1) - index)[..., None], None


def zero_taps(start: Tensor, extent: int, size: int, flip: Optional[Tensor] = None) -> Taps:
    """Which pixels a plain crop of an axis reads when the image continues in black.

    Args:
        start: (B,) first pixel of the window, anywhere.
        extent: Length of the image.
        size: Length of the window and of the result.
        flip: (B,) bool, rows whose result is mirrored.

    Returns:
        index (B, size, 1) long and weight (B, size, 1), 0 outside the image.
    """
    index = _positions(start, size, flip)[..., None]
    return index.clamp(0, extent - 1), ((index >= 0) & (index < extent)).float()


# Names as in torchvision.
PADDING_TAPS = dict(reflect=reflect_taps, constant=zero_taps)


def window_crop(x: Tensor, top: Tensor, left: Tensor, size: tuple[int, int], flip: Optional[Tensor] = None,
                padding_mode: str = 'reflect') -> Tensor:
    """Cut one window per row out of the image continued beyond its edges.

    Args:
        x: (B, C, H, W).
        top: (B,) long; from minus the padding to H + padding - h.
        left: (B,) long, likewise.
        size: (h, w) of the window.
        flip: (B,) bool, rows to mirror horizontally.
        padding_mode: ``'reflect'``, for paddings below the shorter side, or ``'constant'`` (black).

    Returns:
        (B, C, h, w).
    """
    taps = PADDING_TAPS[padding_mode]
    return separable_sample(x, taps(top, x.shape[2], size[0]), taps(left, x.shape[3], size[1], flip))
