"""From an image of any size to the pixels that an encoder sees."""
from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image


@dataclass(frozen=True)
class CentreView:
    """The shorter edge is resized, the centre is cut out; both in one step.

    Attributes:
        size: Side of the square that is cut out.
        resize: Length of the shorter edge before that; equal to ``size`` it keeps as much of the image as possible.
        interpolation: Name of a filter of PIL; all of them average when they shrink.
    """
    size: int
    resize: int
    interpolation: str = 'bicubic'

    @property
    def draft_size(self) -> int:
        """The shorter edge that a JPEG must still have when it is decoded at reduced scale.

        Twice what is needed: the filter of the decoder is coarse, and features of what it brings down to the very size
        are off by a cosine of 0.002 on average.
        """
        return 2 * self.resize

    def __call__(self, image: Image.Image) -> np.ndarray:
        """Turn an RGB image into (size, size, 3) uint8."""
        side = min(image.size) * self.size / self.resize
        left, top = ((length - side) / 2 for length in image.size)
        # box: the filter sees no more of the image than it needs, where resize and crop would compute what is cut off
        square = image.resize((self.size, self.size), Image.Resampling[self.interpolation.upper()],
                              box=(left, top, left + side, top + side))
        return np.asarray(square)
