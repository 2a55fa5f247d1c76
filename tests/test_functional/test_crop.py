"""Windows beyond the edges of an image against torchvision's pad and crop."""
import pytest
import torch
import torchvision.transforms.functional as TF
from pillow_reference import B, H, W, gaps, pixels

from mmcluster.functional.views.crop import window_crop


@pytest.mark.parametrize('channels', [1, 3])
@pytest.mark.parametrize('padding_mode, pad', [('reflect', 5), ('constant', 5), ('constant', 40)])
def test_window_crop_matches_torchvision(padding_mode, pad, channels):
    images, size = pixels(channels), (24, 22)
    generator = torch.Generator().manual_seed(1)
    top = torch.randint(0, H + 2 * pad - size[0] + 1, (B,), generator=generator)
    left = torch.randint(0, W + 2 * pad - size[1] + 1, (B,), generator=generator)
    top[:2], left[:2] = torch.tensor([0, H + 2 * pad - size[0]]), torch.tensor([0, W + 2 * pad - size[1]])
    flip = torch.arange(B) % 2 == 0
    result = window_crop(images / 255, top - pad, left - pad, size, flip, padding_mode)

    def reference(im, row):
        im = TF.crop(TF.pad(im, pad, padding_mode=padding_mode), top[row].item(), left[row].item(), *size)
        return TF.hflip(im) if flip[row] else im
    assert gaps(result, images, reference).max() < 1e-3


@pytest.mark.parametrize('padding_mode', ['reflect', 'constant'])
def test_a_window_inside_copies_pixels(padding_mode):
    x = torch.rand(B, 3, H, W)
    result = window_crop(x, torch.full((B,), 2), torch.full((B,), 3), (9, 7), None, padding_mode)
    assert torch.equal(result, x[:, :, 2:11, 3:10])
    mirrored = window_crop(x, torch.full((B,), 2), torch.full((B,), 3), (9, 7), torch.ones(B) > 0, padding_mode)
    assert torch.equal(mirrored, result.flip(-1))
