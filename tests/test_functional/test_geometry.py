"""Crops, resizing and affine maps against Pillow and torchvision on the same explicit parameters."""
import pytest
import torch
import torchvision.transforms.functional as TF
from pillow_reference import B, H, W, gaps, pixels, uniform
from torchvision.transforms import InterpolationMode

from mmcluster.functional.views import geometry

FILTER = dict(bilinear=InterpolationMode.BILINEAR, bicubic=InterpolationMode.BICUBIC,
              nearest=InterpolationMode.NEAREST)


def boxes(height, width, seed=0):
    generator = torch.Generator().manual_seed(seed)
    tall = torch.randint(2, height + 1, (B,), generator=generator)
    wide = torch.randint(2, width + 1, (B,), generator=generator)
    top = (torch.rand(B, generator=generator) * (height - tall + 1)).long()
    left = (torch.rand(B, generator=generator) * (width - wide + 1)).long()
    return torch.stack((top, left, tall, wide), 1)


@pytest.mark.parametrize('channels', [1, 2, 3])
@pytest.mark.parametrize('size', [(32, 32), (24, 20), (11, 7), (1, 3)])
@pytest.mark.parametrize('interpolation', ['bilinear', 'bicubic'])
def test_resized_crop_matches_pillow(size, interpolation, channels):
    images, box = pixels(channels), boxes(H, W)
    if interpolation == 'bicubic':          # no clipping between the passes, whose order differs
        images = images // 2 + 64
    flip = torch.arange(B) % 3 == 0
    result = geometry.resized_crop(images / 255, box, size, flip, interpolation)

    def reference(im, row):
        out = TF.resized_crop(im, *box[row].tolist(), list(size), FILTER[interpolation])
        return TF.hflip(out) if flip[row] else out
    if channels == 2:                                              # Pillow has no such mode: planes one by one
        singles = torch.cat([geometry.resized_crop(images[:, c:c + 1] / 255, box, size, flip, interpolation)
                             for c in range(2)], 1)
        assert torch.equal(result, singles)
        return
    # Pillow rounds to 8 bits after each of its two passes.
    assert gaps(result, images, reference).max() <= (1.01 if interpolation == 'bilinear' else 1.6)


def test_resized_crop_of_the_whole_image_is_exact():
    x = pixels() / 255
    whole = torch.tensor([[0, 0, H, W]]).expand(B, -1)
    assert torch.equal(geometry.resized_crop(x, whole, (H, W)), x)
    mirrored = geometry.resized_crop(x, whole, (H, W), torch.ones(B, dtype=torch.bool))
    assert torch.equal(mirrored, x.flip(-1))


@pytest.mark.parametrize('channels', [1, 3])
@pytest.mark.parametrize('interpolation', ['nearest', 'bilinear'])
def test_affine_matches_torchvision(interpolation, channels):
    images = pixels(channels)
    angle, scale = uniform(-40, 40), uniform(0.7, 1.4, 1)
    shear = torch.stack((uniform(-20, 20, 2), uniform(-15, 15, 3)), 1)
    shift = torch.stack((uniform(-6, 6, 4), uniform(-6, 6, 5)), 1).round()
    matrix = geometry.affine_matrix(angle, shift, scale, shear, H, W)
    result = geometry.affine(images / 255, matrix, interpolation)
    distance = gaps(result, images, lambda im, row: TF.affine(
        im, angle[row].item(), [int(v) for v in shift[row]], scale[row].item(), shear[row].tolist(),
        FILTER[interpolation]))
    # Where a centre falls on a border of two pixels, or of the image, rounding decides.
    assert (distance > 2).float().mean() < 0.004


def test_identity_affine_is_exact():
    x = pixels() / 255
    zero = torch.zeros(B)
    matrix = geometry.affine_matrix(zero, torch.zeros(B, 2), zero + 1, torch.zeros(B, 2), H, W)
    assert torch.equal(geometry.affine(x, matrix, 'nearest'), x)
    assert torch.allclose(geometry.affine(x, matrix, 'bilinear'), x, atol=1e-6)
