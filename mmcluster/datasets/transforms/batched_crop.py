"""Registered operations of the in-memory door that cut and resize; ``batched`` says how they are called."""
from __future__ import annotations

import math
from typing import Sequence

import torch
from torch import Tensor

from mmcluster.checks import require_choice, require_count, require_positive, require_share
from mmcluster.functional.rng import Draws
from mmcluster.functional.views.augment import crop_boxes
from mmcluster.functional.views.crop import PADDING_TAPS, window_crop
from mmcluster.functional.views.geometry import SUPPORT, resized_crop
from mmcluster.registry import TRANSFORMS

PROPOSALS = 10      # of a random resized crop before it gives up, as in torchvision


def to_pair(size: int | Sequence[int]) -> tuple[int, int]:
    """Read a size.

    Args:
        size: One side of a square, or (height, width).

    Returns:
        (height, width).
    """
    return (size, size) if isinstance(size, int) else (int(size[0]), int(size[1]))


def send(value: Tensor, x: Tensor) -> Tensor:
    """Copy host parameters (B, ...) to the device of x (B, C, H, W) without waiting for it."""
    return value.to(x.device, non_blocking=True)


def _limits(**given: Sequence[float]) -> tuple[float, float]:
    """Read an argument that is a range of positive numbers."""
    (name, (low, high)), = given.items()
    require_positive('BatchRandomResizedCrop', **{name: low})
    if not low <= high:
        raise ValueError(f'BatchRandomResizedCrop: {name} must go from the smaller to the larger number, got '
                         f'{(low, high)}')
    return low, high


@TRANSFORMS.register_module()
class BatchRandomResizedCrop:
    """Cut a random box, resize it, and mirror some rows in the same pass (torchvision's distribution of boxes).

    Args:
        size: Side or (height, width) of the result.
        scale: Limits of the share of the area.
        ratio: Limits of width / height; its logarithm is uniform.
        flip_prob: Probability of a horizontal mirror image; cheaper here than in an operation of its own.
        interpolation: ``'bilinear'`` or ``'bicubic'``, antialiased as in Pillow.
    """

    def __init__(self, size: int | Sequence[int], scale: Sequence[float] = (0.08, 1.),
                 ratio: Sequence[float] = (3 / 4, 4 / 3), flip_prob: float = 0.,
                 interpolation: str = 'bilinear') -> None:
        require_share('BatchRandomResizedCrop', flip_prob=flip_prob)
        require_choice('BatchRandomResizedCrop', SUPPORT, interpolation=interpolation)
        self.size = to_pair(size)
        self.scale, self.ratio = _limits(scale=scale), _limits(ratio=ratio)
        self.flip_prob = flip_prob
        self.interpolation = interpolation

    def __call__(self, x: Tensor, draws: Draws) -> Tensor:
        """Crop x (B, C, H, W) -> (B, C, h, w)."""
        area = draws.uniform(PROPOSALS) * (self.scale[1] - self.scale[0]) + self.scale[0]
        low, high = math.log(self.ratio[0]), math.log(self.ratio[1])
        log_ratio = draws.uniform(PROPOSALS) * (high - low) + low
        box = crop_boxes(area, log_ratio, draws.uniform(2), x.shape[2], x.shape[3], self.ratio)
        flip = draws.bernoulli(self.flip_prob)
        return resized_crop(x, send(box, x), self.size, send(flip, x), self.interpolation)


@TRANSFORMS.register_module()
class BatchRandomCrop:
    """Cut a window at a random place of the image continued beyond its edges.

    Args:
        size: Side or (height, width) of the window.
        padding: Pixels added at every side; less than the shorter side of the image.
        flip_prob: Probability of a horizontal mirror image.
        padding_mode: ``'reflect'``, or ``'constant'`` for black.
    """

    def __init__(self, size: int | Sequence[int], padding: int = 0, flip_prob: float = 0.,
                 padding_mode: str = 'reflect') -> None:
        require_count('BatchRandomCrop', least=0, padding=padding)
        require_share('BatchRandomCrop', flip_prob=flip_prob)
        if padding_mode not in PADDING_TAPS:
            raise ValueError(f'padding_mode must be one of {list(PADDING_TAPS)}, got {padding_mode!r}')
        self.size = to_pair(size)
        self.padding = padding
        self.flip_prob = flip_prob
        self.padding_mode = padding_mode

    def __call__(self, x: Tensor, draws: Draws) -> Tensor:
        """Crop x (B, C, H, W) -> (B, C, h, w)."""
        spare = [side + 2 * self.padding - size for side, size in zip(x.shape[2:], self.size)]
        if min(spare) < 0 or self.padding >= min(x.shape[2:]):
            raise ValueError(f'cannot cut {self.size} out of images of {tuple(x.shape[2:])} with padding '
                             f'{self.padding}; the window must fit and the padding must be less than a side')
        top, left = (draws.integers(room + 1) - self.padding for room in spare)
        flip = draws.bernoulli(self.flip_prob)
        return window_crop(x, send(top, x), send(left, x), self.size, send(flip, x), self.padding_mode)


@TRANSFORMS.register_module()
class BatchResize:
    """Resize to a fixed size, ignoring the aspect; images of that size pass unchanged.

    Args:
        size: Side or (height, width) of the result.
        interpolation: ``'bilinear'`` (torchvision's default) or ``'bicubic'`` (Pillow's).
    """

    def __init__(self, size: int | Sequence[int], interpolation: str = 'bilinear') -> None:
        require_choice('BatchResize', SUPPORT, interpolation=interpolation)
        self.size = to_pair(size)
        self.interpolation = interpolation

    def __call__(self, x: Tensor, draws: Draws) -> Tensor:
        """Resize x (B, C, H, W) -> (B, C, h, w); draws nothing."""
        if tuple(x.shape[2:]) == self.size:
            return x
        box = torch.tensor([[0, 0, x.shape[2], x.shape[3]]]).expand(len(x), -1)
        return resized_crop(x, send(box, x), self.size, interpolation=self.interpolation)


@TRANSFORMS.register_module()
class BatchCenterCrop:
    """Cut the middle out.

    Args:
        size: Side or (height, width) of the result.
    """

    def __init__(self, size: int | Sequence[int]) -> None:
        self.size = to_pair(size)

    def __call__(self, x: Tensor, draws: Draws) -> Tensor:
        """Cut x (B, C, H, W) -> (B, C, h, w); draws nothing.

        Raises:
            ValueError: If the images are smaller.
        """
        height, width = self.size
        over = [side - own for side, own in zip(x.shape[2:], self.size)]
        if min(over) < 0:
            raise ValueError(f'cannot cut {self.size} out of images of {tuple(x.shape[2:])}; enlarge them first by '
                             f'BatchResize')
        top, left = (round(pixels / 2) for pixels in over)      # as torchvision rounds
        return x[:, :, top:top + height, left:left + width]
