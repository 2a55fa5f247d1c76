"""Patches, masks, positions and reconstruction against loops."""
from __future__ import annotations

import math

import pytest
import torch
from mmpretrain.models.utils import build_2d_sincos_position_embedding
from sync_guard import SyncGuard
from torch import Tensor

from mmcluster.functional.views import masked

F64 = torch.float64


def normal(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=F64)


def uniform(*shape: int, seed: int = 0) -> Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed), dtype=F64)


def slow_reconstruction(imgs: Tensor, pred: Tensor, mask: Tensor, p: int, norm_pix: bool) -> float:
    """Patch by patch and number by number."""
    total, removed = 0., 0
    for n in range(len(imgs)):
        patches = [imgs[n, :, i:i + p, j:j + p] for i in range(0, imgs.shape[2], p) for j in range(0, imgs.shape[3], p)]
        for place, patch in enumerate(patches):
            values = [float(patch[c, y, x]) for y in range(p) for x in range(p) for c in range(len(patch))]
            if norm_pix:
                mean = sum(values) / len(values)
                variance = sum((v - mean)**2 for v in values) / (len(values) - 1)
                values = [(v - mean) / math.sqrt(variance + 1e-6) for v in values]
            if mask[n, place]:
                error = [(float(pred[n, place, i]) - v)**2 for i, v in enumerate(values)]
                total, removed = total + sum(error) / len(values), removed + 1
    return total / removed


@pytest.mark.parametrize('channels, height, width, p', [(3, 8, 8, 4), (1, 6, 4, 2), (2, 4, 4, 4)])
@pytest.mark.parametrize('norm_pix', [True, False])
def test_reconstruction_against_loops(channels: int, height: int, width: int, p: int, norm_pix: bool) -> None:
    imgs, places = normal(3, channels, height, width), (height // p) * (width // p)
    pred, mask = normal(3, places, p * p * channels, seed=1), (uniform(3, places, seed=2) < 0.6).to(F64)
    loss = masked.masked_reconstruction(imgs, pred, mask, p, norm_pix)
    torch.testing.assert_close(float(loss), slow_reconstruction(imgs, pred, mask, p, norm_pix))
    assert torch.autograd.gradcheck(lambda x: masked.masked_reconstruction(imgs, x, mask, p, norm_pix),
                                    pred.requires_grad_())


def test_images_get_no_gradient_and_visible_patches_none() -> None:
    imgs, pred = normal(2, 1, 4, 4).requires_grad_(), normal(2, 4, 4, seed=1).requires_grad_()
    mask = torch.tensor([[1., 0, 0, 1], [0, 0, 1, 0]])
    masked.masked_reconstruction(imgs, pred, mask, 2).backward()
    assert imgs.grad is None
    assert (pred.grad.abs().sum(2) > 0).tolist() == mask.bool().tolist()


@pytest.mark.parametrize('rows', [0, 3])
@pytest.mark.parametrize('norm_pix', [True, False])
def test_nothing_removed_gives_zero(rows: int, norm_pix: bool) -> None:
    imgs, pred = normal(rows, 3, 4, 4), normal(rows, 4, 12).requires_grad_()
    loss = masked.masked_reconstruction(imgs, pred, torch.zeros(rows, 4), 2, norm_pix)
    loss.backward()
    assert loss == 0 and pred.grad.shape == pred.shape and not pred.grad.any()


def test_flat_patches_and_single_numbers_are_finite() -> None:
    flat, pred = torch.full((2, 3, 4, 4), 7.), torch.ones(2, 4, 12)
    assert masked.masked_reconstruction(flat, pred, torch.ones(2, 4), 2) == 1
    assert masked.masked_reconstruction(flat[:, :1], torch.ones(2, 16, 1), torch.ones(2, 16), 1) == 1


def test_half_precision_is_summed_in_single() -> None:
    imgs, pred, mask = normal(4, 3, 32, 32), normal(4, 4, 768, seed=1), torch.ones(4, 4)
    half = masked.masked_reconstruction(imgs.half(), pred.half(), mask, 16)
    assert half.dtype == torch.float32
    torch.testing.assert_close(half.double(), masked.masked_reconstruction(imgs, pred, mask, 16), rtol=1e-3, atol=0)


@pytest.mark.parametrize('length, ratio', [(9, 0.5), (16, 0.25), (10, 0.9), (4, 0.), (3, 1.), (1, 0.5)])
def test_masking_against_loops(length: int, ratio: float) -> None:
    noise = uniform(4, length)
    keep, mask, restore = masked.random_masking(noise, ratio)
    visible = int(length * (1 - ratio))
    for row, values in enumerate(noise.tolist()):
        order = sorted(range(length), key=values.__getitem__)
        assert keep[row].tolist() == order[:visible]
        assert mask[row].tolist() == [float(place not in order[:visible]) for place in range(length)]
        assert [order[place] for place in restore[row].tolist()] == list(range(length))


def test_restoring_undoes_the_shuffle() -> None:
    x, noise = normal(3, 8, 2), uniform(3, 8)
    keep, mask, restore = masked.random_masking(noise, 0.5)
    hidden = torch.zeros(3, 4, 2, dtype=F64)
    back = masked.take_tokens(torch.cat([masked.take_tokens(x, keep), hidden], 1), restore)
    torch.testing.assert_close(back, x * (1 - mask)[..., None])


def test_masks_differ_between_images_and_wait_for_nothing() -> None:
    imgs, noise = normal(4, 3, 8, 8), uniform(4, 16)
    with SyncGuard():
        mask = masked.random_masking(noise, 0.5).mask
        masked.masked_reconstruction(imgs, normal(4, 16, 12), mask, 2)
    assert len(mask.unique(dim=0)) == 4 and (mask.sum(1) == 8).all()


def test_positions_against_loops() -> None:
    table = masked.sincos_position(8, (2, 3))
    assert table.shape == (7, 8) and not table[0].any()
    for place, row in enumerate(table[1:].tolist()):
        i, j = divmod(place, 3)
        angles = [value / 10000**(k / 2) for value in (j, i) for k in range(2)]
        waves = [[math.sin(a) for a in angles[:2]], [math.cos(a) for a in angles[:2]],
                 [math.sin(a) for a in angles[2:]], [math.cos(a) for a in angles[2:]]]
        assert row == pytest.approx([value for wave in waves for value in wave])


def test_positions_are_those_of_mmpretrain_with_halves_swapped() -> None:
    ours, theirs = masked.sincos_position(16, 4), build_2d_sincos_position_embedding(4, 16, cls_token=True)[0].double()
    torch.testing.assert_close(ours, theirs.roll(8, 1), atol=1e-6, rtol=0)
    assert (ours - theirs).abs().max() > 1
    assert len(masked.sincos_position(16, 4, cls_token=False).unique(dim=0)) == 16
