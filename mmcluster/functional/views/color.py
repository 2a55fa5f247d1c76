"""Colour and tone operations on batches with one parameter per row.

Images are float (B, C, H, W) in [0, 1]; C is 3 (RGB) or 1 (grey, for which hue and saturation do nothing). All
functions return a new tensor. They are made of elementwise operations, exact extrema and integer histograms, so a
row's result does not depend, to the last bit, on the rows that share its batch.
"""
from __future__ import annotations

import torch
from torch import Tensor

# ITU-R 601-2 luma, as in Pillow's and torchvision's conversion to grey.
LUMA = (0.299, 0.587, 0.114)
TINY = 1e-8


def per_row(value: Tensor) -> Tensor:
    """Shape one number per row for broadcasting over an image.

    Args:
        value: (B,).

    Returns:
        (B, 1, 1, 1) view.
    """
    return value.reshape(-1, 1, 1, 1)


def luminance(x: Tensor) -> Tensor:
    """Grey value of every pixel.

    Args:
        x: (B, C, H, W), C = 1 or 3.

    Returns:
        (B, 1, H, W); the input itself when C = 1.
    """
    if x.shape[1] == 1:
        return x
    if x.shape[1] != 3:
        raise ValueError(f'colour operations need C = 1 or C = 3, got images of shape {tuple(x.shape)}')
    red, green, blue = x.split(1, dim=1)
    return (red * LUMA[0]).add_(green * LUMA[1]).add_(blue * LUMA[2])


def grayscale(x: Tensor) -> Tensor:
    """Replace every channel by the luminance.

    Args:
        x: (B, C, H, W).

    Returns:
        (B, C, H, W).
    """
    return luminance(x).expand_as(x)


def _blend(x: Tensor, other: Tensor, factor: Tensor) -> Tensor:
    """``factor * x + (1 - factor) * other``, clipped to [0, 1]; factor (B,), other broadcastable to x."""
    weight = per_row(factor)
    return (x * weight).add_(other * (1 - weight)).clamp_(0, 1)


def adjust_brightness(x: Tensor, factor: Tensor) -> Tensor:
    """Blend with black.

    Args:
        x: (B, C, H, W).
        factor: (B,) not negative; 1 changes nothing, 0 is black.

    Returns:
        (B, C, H, W).
    """
    return (x * per_row(factor)).clamp_(0, 1)


def adjust_contrast(x: Tensor, factor: Tensor) -> Tensor:
    """Blend with the mean luminance of the image.

    Args:
        x: (B, C, H, W).
        factor: (B,) not negative; 1 changes nothing, 0 is flat grey.

    Returns:
        (B, C, H, W).
    """
    # Summing one axis after the other keeps the order of additions independent of B and of the number of threads.
    mean = luminance(x).contiguous().sum(-1).sum(-1) / (x.shape[2] * x.shape[3])
    return _blend(x, mean[..., None, None], factor)


def adjust_saturation(x: Tensor, factor: Tensor) -> Tensor:
    """Blend with the luminance of each pixel.

    Args:
        x: (B, C, H, W); unchanged when C = 1.
        factor: (B,) not negative; 1 changes nothing, 0 is grey.

    Returns:
        (B, C, H, W).
    """
    return x if x.shape[1] == 1 else _blend(x, luminance(x), factor)


def adjust_hue(x: Tensor, shift: Tensor) -> Tensor:
    """Turn the hue, keeping value and saturation of the HSV hexcone.

    With value ``max`` and chroma ``max - min`` fixed, a channel is ``min + chroma * w``, where w is a trapezoid of the
    hue angle; so only the angle is computed, and saturation never.

    Args:
        x: (B, C, H, W); unchanged when C = 1.
        shift: (B,) in turns, [-0.5, 0.5].

    Returns:
        (B, C, H, W).
    """
    if x.shape[1] == 1:
        return x
    low, chroma, angle = _hexcone(x)
    angle = angle.add_(shift.reshape(-1, 1, 1) * 6)
    angle = angle.sub_((angle / 6).floor_().mul_(6))
    out = torch.empty_like(x)
    for channel, (centre, sign) in enumerate(((3, 1), (2, -1), (4, -1))):
        weight = (angle - centre).abs_()
        weight = weight.sub_(1) if sign > 0 else weight.neg_().add_(2)
        torch.add(weight.clamp_(0, 1).mul_(chroma), low, out=out[:, channel])
    return out


def _hexcone(x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Minimum, chroma and hue angle in sixths of a turn, -3 to 3, each (B, H, W), of RGB images (B, 3, H, W).

    The distance of the hue from red is ``1 + (green + blue - red - min) / chroma`` on both sides of red, and the sign
    is that of ``green - blue``; so no comparison of channels is needed.
    """
    red, green, blue = x.unbind(1)
    low = torch.minimum(torch.minimum(red, green), blue)
    chroma = torch.maximum(torch.maximum(red, green), blue).sub_(low)
    angle = (green - red).add_(blue).sub_(low).div_(chroma.clamp_min(TINY)).add_(1)
    return low, chroma, angle.copysign_(green - blue)


def solarize(x: Tensor, threshold: Tensor) -> Tensor:
    """Invert the values at or above a threshold.

    Args:
        x: (B, C, H, W).
        threshold: (B,) in 0..256 grey levels; 256 inverts nothing.

    Returns:
        (B, C, H, W).
    """
    inverted = (x >= per_row(threshold / 255)).to(x.dtype)      # torch.where is some ten times slower on a CPU
    return (1 - 2 * x).mul_(inverted).add_(x)


def quantize(x: Tensor) -> Tensor:
    """Nearest grey level.

    Args:
        x: (...) in [0, 1].

    Returns:
        (...) float whole numbers 0..255.
    """
    return (x * 255).round_()


def posterize(x: Tensor, bits: Tensor) -> Tensor:
    """Keep the leading bits of every 8-bit value.

    Args:
        x: (B, C, H, W).
        bits: (B,) long, 1..8.

    Returns:
        (B, C, H, W).
    """
    step = per_row(torch.bitwise_left_shift(1, 8 - bits)).to(x.dtype)
    return (quantize(x) / step).floor_().mul_(step).div_(255)


def autocontrast(x: Tensor) -> Tensor:
    """Stretch every channel to the full range.

    Args:
        x: (B, C, H, W).

    Returns:
        (B, C, H, W); a channel with a single value is unchanged.
    """
    low, high = x.amin((2, 3), keepdim=True), x.amax((2, 3), keepdim=True)
    flat = high <= low
    return (x - low.masked_fill(flat, 0)).div_((high - low).masked_fill(flat, 1))


def equalize(x: Tensor) -> Tensor:
    """Equalize the 8-bit histogram of every channel, with Pillow's integer table.

    Args:
        x: (B, C, H, W).

    Returns:
        (B, C, H, W) whole grey levels; a channel whose table step is 0 (one value, too few pixels) is only rounded.
    """
    level = quantize(x).long().flatten(2)
    count = torch.zeros(*x.shape[:2], 256, dtype=torch.long, device=x.device)
    count.scatter_add_(2, level, torch.ones_like(level))
    last = count.gather(2, level.amax(2, keepdim=True))
    step = (x.shape[2] * x.shape[3] - last) // 255
    before = count.cumsum(2) - count
    table = ((before + step // 2) // step.clamp_min(1)).clamp_(0, 255)
    table = torch.where(step == 0, torch.arange(256, device=x.device), table)
    return table.to(x.dtype).div_(255).gather(2, level).view_as(x)
