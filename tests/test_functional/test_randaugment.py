"""The fourteen operations of FixMatch and SCAN: batched against Pillow, each at strengths over its whole range."""
import pytest
import torch
from PIL import ImageDraw
from pillow_reference import B, H, W, gaps, pixels

from mmcluster.datasets.transforms.pil import PIL_OPS
from mmcluster.functional.views.augment import cutout
from mmcluster.functional.views.randaugment import (APPLY, FIXMATCH_OPS, SCAN_OPS, cutout_box, rand_augment, square_box,
                                                    strengths)

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
    small = {name for name in NAMES if SCAN_OPS[name] != FIXMATCH_OPS[name]}
    assert list(SCAN_OPS) == NAMES and small == {'ShearX', 'ShearY', 'TranslateX', 'TranslateY'}
    assert all(SCAN_OPS[name] == (-0.1, 0.1) for name in small)


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
    choice = torch.tensor([[NAMES.index('ShearX'), NAMES.index('Rotate'), NAMES.index('TranslateY')]])
    assert torch.allclose(strengths(choice, torch.tensor([[0., 1., 0.75]]), SCAN_OPS), torch.tensor([[-0.1, 30, 0.05]]))


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


def test_square_box_is_cut_short_by_the_edges():
    centre = torch.tensor([[10, 12], [0, 0], [H - 1, W - 1], [5, 7]] * 3)
    side = torch.tensor([5, 6, 4, 1] * 3)
    box = square_box(centre, side)
    assert box[:4].tolist() == [[8, 10, 12, 14], [-3, -3, 2, 2], [H - 3, W - 3, H, W], [5, 7, 5, 7]]
    images = pixels()
    result = cutout(images / 255, box, [125 / 255, 123 / 255, 114 / 255])
    for row in range(4):                                            # slow oracle: pixel by pixel
        expected = images[row].float()
        for i in range(H):
            for j in range(W):
                if all(-(side[row] // 2) <= p - c < side[row] - side[row] // 2
                       for p, c in zip((i, j), centre[row].tolist())):
                    expected[:, i, j] = torch.tensor([125., 123., 114.])
        assert (result[row] * 255 - expected).abs().max() < 1e-3
