"""Composition, jitter, blur, sharpness, cutout and crop boxes against Pillow and torchvision."""
import math

import pytest
import torch
import torchvision.transforms.functional as TF
from PIL import Image, ImageDraw, ImageEnhance
from pillow_reference import B, H, W, gaps, pixels, uniform
from torchvision.transforms import RandomResizedCrop

from mmcluster.functional.rng import Draws
from mmcluster.functional.views import augment


@pytest.mark.parametrize('kernel', [1, 5, 23])
def test_blur_matches_torchvision(kernel):
    x, sigma = pixels() / 255, uniform(0.1, 2.)
    expected = torch.stack([TF.gaussian_blur(image, [kernel, kernel], [s.item()] * 2) for image, s in zip(x, sigma)])
    assert (augment.gaussian_blur(x, sigma, kernel) - expected).abs().max() < 1e-5


def test_blur_refuses_images_smaller_than_its_reach():
    with pytest.raises(ValueError, match='lower `kernel`'):
        augment.gaussian_blur(torch.rand(1, 1, 8, 8), torch.ones(1), 23)


def test_sharpness_leaves_images_without_interior():
    x = torch.rand(2, 1, 2, 9)
    assert torch.equal(augment.adjust_sharpness(x, torch.tensor([0., 0.5])), x)


def test_cutout_matches_image_draw():
    images = pixels()
    box = torch.tensor([[0, 0, 5, 6], [3, 4, 3, 4], [20, 20, H, W], [10, 0, 12, W - 1]] * 3)
    result = augment.cutout(images / 255, box, [125 / 255, 123 / 255, 114 / 255])

    def reference(im, row):
        top, left, bottom, right = box[row].tolist()
        ImageDraw.Draw(im).rectangle((left, top, right, bottom), (125, 123, 114))
        return im
    assert gaps(result, images, reference).max() < 1e-3


def test_color_jitter_follows_the_order_of_each_row():
    images = pixels()
    generator = torch.Generator().manual_seed(2)
    order = torch.rand(B, 4, generator=generator).argsort(1)
    factors = torch.stack((uniform(0.6, 1.4, 3), uniform(0.6, 1.4, 4), uniform(0.6, 1.4, 5), uniform(-.1, .1, 6)), 1)
    applied = torch.arange(B) % 4 != 0
    result = augment.color_jitter(images / 255, order, factors, applied)
    ops = (TF.adjust_brightness, TF.adjust_contrast, TF.adjust_saturation, TF.adjust_hue)
    for row in range(B):
        expected = images[row] / 255
        for op in order[row].tolist() if applied[row] else ():
            expected = ops[op](expected, factors[row, op].item())
        assert (result[row] - expected).abs().max() < 1e-4, row


def test_color_jitter_with_a_neutral_pillow_chain():
    images = pixels()
    order = torch.tensor([[2, 0, 3, 1]]).expand(B, -1)
    factors = torch.stack((uniform(0.6, 1.4, 3), uniform(0.6, 1.4, 4), uniform(0.6, 1.4, 5), uniform(-.1, .1, 6)), 1)
    result = augment.color_jitter(images / 255, order, factors, torch.ones(B, dtype=torch.bool))
    ops = (TF.adjust_brightness, TF.adjust_contrast, TF.adjust_saturation, TF.adjust_hue)

    def reference(im, row):
        for op in order[row].tolist():
            im = ops[op](im, factors[row, op].item())
        return im
    distance = gaps(result, images, reference)
    assert distance.mean() < 2 and distance.max() < 20


def test_apply_by_row_runs_steps_in_order():
    ops = (None, lambda x, v: x + v[:, None, None, None], lambda x, v: x * v[:, None, None, None])
    choice = torch.tensor([[1, 2], [2, 1], [0, 0], [2, 0], [1, 1]])
    value = torch.tensor([[3., 2], [2, 3], [9, 9], [5, 9], [1, 2]])
    result = augment.apply_by_row(torch.ones(5, 1, 1, 1), choice, ops, value)
    assert result.flatten().tolist() == [8, 5, 1, 5, 4]
    assert augment.apply_by_row(torch.ones(0, 1, 2, 2), choice[:0], ops, value[:0]).shape == (0, 1, 2, 2)


@pytest.mark.parametrize('height,width,scale,ratio', [
    (32, 32, (0.08, 1.), (3 / 4, 4 / 3)), (48, 20, (0.3, 1.), (3 / 4, 4 / 3)), (20, 96, (0.9, 1.), (3 / 4, 4 / 3)),
    (96, 20, (0.9, 1.), (3 / 4, 4 / 3))])
def test_crop_boxes_have_torchvisions_distribution(height, width, scale, ratio):
    n = 4000
    draws = Draws(torch.arange(n), torch.zeros(n, dtype=torch.long), 0)
    area = draws.uniform(10) * (scale[1] - scale[0]) + scale[0]
    low, high = math.log(ratio[0]), math.log(ratio[1])
    box = augment.crop_boxes(area, draws.uniform(10) * (high - low) + low, draws.uniform(2), height, width, ratio)
    top, left, tall, wide = box.unbind(1)
    assert (top >= 0).all() and (left >= 0).all() and (tall > 0).all() and (wide > 0).all()
    assert (top + tall <= height).all() and (left + wide <= width).all()
    torch.manual_seed(0)
    image = Image.new('L', (width, height))
    expected = torch.tensor([RandomResizedCrop.get_params(image, scale, ratio) for _ in range(n)])
    for share in (0.05, 0.25, 0.5, 0.75, 0.95):
        ours, theirs = (boxes.double().quantile(share, dim=0) for boxes in (box, expected))
        assert (ours - theirs).abs().max() <= 1 + 0.02 * max(height, width), share
    assert (box.double().mean(0) - expected.double().mean(0)).abs().max() < 0.03 * max(height, width)


def test_crop_boxes_fall_back_to_the_centre():
    area, log_ratio, offset = torch.full((1, 3), 1.), torch.zeros(1, 3), torch.tensor([[0.9, 0.9]])
    assert augment.crop_boxes(area, log_ratio, offset, 20, 97, (3 / 4, 4 / 3)).tolist() == [[0, 35, 20, 27]]
    assert augment.crop_boxes(area, log_ratio, offset, 97, 20, (3 / 4, 4 / 3)).tolist() == [[35, 0, 27, 20]]
    assert augment.crop_boxes(area, log_ratio, offset, 20, 22, (3 / 4, 4 / 3)).tolist() == [[0, 0, 20, 22]]


def test_sharpness_equals_pillow_enhancer():
    images, factor = pixels(), uniform(0.05, 0.95)
    result = augment.adjust_sharpness(images / 255, factor)
    assert gaps(result, images,
                lambda im, row: ImageEnhance.Sharpness(im).enhance(factor[row].item())).max() <= 1.6
