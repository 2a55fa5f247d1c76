"""FixMatch's fourteen operations: batched against Pillow, each at strengths over its whole range."""
import pytest
import torch
from PIL import ImageDraw
from pillow_reference import B, H, W, gaps, pixels

from mmcluster.datasets.transforms.pil import PIL_OPS
from mmcluster.functional.augment import cutout
from mmcluster.functional.randaugment import APPLY, FIXMATCH_OPS, cutout_box, rand_augment, strengths

NAMES = list(FIXMATCH_OPS)
GEOMETRIC = {'Rotate', 'ShearX', 'ShearY', 'TranslateX', 'TranslateY'}


def test_table_is_the_published_one():
    assert len(NAMES) == 14 and list(APPLY) == NAMES and list(PIL_OPS) == NAMES
    for name in ('Brightness', 'Color', 'Contrast', 'Sharpness'):
        assert FIXMATCH_OPS[name] == (0.05, 0.95)
    assert FIXMATCH_OPS['Posterize'] == (4, 8) and FIXMATCH_OPS['Rotate'] == (-30, 30)
    assert FIXMATCH_OPS['Solarize'] == (0, 256)
    for name in ('ShearX', 'ShearY', 'TranslateX', 'TranslateY'):
        assert FIXMATCH_OPS[name] == (-0.3, 0.3)


@pytest.mark.parametrize('channels', [1, 3])
@pytest.mark.parametrize('name', NAMES)
def test_each_operation_matches_pillow(name, channels):
    images = pixels(channels) // 2 + 64
    choice = torch.full((B, 1), NAMES.index(name))
    strength = strengths(choice, torch.linspace(0, 0.999, B)[:, None])
    result = rand_augment(images / 255, choice, strength)
    distance = gaps(result, images, lambda im, row: PIL_OPS[name](im, strength[row].item()))
    if name in GEOMETRIC:       # a centre on the border of two pixels may be rounded to either
        assert (distance > 1).float().mean() < 0.01
    else:
        assert distance.max() <= 1.6
    if name not in ('Identity', 'Color') or (name == 'Color' and channels == 3):
        assert (result - images / 255).abs().max() > 0.02


def test_chain_follows_choice_and_strength_of_each_row():
    images = pixels()
    generator = torch.Generator().manual_seed(3)
    keep = torch.tensor([NAMES.index(name) for name in NAMES if name not in GEOMETRIC | {'Solarize', 'Equalize',
                                                                                        'Posterize'}])
    choice = keep[torch.randint(0, len(keep), (B, 3), generator=generator)]
    strength = strengths(choice, torch.rand(B, 3, generator=generator))
    result = rand_augment(images / 255, choice, strength)

    def reference(im, row):
        for number, value in zip(choice[row].tolist(), strength[row].tolist()):
            im = PIL_OPS[NAMES[number]](im, value)
        return im
    # Rounding of each step to 8 bits, stretched by a later AutoContrast.
    distance = gaps(result, images, reference)
    assert distance.mean() < 1.5 and distance.max() < 12


def test_strengths_scale_to_each_range():
    choice = torch.tensor([[NAMES.index('Rotate'), NAMES.index('Solarize'), NAMES.index('Color')]])
    assert torch.allclose(strengths(choice, torch.tensor([[0., 0.5, 1.]])), torch.tensor([[-30., 128, 0.95]]))


def test_cutout_box_and_paint():
    centre = torch.tensor([[0.5, 0.5], [0., 0.], [0.99, 0.99], [0.3, 0.7]] * 3)
    share = torch.tensor([0.5, 0.5, 0.4, 0.] * 3)
    box = cutout_box(centre, share, H, W)
    assert box[0].tolist() == [8, 6, 21, 19] and box[1].tolist() == [0, 0, 13, 13]
    assert box[2].tolist() == [24, 20, H, W]
    images = pixels()
    result = cutout(images / 255, box, [125 / 255, 123 / 255, 114 / 255])

    def reference(im, row):
        top, left, bottom, right = box[row].tolist()
        ImageDraw.Draw(im).rectangle((left, top, right, bottom), (125, 123, 114))
        return im
    assert gaps(result, images, reference).max() < 1e-3
