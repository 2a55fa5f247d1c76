"""A few small images in the place of a data set, for a trial of a config."""
from __future__ import annotations

import numpy as np
from PIL import Image

from mmcluster.registry import DATASETS

from .sources import ArraySource


@DATASETS.register_module()
class TrialSource(ArraySource):
    """Handwritten digits of some classes, enlarged and coloured: they stand for any images while a config is tried.

    Args:
        num_classes: At most 10.
        num_rows: Images, as many of each class as can be.
        size: Height and width.
        channels: 1 or 3.
    """

    def __init__(self, num_classes: int = 4, num_rows: int = 160, size: int = 32, channels: int = 3) -> None:
        from sklearn.datasets import load_digits
        digits = load_digits()
        rows = np.flatnonzero(digits.target < num_classes)[:num_rows]
        pixels = np.rint(digits.images[rows] * (255 / 16)).astype(np.uint8)
        images = np.stack([np.asarray(Image.fromarray(one).resize((size, size), Image.Resampling.BILINEAR))
                           for one in pixels])[..., None]
        if channels == 3:       # a colour that tells nothing of the class
            images = (images * np.array([1., 0.8, 0.6])).astype(np.uint8)
        super().__init__(images, digits.target[rows], [str(digit) for digit in range(num_classes)], 'trial')
        half = len(rows) // 2
        self.splits = dict(train=range(half), test=range(half, len(rows)))
