"""Registered transforms of the worker door that mmpretrain and torchvision lack.

The image is ``results['img']``, a PIL image of mode RGB or L, so ``torchvision/<Name>`` wrappers mix freely with these
(``torchvision/Resize``, ``torchvision/RandomCrop`` with ``padding_mode='reflect'``, ``torchvision/ColorJitter`` inside
mmcv's ``RandomApply`` ...).
Random numbers come from Python's ``random``, which the data set seeds for every sample and view.
"""
from __future__ import annotations

import random
from typing import Callable, Sequence

from mmcv.transforms import BaseTransform
from PIL import Image, ImageDraw, ImageEnhance, ImageOps

from mmcluster.functional.randaugment import CUTOUT_COLOUR, CUTOUT_MAX_SIDE, FIXMATCH_OPS
from mmcluster.registry import TRANSFORMS

from .batched_fixmatch import channel_colour


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
    Solarize=lambda image, threshold: ImageOps.solarize(image, threshold),
    TranslateX=lambda image, share: _affine(image, 1, 0, share * image.width, 0, 1, 0),
    TranslateY=lambda image, share: _affine(image, 1, 0, 0, 0, 1, share * image.height))


@TRANSFORMS.register_module()
class FixMatchRandAugment(BaseTransform):
    """Apply a few of FixMatch's fourteen operations, drawn with replacement, strengths uniform.

    Args:
        num_ops: How many.
    """

    def __init__(self, num_ops: int = 3) -> None:
        self.num_ops = num_ops

    def transform(self, results: dict) -> dict:
        """Augment one image.

        Args:
            results: Holds the PIL image ``img``.

        Returns:
            The same dictionary with a new ``img`` of equal size and mode.
        """
        image = results['img']
        for name in random.choices(tuple(FIXMATCH_OPS), k=self.num_ops):
            image = PIL_OPS[name](image, random.uniform(*FIXMATCH_OPS[name]))
        results['img'] = image
        return results


@TRANSFORMS.register_module()
class FixMatchCutout(BaseTransform):
    """Paint a square of random size around a random point.

    Args:
        max_side: The side is uniform between 0 and this share of the width.
        colour: Grey levels of the paint, RGB; grey images take its luminance.
    """

    def __init__(self, max_side: float = CUTOUT_MAX_SIDE, colour: Sequence[int] = CUTOUT_COLOUR) -> None:
        self.max_side = max_side
        self.colour = tuple(colour)

    def transform(self, results: dict) -> dict:
        """Paint one image.

        Args:
            results: Holds the PIL image ``img``.

        Returns:
            The same dictionary with a new ``img`` of equal size and mode.
        """
        image = results['img'].copy()
        width, height = image.size
        side = random.uniform(0, self.max_side) * width
        left = int(max(0, random.uniform(0, width) - side / 2))
        top = int(max(0, random.uniform(0, height) - side / 2))
        box = (left, top, int(min(width, left + side)), int(min(height, top + side)))
        fill = channel_colour(self.colour, len(image.getbands()))
        ImageDraw.Draw(image).rectangle(box, fill if len(fill) > 1 else fill[0])
        results['img'] = image
        return results
