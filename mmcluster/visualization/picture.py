"""Arrays of pixels for figures."""
from __future__ import annotations

import numpy as np
from matplotlib import colormaps
from torch import Tensor

from mmcluster.models.preprocessor import ViewPreprocessor


def to_pixels(views: Tensor, preprocessor: ViewPreprocessor) -> np.ndarray:
    """Undo the normalisation of views.

    Args:
        views: (B, C, H, W), C = 1 or 3, that the preprocessor made.
        preprocessor: Knows mean and standard deviation.

    Returns:
        (B, H, W, 3) in [0, 1].

    Raises:
        ValueError: If the views are no images.
    """
    if views.dim() != 4 or views.shape[1] not in (1, 3):
        raise ValueError(f'there are no images to show: the data are rows of shape {tuple(views.shape[1:])}')
    pixels = ((views.float() + preprocessor.shift) / preprocessor.scale).clamp(0, 1)
    return pixels.expand(-1, 3, -1, -1).permute(0, 2, 3, 1).cpu().numpy()


def overlay(pixels: np.ndarray, heat: np.ndarray, weight: float = 0.4) -> np.ndarray:
    """Lay colours from blue (0) to red (1) over images.

    Args:
        pixels: (..., H, W, 3) in [0, 1].
        heat: (..., H, W) in [0, 1].
        weight: Share of the colours.

    Returns:
        (..., H, W, 3) in [0, 1].
    """
    return (1 - weight) * pixels + weight * colormaps['jet'](heat)[..., :3]


def image_grid(images: np.ndarray, side: int = 0, gap: int = 2) -> np.ndarray:
    """Put images in rows and columns on white ground.

    Args:
        images: (R, C, H, W, 3) in [0, 1].
        side: Images are magnified by the smallest whole number that makes them at least this high.
        gap: Pixels around each image.

    Returns:
        (height, width, 3) uint8.
    """
    times = max(1, -(-side // images.shape[2]))
    images = images.repeat(times, axis=2).repeat(times, axis=3)
    padded = np.pad(images, ((0, 0), (0, 0), (gap, gap), (gap, gap), (0, 0)), constant_values=1.)
    rows, columns, height, width, _ = padded.shape
    grid = padded.transpose(0, 2, 1, 3, 4).reshape(rows * height, columns * width, 3)
    return np.rint(grid * 255).astype(np.uint8)
