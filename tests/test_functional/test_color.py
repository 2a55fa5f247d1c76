"""Colour and tone operations against Pillow and torchvision on the same explicit parameters."""
import pytest
import torch
import torchvision.transforms.functional as TF
from PIL import ImageOps
from pillow_reference import B, gaps, pixels, uniform

from mmcluster.functional.views import augment, color


@pytest.mark.parametrize('channels', [1, 3])
@pytest.mark.parametrize('op,reference,high', [
    (color.adjust_brightness, TF.adjust_brightness, 1.8), (color.adjust_contrast, TF.adjust_contrast, 1.8),
    (color.adjust_saturation, TF.adjust_saturation, 1.8), (augment.adjust_sharpness, TF.adjust_sharpness, 1.8)])
def test_blends_match_pillow(op, reference, high, channels):
    images, factor = pixels(channels), uniform(0., high)
    result = op(images / 255, factor)
    assert gaps(result, images, lambda im, row: reference(im, factor[row].item())).max() <= 1.6
    assert torch.allclose(op(images / 255, torch.ones(B)), images / 255, atol=1e-6)


def test_hue_matches_torchvision():
    images, shift = pixels() / 255, uniform(-0.5, 0.5)
    shift[:3] = torch.tensor([-0.5, 0.5, 0.])
    expected = torch.stack([TF.adjust_hue(image, s.item()) for image, s in zip(images, shift)])
    assert (color.adjust_hue(images, shift) - expected).abs().max() < 1e-5
    small = uniform(-0.1, 0.1)
    distance = gaps(color.adjust_hue(images, small), pixels(), lambda im, row: TF.adjust_hue(im, small[row].item()))
    # Pillow rounds hue and shift down to 1/256 of a turn, each worth up to 6 levels, and saturation to 8 bits.
    assert distance.max() <= 16 and distance.mean() < 2
    assert torch.equal(color.adjust_hue(images[:, :1], shift), images[:, :1])


def test_hue_of_pure_and_equal_colors():
    basis = torch.tensor([[1., 0, 0], [1, 1, 0], [0, 1, 0], [0, 1, 1], [0, 0, 1], [1, 0, 1]])
    x = basis[:, :, None, None]
    turned = color.adjust_hue(x, torch.full((6,), 1 / 6))
    assert torch.allclose(turned, x.roll(-1, 0), atol=1e-6)
    grey = torch.full((1, 3, 2, 2), 0.3)
    assert torch.allclose(color.adjust_hue(grey, torch.tensor([0.4])), grey)


@pytest.mark.parametrize('channels', [1, 3])
def test_tone_operations_match_pillow(channels):
    images = pixels(channels)
    images[1] = 77                                                 # one grey level only
    images[2] = images[2] // 4 + 60
    x = images / 255
    threshold = torch.tensor([0., 256, 128, 77] + [50.] * (B - 4))
    bits = torch.tensor([4, 5, 6, 7, 8, 1] + [4] * (B - 6))
    grey = color.grayscale(x)
    assert gaps(grey, images, lambda im, _: TF.to_grayscale(im, channels)).max() <= 1
    assert gaps(color.solarize(x, threshold), images,
                lambda im, row: ImageOps.solarize(im, threshold[row].item())).max() < 1e-3
    assert gaps(color.posterize(x, bits), images,
                lambda im, row: ImageOps.posterize(im, bits[row].item())).max() < 1e-3
    assert gaps(color.autocontrast(x), images, lambda im, _: ImageOps.autocontrast(im)).max() <= 1
    assert gaps(color.equalize(x), images, lambda im, _: ImageOps.equalize(im)).max() < 1e-3


def test_equalize_of_a_tiny_image_only_rounds():
    x = torch.rand(2, 1, 4, 4, generator=torch.Generator().manual_seed(0))
    assert (color.equalize(x) - x).abs().max() <= 0.5 / 255 + 1e-6


def test_color_operations_refuse_other_channel_counts():
    with pytest.raises(ValueError, match='C = 1 or C = 3'):
        color.grayscale(torch.rand(1, 4, 2, 2))
