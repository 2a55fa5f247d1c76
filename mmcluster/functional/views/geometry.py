"""Resizing and affine maps of batches with one parameter per row; ``crop`` has the plain windows.

Images are float (B, C, H, W) in [0, 1], any C. Positions are pixels; pixel i covers [i, i + 1), as in Pillow. Results
are gathered and weighted element by element, never by a matrix product: the last bits of a batched product depend on
the number of rows and on their alignment in memory, and a view must not.
"""
from __future__ import annotations

import math
from typing import Optional

import torch
from torch import Tensor

SUPPORT = dict(bilinear=1, bicubic=2)
# Pixels that a result reads: index (B, n, T) and weight (B, n, T); no weight means T = 1 and weight 1.
Taps = tuple[Tensor, Optional[Tensor]]


def _triangle(distance: Tensor) -> Tensor:
    """Kernel of bilinear interpolation, any shape."""
    return (1 - distance).clamp_(min=0)


def _cubic(distance: Tensor) -> Tensor:
    """Kernel of bicubic interpolation with a = -0.5, as in Pillow, any shape."""
    near = (1.5 * distance - 2.5) * distance * distance + 1
    far = ((-0.5 * distance + 2.5) * distance - 4) * distance + 2
    return torch.where(distance < 1, near, torch.where(distance < 2, far, torch.zeros_like(far)))


def resize_taps(start: Tensor, length: Tensor, extent: int, size: int, flip: Optional[Tensor] = None,
                interpolation: str = 'bilinear') -> Taps:
    """Which pixels of one axis an antialiased resize reads, and their weights.

    The kernel is widened by the scale when the window shrinks, weights are normalised and pixels outside the window
    count nothing: what Pillow computes after a crop.

    Args:
        start: (B,) first pixel of the window.
        length: (B,) length of the window.
        extent: Length of the image, which bounds every window; it sets the number of taps.
        size: Length of the result.
        flip: (B,) bool, rows whose result is mirrored.
        interpolation: ``'bilinear'`` or ``'bicubic'``.

    Returns:
        index (B, size, T) long and weight (B, size, T).
    """
    support = SUPPORT[interpolation]
    centre = torch.arange(size, device=start.device, dtype=torch.float32) + 0.5
    if flip is not None:
        centre = torch.where(flip[:, None], size - centre, centre)
    scale = (length.float() / size)[:, None]
    centre = (centre * scale)[..., None]
    stretch = scale.clamp_min(1)[..., None]
    taps = math.ceil(2 * support * max(extent / size, 1))
    index = (centre - support * stretch + 0.5).floor_() + torch.arange(taps, device=start.device)
    distance = ((index + 0.5 - centre) / stretch).abs_()
    weight = _triangle(distance) if interpolation == 'bilinear' else _cubic(distance)
    weight = torch.where((index >= 0) & (index < length[:, None, None]), weight, torch.zeros_like(weight))
    weight = weight / _sum_last(weight)
    index = index.long().clamp_(min=0).minimum(length[:, None, None] - 1) + start[:, None, None]
    return index, weight


def _sum_last(x: Tensor) -> Tensor:
    """Sum (B, n, T) over T in a fixed order, keeping the axis."""
    total = x[..., :1]
    for tap in range(1, x.shape[-1]):
        total = total + x[..., tap:tap + 1]
    return total


def _sample_rows(x: Tensor, taps: Taps) -> Tensor:
    """Weighted sums of the rows of (B, n, m) -> (B, size, m), clipped to [0, 1] as cubic weights overshoot."""
    index, weight = taps
    base = torch.arange(len(x), device=x.device)[:, None] * x.shape[1]
    flat = x.flatten(0, 1)
    out: Optional[Tensor] = None
    for tap in range(index.shape[2]):
        part = flat.index_select(0, (base + index[..., tap]).flatten()).view(len(x), index.shape[1], x.shape[2])
        if weight is not None:
            part.mul_(weight[..., tap, None])
        out = part if out is None else out.add_(part)
    assert out is not None      # one tap at least
    return out if weight is None else out.clamp_(0, 1)


def separable_sample(x: Tensor, rows: Taps, columns: Taps) -> Tensor:
    """Sample both axes of every image, each with taps of its own.

    Args:
        x: (B, C, H, W); channels_last memory saves a copy.
        rows: Taps of the H axis, (B, h, T).
        columns: Taps of the W axis, (B, w, T).

    Returns:
        (B, C, h, w), contiguous.
    """
    batch, channels, extent, width = x.shape
    tall = _sample_rows(x.permute(0, 2, 3, 1).reshape(batch, extent, width * channels), rows)
    height = tall.shape[1]
    tall = tall.view(batch, height, width, channels).permute(0, 2, 3, 1).reshape(batch, width, channels * height)
    wide = _sample_rows(tall, columns)
    return wide.view(batch, wide.shape[1], channels, height).permute(0, 2, 3, 1).contiguous()


def resized_crop(x: Tensor, box: Tensor, size: tuple[int, int], flip: Optional[Tensor] = None,
                 interpolation: str = 'bilinear') -> Tensor:
    """Cut one box per row, resize it and mirror it where asked; equal to Pillow's antialiased resize of the crop.

    Bicubic weights overshoot at sharp edges and are clipped after each pass. Which pass comes first depends on shape
    and version in Pillow, here it is the vertical one; so beside saturated edges bicubic results may differ from it.

    Args:
        x: (B, C, H, W).
        box: (B, 4) long: top, left, height, width.
        size: (h, w) of the result.
        flip: (B,) bool.
        interpolation: ``'bilinear'`` or ``'bicubic'``.

    Returns:
        (B, C, h, w).
    """
    top, left, height, width = box.unbind(1)
    rows = resize_taps(top, height, x.shape[2], size[0], interpolation=interpolation)
    columns = resize_taps(left, width, x.shape[3], size[1], flip, interpolation)
    return separable_sample(x, rows, columns)


def affine_matrix(angle: Tensor, translate: Tensor, scale: Tensor, shear: Tensor, height: int, width: int) -> Tensor:
    """Maps from result to source of rotate, scale and shear about the centre, then translate (as torchvision).

    The forward map is ``T(centre + t) R(angle) scale [[1, 0], [-tan(sy), 1]] [[1, -tan(sx)], [0, 1]] T(-centre)``; its
    inverse is written out below, in float64: the last bits of float32 sines may depend on the position in the batch.

    Args:
        angle: (B,) degrees, positive turns clockwise on the screen.
        translate: (B, 2) pixels to the right and down.
        scale: (B,) positive.
        shear: (B, 2) degrees, horizontal and vertical.
        height: H.
        width: W.

    Returns:
        (B, 2, 3) float32: (x, y) of the source = M @ (x, y, 1) of the result.
    """
    angle, shear_x, shear_y = torch.deg2rad(torch.stack((angle, shear[:, 0], shear[:, 1])).double())
    turned = angle - shear_y
    a = turned.cos() / shear_y.cos()
    b = -a * shear_x.tan() - angle.sin()
    c = turned.sin() / shear_y.cos()
    d = -c * shear_x.tan() + angle.cos()
    inverse = torch.stack((d, -b, -c, a), 1) / scale.double()[:, None]
    linear = inverse.view(-1, 2, 2)
    centre = torch.tensor([width * 0.5, height * 0.5], dtype=torch.float64, device=scale.device)
    offset = centre - (linear * (centre + translate)[:, None]).sum(2)
    return torch.cat((linear, offset[..., None]), 2).float()


def affine(x: Tensor, matrix: Tensor, interpolation: str = 'nearest') -> Tensor:
    """Read every pixel of the result at an affine image of its centre; outside is black (Pillow's AFFINE transform).

    Args:
        x: (B, C, H, W).
        matrix: (B, 2, 3) from result to source.
        interpolation: ``'nearest'`` or ``'bilinear'``.

    Returns:
        (B, C, H, W).
    """
    height, width = x.shape[2:]
    column = torch.arange(width, device=x.device) + 0.5
    row = torch.arange(height, device=x.device)[:, None] + 0.5
    m = matrix[..., None, None]
    across = m[:, 0, 0] * column + m[:, 0, 1] * row + m[:, 0, 2]
    down = m[:, 1, 0] * column + m[:, 1, 1] * row + m[:, 1, 2]
    inside = (across >= 0) & (across < width) & (down >= 0) & (down < height)
    flat = x.flatten(2)
    if interpolation == 'nearest':
        return _read(flat, down.floor(), across.floor(), (height, width)) * inside[:, None]
    across, down = across - 0.5, down - 0.5
    left, top = across.floor(), down.floor()
    right_share, low_share = (across - left)[:, None], (down - top)[:, None]
    upper = _read(flat, top, left, (height, width)) * (1 - right_share)
    upper += _read(flat, top, left + 1, (height, width)) * right_share
    lower = _read(flat, top + 1, left, (height, width)) * (1 - right_share)
    lower += _read(flat, top + 1, left + 1, (height, width)) * right_share
    return (upper * (1 - low_share)).add_(lower * low_share) * inside[:, None]


def _read(flat: Tensor, row: Tensor, column: Tensor, size: tuple[int, int]) -> Tensor:
    """Gather (B, C, H*W) at (B, H, W) positions clamped to the image of the given (H, W) -> (B, C, H, W)."""
    height, width = size
    index = row.long().clamp_(0, height - 1) * width + column.long().clamp_(0, width - 1)
    index = index.flatten(1)[:, None].expand(-1, flat.shape[1], -1)
    return flat.gather(2, index).view(*flat.shape[:2], height, width)
