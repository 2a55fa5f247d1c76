"""Gray images of more than eight bits."""
from __future__ import annotations

from typing import Any, Mapping

import numpy as np
from PIL import Image

BITS, PHOTOMETRIC = 258, 262        # tags of a TIFF
_WHITE_IS_ZERO = 0


def gray_of_8_bits(image: Image.Image, tags: Mapping[int, Any]) -> Image.Image:
    """Map the values of an image linearly to 0..255.

    Args:
        image: Of a mode that begins with ``I``.
        tags: Of its TIFF, empty for other files. They say of how many bits the values are, 16 where they do not, and
            whether 0 is white, in which case Pillow inverts images of 8 bits only.

    Returns:
        The image in mode ``'L'``.

    Raises:
        ValueError: If there are values of more than 16 bits.
    """
    values, bits = np.asarray(image).astype(np.int64), max(tags.get(BITS, (16,)))
    most = 2 ** (bits if 8 < bits < 16 else 16) - 1
    if values.min() < 0 or values.max() > most:
        raise ValueError('32-bit pixels; save the image with 8 or 16 bits per channel')
    values = (values * 255 + most // 2) // most
    return Image.fromarray((255 - values if tags.get(PHOTOMETRIC) == _WHITE_IS_ZERO else values).astype(np.uint8))
