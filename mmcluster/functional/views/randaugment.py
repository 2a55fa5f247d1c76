"""RandAugment of FixMatch and SCAN: fourteen operations, strengths uniform in fixed ranges, no magnitude."""
from __future__ import annotations

import torch
from torch import Tensor

from .augment import adjust_sharpness, apply_by_row
from .color import adjust_brightness, adjust_contrast, adjust_saturation, autocontrast, equalize, posterize, solarize
from .geometry import affine

# Name -> range of the strength. Position in this table is the number of the operation.
FIXMATCH_OPS: dict[str, tuple[float, float]] = dict(
    AutoContrast=(0., 1.), Brightness=(0.05, 0.95), Color=(0.05, 0.95), Contrast=(0.05, 0.95), Equalize=(0., 1.),
    Identity=(0., 1.), Posterize=(4., 8.), Rotate=(-30., 30.), Sharpness=(0.05, 0.95), ShearX=(-0.3, 0.3),
    ShearY=(-0.3, 0.3), Solarize=(0., 256.), TranslateX=(-0.3, 0.3), TranslateY=(-0.3, 0.3))
# SCAN also turns the sign of a geometric strength at random, which leaves ranges about 0 as they are.
SCAN_OPS: dict[str, tuple[float, float]] = {
    **FIXMATCH_OPS, **dict.fromkeys(('ShearX', 'ShearY', 'TranslateX', 'TranslateY'), (-0.1, 0.1))}
CUTOUT_COLOR = (125, 123, 114)
CUTOUT_MAX_SIDE = 0.5


def _moved(x: Tensor, row: int, column: int, value: Tensor) -> Tensor:
    """Images (B, C, H, W) under the affine matrix that changes nothing but for one entry, (B,)."""
    matrix = torch.eye(2, 3, device=value.device).repeat(len(value), 1, 1)
    matrix[:, row, column] = value
    return affine(x, matrix)


def rotate(x: Tensor, degrees: Tensor) -> Tensor:
    """Turn counter-clockwise about the centre, nearest pixel, black outside.

    Args:
        x: (B, C, H, W).
        degrees: (B,).

    Returns:
        (B, C, H, W).
    """
    angle = torch.deg2rad(degrees.double())         # float32 sines may depend on the position in the batch
    cosine, sine = angle.cos(), angle.sin()
    centre_x, centre_y = x.shape[3] / 2, x.shape[2] / 2
    shift_x = centre_x - cosine * centre_x + sine * centre_y
    shift_y = centre_y - sine * centre_x - cosine * centre_y
    matrix = torch.stack((cosine, -sine, shift_x, sine, cosine, shift_y), 1)
    return affine(x, matrix.view(-1, 2, 3).float())


def shear_x(x: Tensor, slope: Tensor) -> Tensor:
    """Read row y at ``x + slope * y``, nearest pixel, black outside.

    Args:
        x: (B, C, H, W).
        slope: (B,).

    Returns:
        (B, C, H, W).
    """
    return _moved(x, 0, 1, slope)


def shear_y(x: Tensor, slope: Tensor) -> Tensor:
    """Read column x at ``y + slope * x``, nearest pixel, black outside.

    Args:
        x: (B, C, H, W).
        slope: (B,).

    Returns:
        (B, C, H, W).
    """
    return _moved(x, 1, 0, slope)


def translate_x(x: Tensor, share: Tensor) -> Tensor:
    """Move left by a share of the width, nearest pixel, black outside.

    Args:
        x: (B, C, H, W).
        share: (B,).

    Returns:
        (B, C, H, W).
    """
    return _moved(x, 0, 2, share * x.shape[3])


def translate_y(x: Tensor, share: Tensor) -> Tensor:
    """Move up by a share of the height, nearest pixel, black outside.

    Args:
        x: (B, C, H, W).
        share: (B,).

    Returns:
        (B, C, H, W).
    """
    return _moved(x, 1, 2, share * x.shape[2])


APPLY = dict(
    AutoContrast=lambda x, _: autocontrast(x), Brightness=adjust_brightness, Color=adjust_saturation,
    Contrast=adjust_contrast, Equalize=lambda x, _: equalize(x), Identity=None,
    Posterize=lambda x, bits: posterize(x, bits.long()), Rotate=rotate, Sharpness=adjust_sharpness, ShearX=shear_x,
    ShearY=shear_y, Solarize=solarize, TranslateX=translate_x, TranslateY=translate_y)


def strengths(choice: Tensor, uniform: Tensor, table: dict[str, tuple[float, float]] = FIXMATCH_OPS) -> Tensor:
    """Scale uniform numbers to the ranges of the chosen operations.

    Args:
        choice: (B, S) long, numbers of operations.
        uniform: (B, S) in [0, 1).
        table: Name -> range; position is the number of the operation.

    Returns:
        (B, S).
    """
    low, high = torch.tensor(list(table.values()), device=choice.device).unbind(1)
    return uniform * (high - low)[choice] + low[choice]


def rand_augment(x: Tensor, choice: Tensor, strength: Tensor) -> Tensor:
    """Apply S operations of the table to every row, one after the other.

    Args:
        x: (B, C, H, W) in [0, 1], C = 1 or 3.
        choice: (B, S) long on the host, numbers of operations (``list(FIXMATCH_OPS)``).
        strength: (B, S) on the host, in each operation's own unit (see :func:`strengths`).

    Returns:
        (B, C, H, W).
    """
    return apply_by_row(x, choice, [APPLY[name] for name in FIXMATCH_OPS], strength)


def cutout_box(centre: Tensor, share: Tensor, height: int, width: int) -> Tensor:
    """Square of FixMatch's cutout; its centre may lie near the edge, then it is cut short.

    Args:
        centre: (B, 2) in [0, 1), vertical and horizontal.
        share: (B,) side of the square as a share of the width.
        height: H.
        width: W.

    Returns:
        (B, 4) long: first row, first column, last row, last column, ends included.
    """
    side = share * width
    top = (centre[:, 0] * height - side / 2).clamp_min(0).floor()
    left = (centre[:, 1] * width - side / 2).clamp_min(0).floor()
    bottom, right = (top + side).clamp_max(height), (left + side).clamp_max(width)
    return torch.stack((top, left, bottom, right), 1).long()


def square_box(centre: Tensor, side: Tensor) -> Tensor:
    """Square of SCAN's cutout around a pixel; it may reach beyond the image.

    SCAN's release rounds an odd side down to the even number below it; here a side is what it says.

    Args:
        centre: (B, 2) long, row and column.
        side: (B,) long, pixels.

    Returns:
        (B, 4) long: first row, first column, last row, last column, ends included.
    """
    first = centre - (side // 2)[:, None]
    return torch.cat((first, first + side[:, None] - 1), 1)
