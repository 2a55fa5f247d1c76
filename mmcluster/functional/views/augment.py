"""Augmentations of batches with parameters of its own for every row: composition, jitter, blur, sharpness, cutout.

Images are float (B, C, H, W) in [0, 1]. Random choices come in as arguments; see ``rng.Draws`` for their source and
``color`` and ``geometry`` for the other operations. Choices that decide how many rows an operation gets (``choice``,
``order``) must lie on the host: then no size has to be fetched from an accelerator.
"""
from __future__ import annotations

from typing import Callable, Optional, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from .color import adjust_brightness, adjust_contrast, adjust_hue, adjust_saturation, per_row

RowOp = Optional[Callable[[Tensor, Tensor], Tensor]]


def apply_by_row(x: Tensor, choice: Tensor, ops: Sequence[RowOp], value: Tensor) -> Tensor:
    """Apply to row b the operations ``ops[choice[b, 0]]``, ``ops[choice[b, 1]]``, ... in this order.

    Rows are regrouped before every step so that each operation runs once on all of its rows, and put back at the end.

    Args:
        x: (B, C, H, W).
        choice: (B, S) long on the host; S steps, each a position in ops.
        ops: Functions (R, C, H, W), (R,) -> (R, C, H, W), or None for rows that stay as they are.
        value: (B, S) on the host, the parameter of each step.

    Returns:
        (B, C, H, W).
    """
    place = torch.arange(len(x))                    # where row b lies now
    for step in range(choice.shape[1]):
        rows = choice[:, step].argsort(stable=True)
        sizes = torch.bincount(choice[:, step], minlength=len(ops)).tolist()
        grouped = _take(x, place[rows]).split(sizes)
        values = value[rows, step].to(x.device, non_blocking=True).split(sizes)
        parts = [part if op is None or not len(part) else op(part, v) for op, part, v in zip(ops, grouped, values)]
        x = torch.cat(parts)
        place[rows] = torch.arange(len(x))
    return _take(x, place)


def _take(x: Tensor, rows: Tensor) -> Tensor:
    """Rows of x (B, C, H, W) in the order of a host tensor (R,) -> (R, C, H, W)."""
    return x.index_select(0, rows.to(x.device, non_blocking=True))


def apply_where(x: Tensor, applied: Tensor, op: Callable[[Tensor, Tensor], Tensor], value: Tensor) -> Tensor:
    """Apply one operation to some rows.

    Args:
        x: (B, C, H, W).
        applied: (B,) bool on the host.
        op: Function (R, C, H, W), (R,) -> (R, C, H, W).
        value: (B,) on the host, its parameter.

    Returns:
        (B, C, H, W).
    """
    return apply_by_row(x, applied.long()[:, None], (None, op), value[:, None])


def color_jitter(x: Tensor, order: Tensor, factors: Tensor, applied: Tensor) -> Tensor:
    """Adjust brightness, contrast, saturation and hue, in an order of its own for every row (as torchvision).

    Args:
        x: (B, C, H, W), C = 1 or 3; C = 1 ignores saturation and hue.
        order: (B, 4) long on the host, permutations of brightness 0, contrast 1, saturation 2, hue 3.
        factors: (B, 4) on the host: the three factors and the shift of the hue in turns.
        applied: (B,) bool on the host, rows to jitter at all.

    Returns:
        (B, C, H, W). A factor of 1 and a shift of 0 are skipped, row by row.
    """
    ops = (None, adjust_brightness, adjust_contrast, adjust_saturation, adjust_hue)
    active = (applied[:, None] & (factors != torch.tensor([1., 1., 1., 0.]))).gather(1, order)
    return apply_by_row(x, torch.where(active, order + 1, 0), ops, factors.gather(1, order))


def crop_boxes(area: Tensor, log_ratio: Tensor, offset: Tensor, height: int, width: int,
               ratio: tuple[float, float]) -> Tensor:
    """Boxes of a random resized crop: the first of T proposals that fits, as torchvision draws them.

    Args:
        area: (B, T) share of the image's area.
        log_ratio: (B, T) logarithm of width / height.
        offset: (B, 2) in [0, 1), vertical and horizontal position of the box among those possible.
        height: H.
        width: W.
        ratio: Limits of width / height, for rows where no proposal fits: they take the largest central box in them.

    Returns:
        (B, 4) long: top, left, height, width.
    """
    area, shape = area.double() * (height * width), log_ratio.double().exp()
    wide, tall = (area * shape).sqrt_().round_().long(), (area / shape).sqrt_().round_().long()
    fits = (wide > 0) & (wide <= width) & (tall > 0) & (tall <= height)
    first = torch.where(fits, torch.arange(area.shape[1], device=area.device), area.shape[1]).amin(1, keepdim=True)
    central_tall = min(height, max(1, round(width / ratio[0])))
    central_wide = min(width, max(1, round(height * ratio[1])))
    tall = F.pad(tall, (0, 1), value=central_tall).gather(1, first)[:, 0]
    wide = F.pad(wide, (0, 1), value=central_wide).gather(1, first)[:, 0]
    slack = torch.stack((height - tall, width - wide), 1)
    corner = torch.where(first < area.shape[1], (offset.double() * (slack + 1)).long(), slack // 2)
    return torch.cat((corner, tall[:, None], wide[:, None]), 1)


def gaussian_blur(x: Tensor, sigma: Tensor, kernel: int) -> Tensor:
    """Blur by a truncated Gaussian; the image continues by reflection (as torchvision).

    Args:
        x: (B, C, H, W).
        sigma: (B,) standard deviation in pixels, positive.
        kernel: Odd number of taps, at most twice the shorter side minus one.

    Returns:
        (B, C, H, W).
    """
    reach = kernel // 2
    if reach >= min(x.shape[2:]):
        raise ValueError(f'a blur of {kernel} taps needs images larger than {reach} pixels, got {tuple(x.shape[2:])}; '
                         'lower `kernel`')
    distance = torch.arange(reach + 1, device=x.device, dtype=torch.float64)
    weight = torch.exp(-0.5 * (distance / sigma.double()[:, None]) ** 2)
    total = weight[:, 0] + 2 * sum(weight[:, tap] for tap in range(1, reach + 1))
    weight = (weight / total[:, None]).to(x.dtype)
    for axis in (2, 3):
        padded = F.pad(x, (0, 0, reach, reach) if axis == 2 else (reach, reach, 0, 0), mode='reflect')
        size = x.shape[axis]
        out = x * per_row(weight[:, 0])
        for tap in range(1, reach + 1):
            pair = padded.narrow(axis, reach - tap, size) + padded.narrow(axis, reach + tap, size)
            out.add_(pair.mul_(per_row(weight[:, tap])))
        x = out
    return x


def adjust_sharpness(x: Tensor, factor: Tensor) -> Tensor:
    """Blend with a smoothed image (3 x 3 ones with a 5 in the middle; border pixels stay), as Pillow's Sharpness.

    Args:
        x: (B, C, H, W).
        factor: (B,) not negative; 1 changes nothing, 0 is smooth.

    Returns:
        (B, C, H, W); unchanged if a side is shorter than 3.
    """
    if min(x.shape[2:]) < 3:
        return x
    rows = x[:, :, :-2] + x[:, :, 1:-1] + x[:, :, 2:]
    box = rows[..., :-2] + rows[..., 1:-1] + rows[..., 2:]
    smooth = x.clone()
    smooth[:, :, 1:-1, 1:-1] = box.add_(x[:, :, 1:-1, 1:-1], alpha=4).div_(13)
    return (x - smooth).mul_(per_row(factor)).add_(smooth).clamp_(0, 1)


def cutout(x: Tensor, box: Tensor, fill: Sequence[float]) -> Tensor:
    """Paint one rectangle per row.

    Args:
        x: (B, C, H, W).
        box: (B, 4): first row, first column, last row, last column, ends included; the part outside is ignored.
        fill: C values in [0, 1].

    Returns:
        (B, C, H, W).
    """
    row = torch.arange(x.shape[2], device=x.device)[:, None]
    column = torch.arange(x.shape[3], device=x.device)
    top, left, bottom, right = box[..., None, None].unbind(1)
    inside = (row >= top) & (row <= bottom) & (column >= left) & (column <= right)
    painted = inside[:, None].to(x.dtype)
    color = torch.tensor(fill, dtype=x.dtype).to(x.device, non_blocking=True).view(1, -1, 1, 1)
    return x * (1 - painted) + color * painted
