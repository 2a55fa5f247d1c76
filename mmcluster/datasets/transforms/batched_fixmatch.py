"""Registered operations of the in-memory door that make the strong view of FixMatch."""
from __future__ import annotations

from typing import Sequence

from torch import Tensor

from mmcluster.functional.augment import cutout
from mmcluster.functional.color import LUMA
from mmcluster.functional.randaugment import (CUTOUT_COLOUR, CUTOUT_MAX_SIDE, FIXMATCH_OPS, cutout_box, rand_augment,
                                              strengths)
from mmcluster.functional.rng import Draws
from mmcluster.registry import TRANSFORMS


def channel_colour(colour: Sequence[int], channels: int) -> tuple[int, ...]:
    """Fit a colour to the channels of an image.

    Args:
        colour: Grey levels 0..255, one per channel of RGB.
        channels: C, 3 or 1; grey images take the luminance.

    Returns:
        C grey levels.
    """
    if channels == len(colour):
        return tuple(colour)
    return (round(sum(weight * level for weight, level in zip(LUMA, colour))),)


@TRANSFORMS.register_module()
class BatchFixMatchRandAugment:
    """Apply a few of FixMatch's fourteen operations to every row, drawn with replacement, strengths uniform.

    Args:
        num_ops: How many.
    """

    def __init__(self, num_ops: int = 3) -> None:
        self.num_ops = num_ops

    def __call__(self, x: Tensor, draws: Draws) -> Tensor:
        """Augment x (B, C, H, W) in [0, 1] -> (B, C, H, W); parameters are drawn on the host."""
        choice = (draws.uniform(self.num_ops) * len(FIXMATCH_OPS)).long()
        return rand_augment(x, choice, strengths(choice, draws.uniform(self.num_ops)))


@TRANSFORMS.register_module()
class BatchCutout:
    """Paint a square of random size at a random place.

    Args:
        max_side: The side is uniform between 0 and this share of the width.
        colour: Grey levels of the paint, RGB.
    """

    def __init__(self, max_side: float = CUTOUT_MAX_SIDE, colour: Sequence[int] = CUTOUT_COLOUR) -> None:
        self.max_side = max_side
        self.colour = tuple(colour)

    def __call__(self, x: Tensor, draws: Draws) -> Tensor:
        """Paint x (B, C, H, W) in [0, 1] -> (B, C, H, W)."""
        share = draws.uniform_between(0., self.max_side)
        box = cutout_box(draws.uniform(2), share, x.shape[2], x.shape[3])
        fill = [level / 255 for level in channel_colour(self.colour, x.shape[1])]
        return cutout(x, box.to(x.device, non_blocking=True), fill)
