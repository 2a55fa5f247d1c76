"""Registered operations of the in-memory door: whole batches, parameters of its own for every row.

Each object is called as ``op(x, draws)`` with x float (B, C, H, W) in [0, 1] on any device and the row streams
``Draws``, on the host. It draws its parameters, always the same number of them, and hands them to a pure function; so
a view depends on (draw, index, view) alone, and no size has to be fetched from an accelerator. ``batched_crop`` cuts
and resizes, ``batched_strong`` has the strong views of FixMatch and SCAN.
"""
from __future__ import annotations

from typing import Sequence

import torch
from torch import Tensor

from mmcluster.checks import require_count, require_not_negative, require_share
from mmcluster.functional.rng import Draws
from mmcluster.functional.views.augment import apply_where, color_jitter, gaussian_blur
from mmcluster.functional.views.color import grayscale, solarize
from mmcluster.functional.views.geometry import affine, affine_matrix
from mmcluster.registry import TRANSFORMS

from .batched_crop import send


@TRANSFORMS.register_module()
class BatchFlip:
    """Mirror horizontally.

    Args:
        prob: Probability.
    """

    def __init__(self, prob: float = 0.5) -> None:
        require_share('BatchFlip', prob=prob)
        self.prob = prob

    def __call__(self, x: Tensor, draws: Draws) -> Tensor:
        """Flip x (B, C, H, W) -> (B, C, H, W)."""
        flip = draws.bernoulli(self.prob)
        return apply_where(x, flip, lambda part, _: part.flip(-1), flip)


@TRANSFORMS.register_module()
class BatchAffine:
    """Rotate, scale, shear and shift about the centre, black outside (torchvision's distribution and geometry).

    Args:
        degrees: Largest angle; uniform on both sides.
        translate: Largest shift as shares of width and height; whole pixels.
        scale: Limits of the scale.
        shear: Largest horizontal and largest vertical shear in degrees, either way (torchvision's ``(-a, a, -b, b)``).
    """

    def __init__(self, degrees: float = 0., translate: Sequence[float] = (0., 0.), scale: Sequence[float] = (1., 1.),
                 shear: Sequence[float] = (0., 0.)) -> None:
        require_not_negative('BatchAffine', degrees=degrees, translate=min(translate), shear=min(shear))
        self.degrees = degrees
        self.translate, self.scale, self.shear = tuple(translate), tuple(scale), tuple(shear)

    def __call__(self, x: Tensor, draws: Draws) -> Tensor:
        """Map x (B, C, H, W) -> (B, C, H, W)."""
        height, width = x.shape[2:]
        angle = draws.uniform_between(-self.degrees, self.degrees)
        reach = torch.tensor([self.translate[0] * width, self.translate[1] * height])
        shift = ((draws.uniform(2) * 2 - 1) * reach).round()
        scale = draws.uniform_between(*self.scale)
        # of which sign the first is changes nothing but which draw leans which way
        shear = (draws.uniform(2) * 2 - 1) * torch.tensor((-self.shear[0], self.shear[1]))
        matrix = affine_matrix(angle, shift, scale, shear, height, width)
        return affine(x, send(matrix, x), 'bilinear')


@TRANSFORMS.register_module()
class BatchColorJitter:
    """Jitter brightness, contrast, saturation and hue in random order; grey images ignore the last two.

    Args:
        brightness: b; the factor is uniform in [max(0, 1 - b), 1 + b].
        contrast: Likewise.
        saturation: Likewise.
        hue: h <= 0.5; the shift is uniform in [-h, h] turns.
        prob: Probability that a row is jittered at all.
    """

    def __init__(self, brightness: float = 0., contrast: float = 0., saturation: float = 0., hue: float = 0.,
                 prob: float = 1.) -> None:
        require_not_negative('BatchColorJitter',
                             brightness=brightness, contrast=contrast, saturation=saturation, hue=hue)
        require_share('BatchColorJitter', prob=prob)
        if not 0 <= hue <= 0.5:
            raise ValueError(f'hue is a share of a turn and must lie in [0, 0.5], got {hue}')
        self.limits = [(max(0., 1 - s), 1 + s) for s in (brightness, contrast, saturation)] + [(-hue, hue)]
        self.prob = prob

    def __call__(self, x: Tensor, draws: Draws) -> Tensor:
        """Jitter x (B, C, H, W) -> (B, C, H, W)."""
        applied = draws.bernoulli(self.prob)
        order = draws.permutation(4)
        factors = torch.stack([draws.uniform_between(*limit) for limit in self.limits], 1)
        return color_jitter(x, order, factors, applied)


@TRANSFORMS.register_module()
class BatchGrayscale:
    """Replace the channels by their luminance.

    Args:
        prob: Probability.
    """

    def __init__(self, prob: float = 0.2) -> None:
        require_share('BatchGrayscale', prob=prob)
        self.prob = prob

    def __call__(self, x: Tensor, draws: Draws) -> Tensor:
        """Grey x (B, C, H, W) -> (B, C, H, W)."""
        applied = draws.bernoulli(self.prob)
        return apply_where(x, applied, lambda part, _: grayscale(part), applied)


@TRANSFORMS.register_module()
class BatchGaussianBlur:
    """Blur with a random width.

    Args:
        kernel: Odd number of taps, at most twice the shorter side minus one.
        sigma: Limits of the standard deviation in pixels.
        prob: Probability.
    """

    def __init__(self, kernel: int = 23, sigma: Sequence[float] = (0.1, 2.), prob: float = 0.5) -> None:
        require_count('BatchGaussianBlur', kernel=kernel)
        require_share('BatchGaussianBlur', prob=prob)
        if kernel % 2 == 0:
            raise ValueError(f'kernel must be odd, got {kernel}')
        self.kernel = kernel
        self.sigma = tuple(sigma)
        self.prob = prob

    def __call__(self, x: Tensor, draws: Draws) -> Tensor:
        """Blur x (B, C, H, W) -> (B, C, H, W)."""
        applied = draws.bernoulli(self.prob)
        sigma = draws.uniform_between(*self.sigma)
        return apply_where(x, applied, lambda part, value: gaussian_blur(part, value, self.kernel), sigma)


@TRANSFORMS.register_module()
class BatchSolarize:
    """Invert the values at or above a threshold.

    Args:
        threshold: In grey levels, 0 to 256.
        prob: Probability.
    """

    def __init__(self, threshold: float = 128., prob: float = 0.2) -> None:
        require_not_negative('BatchSolarize', threshold=threshold)
        require_share('BatchSolarize', prob=prob)
        self.threshold = threshold
        self.prob = prob

    def __call__(self, x: Tensor, draws: Draws) -> Tensor:
        """Solarize x (B, C, H, W) -> (B, C, H, W)."""
        applied = draws.bernoulli(self.prob)
        return apply_where(x, applied, solarize, torch.full((len(x),), self.threshold))
