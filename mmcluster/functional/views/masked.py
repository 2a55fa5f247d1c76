"""Masked image modelling: patches, random masks, positions and the reconstruction of what was hidden (MAE, PICI)."""
from __future__ import annotations

from typing import NamedTuple, Union

import torch
from torch import Tensor

from ..losses.contrast import at_least_float32

VARIANCE_EPS = 1e-6
WAVELENGTH = 10000.


class Masking(NamedTuple):
    """Which patches of every image stay.

    Attributes:
        keep: (B, k) long, visible patches in the order in which the encoder sees them.
        mask: (B, L), 1 = removed, 0 = visible, in the order of the image.
        restore: (B, L) long, place of every patch in [visible, removed].
    """
    keep: Tensor
    mask: Tensor
    restore: Tensor


def num_visible(num_patches: int, mask_ratio: float) -> int:
    """Number of patches that stay, ``int(L (1 - r))`` in floating point as in MAE's release."""
    return int(num_patches * (1 - mask_ratio))


def patchify(imgs: Tensor, patch_size: int) -> Tensor:
    """Cut images into patches.

    Args:
        imgs: (B, C, H, W), sides that the patch size divides.
        patch_size: p.

    Returns:
        (B, L, p p C), patches row by row; within one the row, then the column, then the channel, which runs fastest.
    """
    size, channels, height, width = imgs.shape
    x = imgs.reshape(size, channels, height // patch_size, patch_size, width // patch_size, patch_size)
    return x.permute(0, 2, 4, 3, 5, 1).flatten(3).flatten(1, 2)


def random_masking(noise: Tensor, mask_ratio: float) -> Masking:
    """Keep the patches with the least noise.

    Args:
        noise: (B, L), independent numbers without ties.
        mask_ratio: r, share that is removed; :func:`num_visible` patches stay.

    Returns:
        The masking. Edge cases: a ratio that leaves nothing gives ``keep`` (B, 0).
    """
    order = noise.argsort(dim=1)
    restore = order.argsort(dim=1)      # the inverse: where each patch went, for the decoder to put it back
    visible = num_visible(noise.shape[1], mask_ratio)
    return Masking(order[:, :visible], (restore >= visible).to(noise.dtype), restore)


def take_tokens(x: Tensor, index: Tensor) -> Tensor:
    """Rows of every sequence.

    Args:
        x: (B, L, D).
        index: (B, k) long.

    Returns:
        (B, k, D).
    """
    return x.gather(1, index[..., None].expand(-1, -1, x.shape[-1]))


def masked_reconstruction(imgs: Tensor, pred: Tensor, mask: Tensor, patch_size: int, norm_pix: bool = True) -> Tensor:
    """Mean squared error on the removed patches (PICI eq. 1, one view).

    Args:
        imgs: (B, C, H, W), what was to be reconstructed; a constant.
        pred: (B, L, p p C) predictions.
        mask: (B, L), 1 = removed.
        patch_size: p.
        norm_pix: Standardise every patch by its own mean and unbiased variance, as released; ``False``: plain pixels,
            as in the paper.

    Returns:
        () mean over the removed patches of the whole batch.

    Edge cases: where nothing is removed, 0 with a zero gradient; a constant patch is all zeros after standardisation.
    """
    target, pred = patchify(at_least_float32(imgs.detach()), patch_size), at_least_float32(pred)
    if norm_pix:
        centred = target - target.mean(dim=-1, keepdim=True)
        variance = centred.square().sum(dim=-1, keepdim=True) / max(target.shape[-1] - 1, 1)
        target = centred / (variance + VARIANCE_EPS).sqrt()
    mask = mask.to(pred.dtype)
    error = (pred - target).square().mean(dim=-1)
    return (error * mask).sum() / mask.sum().clamp_min(1)


def sincos_position(embed_dim: int, grid: Union[int, tuple[int, int]], cls_token: bool = True) -> Tensor:
    """Fixed position table: sines and cosines of the column, then of the row, of every patch.

    Args:
        embed_dim: D, a multiple of 4.
        grid: Patches a side, or (rows, columns).
        cls_token: Put a row of zeros in front.

    Returns:
        (L, D) or (1 + L, D) float64. mmpretrain's builder has the row first: the same table with its halves swapped.
    """
    rows, columns = (grid, grid) if isinstance(grid, int) else grid
    quarter = embed_dim // 4
    omega = WAVELENGTH**-(torch.arange(quarter, dtype=torch.float64) / quarter)
    row, column = torch.meshgrid(torch.arange(rows), torch.arange(columns), indexing='ij')
    angles = [place.flatten()[:, None] * omega for place in (column, row)]
    table = torch.cat([wave for angle in angles for wave in (angle.sin(), angle.cos())], dim=1)
    return torch.cat([table.new_zeros(1, embed_dim), table]) if cls_token else table
