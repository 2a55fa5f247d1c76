"""Registered transforms of the worker door that mmpretrain and torchvision lack.

The image is ``results['img']``, a PIL image of mode RGB or L, so ``torchvision/<Name>`` wrappers mix freely with these
(``torchvision/Resize``, ``torchvision/RandomCrop`` with ``padding_mode='reflect'``, ``torchvision/ColorJitter`` inside
mmcv's ``RandomApply`` ...).
Random numbers come from Python's ``random``, which the data set seeds for every sample and view.
"""
from __future__ import annotations

import math
import random
from typing import Callable, Sequence

from mmcv.transforms import BaseTransform
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter, ImageOps

from mmcluster.checks import require_count, require_not_negative
from mmcluster.functional.views.randaugment import CUTOUT_COLOR, CUTOUT_MAX_SIDE, FIXMATCH_OPS, SCAN_OPS
from mmcluster.registry import TRANSFORMS

from .batched_strong import channel_color, whole_side


def _affine(image: Image.Image, *coefficients: float) -> Image.Image:
    """Read every pixel at an affine image of its centre, nearest pixel, black outside."""
    return image.transform(image.size, Image.Transform.AFFINE, coefficients, Image.Resampling.NEAREST)


PIL_OPS: dict[str, Callable[[Image.Image, float], Image.Image]] = dict(
    AutoContrast=lambda image, _: ImageOps.autocontrast(image),
    Brightness=lambda image, factor: ImageEnhance.Brightness(image).enhance(factor),
    Color=lambda image, factor: ImageEnhance.Color(image).enhance(factor),
    Contrast=lambda image, factor: ImageEnhance.Contrast(image).enhance(factor),
    Equalize=lambda image, _: ImageOps.equalize(image),
    Identity=lambda image, _: image,
    Posterize=lambda image, bits: ImageOps.posterize(image, int(bits)),
    Rotate=lambda image, degrees: image.rotate(degrees, Image.Resampling.NEAREST),
    Sharpness=lambda image, factor: ImageEnhance.Sharpness(image).enhance(factor),
    ShearX=lambda image, slope: _affine(image, 1, slope, 0, 0, 1, 0),
    ShearY=lambda image, slope: _affine(image, 1, 0, 0, slope, 1, 0),
    Solarize=lambda image, threshold: ImageOps.solarize(image, math.ceil(threshold)),   # i < 2.5 where i < 3
    TranslateX=lambda image, share: _affine(image, 1, 0, share * image.width, 0, 1, 0),
    TranslateY=lambda image, share: _affine(image, 1, 0, 0, 0, 1, share * image.height))


@TRANSFORMS.register_module()
class FixMatchRandAugment(BaseTransform):
    """Apply a few of FixMatch's fourteen operations, drawn with replacement, strengths uniform.

    Args:
        num_ops: How many.
    """

    table = FIXMATCH_OPS

    def __init__(self, num_ops: int = 3) -> None:
        require_count('FixMatchRandAugment', num_ops=num_ops)
        self.num_ops = num_ops

    def transform(self, results: dict) -> dict:
        """Augment one image.

        Args:
            results: Holds the PIL image ``img``.

        Returns:
            The same dictionary with a new ``img`` of equal size and mode.
        """
        image = results['img']
        for name in random.choices(tuple(self.table), k=self.num_ops):
            image = PIL_OPS[name](image, random.uniform(*self.table[name]))
        results['img'] = image
        return results


@TRANSFORMS.register_module()
class SCANAugment(FixMatchRandAugment):
    """The same fourteen operations in the ranges of SCAN, which SPICE's clustering stage shares.

    Args:
        num_ops: How many.
    """

    table = SCAN_OPS

    def __init__(self, num_ops: int = 4) -> None:
        require_count('SCANAugment', num_ops=num_ops)
        super().__init__(num_ops)


def _paint(image: Image.Image, box: tuple[int, int, int, int], color: Sequence[float]) -> Image.Image:
    """Paint a box (left, top, right, bottom, ends included) into a copy of the image."""
    image = image.copy()
    fill = tuple(round(level) for level in channel_color(color, len(image.getbands())))
    ImageDraw.Draw(image).rectangle(box, fill if len(fill) > 1 else fill[0])
    return image


@TRANSFORMS.register_module()
class FixMatchCutout(BaseTransform):
    """Paint a square of random size around a random point.

    Args:
        max_side: The side is uniform between 0 and this share of the width.
        color: Grey levels of the paint, RGB; grey images take its luminance.
    """

    def __init__(self, max_side: float = CUTOUT_MAX_SIDE, color: Sequence[int] = CUTOUT_COLOR) -> None:
        require_not_negative('FixMatchCutout', max_side=max_side)
        self.max_side = max_side
        self.color = tuple(color)

    def transform(self, results: dict) -> dict:
        """Paint one image.

        Args:
            results: Holds the PIL image ``img``.

        Returns:
            The same dictionary with a new ``img`` of equal size and mode.
        """
        width, height = results['img'].size
        side = random.uniform(0, self.max_side) * width
        left = int(max(0, random.uniform(0, width) - side / 2))
        top = int(max(0, random.uniform(0, height) - side / 2))
        box = (left, top, int(min(width, left + side)), int(min(height, top + side)))
        results['img'] = _paint(results['img'], box, self.color)
        return results


@TRANSFORMS.register_module()
class SquareCutout(BaseTransform):
    """Paint a square of a whole number of pixels around a random pixel, as SCAN and SPICE do.

    Args:
        max_side: The side is one of 1, 2, ..., max_side pixels, each equally often; edges of the image cut it short.
        color: Grey levels of the paint, one per channel or RGB, rounded; usually the mean of ``data_preprocessor``.
    """

    def __init__(self, max_side: int, color: Sequence[float]) -> None:
        self.max_side = whole_side(max_side)
        self.color = tuple(color)

    def transform(self, results: dict) -> dict:
        """Paint one image.

        Args:
            results: Holds the PIL image ``img``.

        Returns:
            The same dictionary with a new ``img`` of equal size and mode.
        """
        side = random.randint(1, self.max_side)
        width, height = results['img'].size
        left, top = random.randrange(width) - side // 2, random.randrange(height) - side // 2
        results['img'] = _paint(results['img'], (left, top, left + side - 1, top + side - 1), self.color)
        return results


@TRANSFORMS.register_module()
class PILGaussianBlur(BaseTransform):
    """Blur an image as Pillow does: three box filters, whose standard deviation is the radius.

    Args:
        radius: Range in pixels, from which the radius is drawn uniformly.
        prob: Share of the images that are blurred.
    """

    def __init__(self, radius: tuple[float, float] = (0.1, 2.), prob: float = 1.) -> None:
        if not 0 <= radius[0] <= radius[1] or not 0 <= prob <= 1:
            raise ValueError(f'PILGaussianBlur needs 0 <= radius[0] <= radius[1] and prob in [0, 1], got {radius} and '
                             f'{prob}')
        self.radius = tuple(radius)
        self.prob = prob

    def transform(self, results: dict) -> dict:
        """Blur one image.

        Args:
            results: Holds the PIL image ``img``.

        Returns:
            The same dictionary with a new ``img`` of equal size and mode.
        """
        radius = random.uniform(*self.radius)
        if random.random() < self.prob:
            results['img'] = results['img'].filter(ImageFilter.GaussianBlur(radius))
        return results
