"""Registered operations of the in-memory door that make the strong views of FixMatch and SCAN."""
from __future__ import annotations

from typing import Sequence

import torch
from torch import Tensor

from mmcluster.checks import require_count, require_not_negative
from mmcluster.functional.rng import Draws
from mmcluster.functional.views.augment import cutout
from mmcluster.functional.views.color import LUMA
from mmcluster.functional.views.randaugment import (CUTOUT_COLOR, CUTOUT_MAX_SIDE, FIXMATCH_OPS, SCAN_OPS, cutout_box,
                                                    rand_augment, square_box, strengths)
from mmcluster.registry import TRANSFORMS

from .batched_crop import send


def channel_color(color: Sequence[float], channels: int) -> tuple[float, ...]:
    """Fit a colour to the channels of an image.

    Args:
        color: Grey levels 0..255, one per channel; or of RGB, from which grey images take the luminance.
        channels: C.

    Returns:
        C grey levels.
    """
    if channels == len(color):
        return tuple(color)
    if channels != 1 or len(color) != len(LUMA):
        raise ValueError(f'the colour {tuple(color)} does not fit images of {channels} channels')
    return (round(sum(weight * level for weight, level in zip(LUMA, color))),)


def whole_side(side: int) -> int:
    """Check the largest side of a square in pixels, which is easily mistaken for a share of the width.

    Args:
        side: A whole number, at least 1.

    Returns:
        The same.
    """
    if not isinstance(side, int) or side < 1:
        raise ValueError(f'max_side is a whole number of pixels, at least 1, got {side}')
    return side


def _paint(x: Tensor, box: Tensor, color: Sequence[float]) -> Tensor:
    """Paint boxes (B, 4) of the host into x (B, C, H, W) in [0, 1], in grey levels of RGB or of the channels."""
    return cutout(x, send(box, x), [level / 255 for level in channel_color(color, x.shape[1])])


@TRANSFORMS.register_module()
class BatchFixMatchRandAugment:
    """Apply a few of FixMatch's fourteen operations to every row, drawn with replacement, strengths uniform.

    Args:
        num_ops: How many.
    """

    table = FIXMATCH_OPS

    def __init__(self, num_ops: int = 3) -> None:
        require_count('BatchFixMatchRandAugment', num_ops=num_ops)
        self.num_ops = num_ops

    def __call__(self, x: Tensor, draws: Draws) -> Tensor:
        """Augment x (B, C, H, W) in [0, 1] -> (B, C, H, W); parameters are drawn on the host."""
        choice = (draws.uniform(self.num_ops) * len(self.table)).long()
        return rand_augment(x, choice, strengths(choice, draws.uniform(self.num_ops), self.table))


@TRANSFORMS.register_module()
class BatchSCANAugment(BatchFixMatchRandAugment):
    """The same fourteen operations in the ranges of SCAN, which SPICE's clustering stage shares.

    Args:
        num_ops: How many.
    """

    table = SCAN_OPS

    def __init__(self, num_ops: int = 4) -> None:
        require_count('BatchSCANAugment', num_ops=num_ops)
        super().__init__(num_ops)


@TRANSFORMS.register_module()
class BatchCutout:
    """Paint a square of random size at a random place.

    Args:
        max_side: The side is uniform between 0 and this share of the width.
        color: Grey levels of the paint, RGB.
    """

    def __init__(self, max_side: float = CUTOUT_MAX_SIDE, color: Sequence[float] = CUTOUT_COLOR) -> None:
        require_not_negative('BatchCutout', max_side=max_side)
        self.max_side = max_side
        self.color = tuple(color)

    def __call__(self, x: Tensor, draws: Draws) -> Tensor:
        """Paint x (B, C, H, W) in [0, 1] -> (B, C, H, W)."""
        share = draws.uniform_between(0., self.max_side)
        return _paint(x, cutout_box(draws.uniform(2), share, x.shape[2], x.shape[3]), self.color)


@TRANSFORMS.register_module()
class BatchSquareCutout:
    """Paint a square of a whole number of pixels around a random pixel, as SCAN and SPICE do.

    They paint zeros after normalisation; that is the mean of ``data_preprocessor`` before it.

    Args:
        max_side: The side is one of 1, 2, ..., max_side pixels, each equally often; edges of the image cut it short.
        color: Grey levels of the paint, one per channel or RGB; usually the mean of ``data_preprocessor``.
    """

    def __init__(self, max_side: int, color: Sequence[float]) -> None:
        self.max_side = whole_side(max_side)
        self.color = tuple(color)

    def __call__(self, x: Tensor, draws: Draws) -> Tensor:
        """Paint x (B, C, H, W) in [0, 1] -> (B, C, H, W)."""
        side = draws.integers(self.max_side) + 1
        centre = torch.stack([draws.integers(extent) for extent in x.shape[2:]], 1)
        return _paint(x, square_box(centre, side), self.color)
