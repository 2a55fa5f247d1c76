"""Registered batched operations (draws, rates, independence of rows) and PIL transforms of the worker door."""
import copy
import pickle
import random

import numpy as np
import pytest
import torch
from mmpretrain.registry import TRANSFORMS as UPSTREAM
from PIL import Image
from torchvision.transforms.functional import center_crop

from mmcluster.datasets import transforms as package
from mmcluster.datasets.transforms import (BatchAffine, BatchCenterCrop, BatchColorJitter, BatchCutout,
                                           BatchFixMatchRandAugment, BatchFlip, BatchGaussianBlur, BatchGrayscale,
                                           BatchRandomCrop, BatchRandomResizedCrop, BatchResize, BatchSCANAugment,
                                           BatchSolarize, BatchSquareCutout, FixMatchCutout, FixMatchRandAugment,
                                           PILGaussianBlur, SCANAugment, SquareCutout)
from mmcluster.functional.rng import Draws
from mmcluster.functional.views import augment
from mmcluster.functional.views.randaugment import FIXMATCH_OPS, SCAN_OPS
from mmcluster.registry import TRANSFORMS

OPS = dict(
    resized=BatchRandomResizedCrop(12, flip_prob=0.5), crop=BatchRandomCrop(13, padding=3, flip_prob=0.5),
    flip=BatchFlip(), jitter=BatchColorJitter(0.4, 0.4, 0.4, 0.1, prob=0.8), gray=BatchGrayscale(0.4),
    blur=BatchGaussianBlur(kernel=7), solarize=BatchSolarize(prob=0.5), resize=BatchResize((10, 17), 'bicubic'),
    affine=BatchAffine(20, (0.2, 0.1), (0.8, 1.2), (10, 5)), cutout=BatchCutout(),
    randaugment=BatchFixMatchRandAugment(), scan=BatchSCANAugment(), square=BatchSquareCutout(9, (125.3, 123., 113.9)),
    zero_crop=BatchRandomCrop(13, padding=3, flip_prob=0.5, padding_mode='constant'))


def images(n, channels=3, height=13, width=15):
    """Float images (n, C, H, W) whose sizes divide no vector register."""
    return torch.randint(0, 256, (n, channels, height, width), generator=torch.Generator().manual_seed(0)) / 255


def draws(n, view=0):
    return Draws((7 << 32) + torch.arange(n) * 3, torch.arange(n) * 11 % 97, view)


def pick(stream, rows):
    """The same rows of a batch as a batch of their own."""
    chosen = copy.copy(stream)
    chosen.key = stream.key[rows]
    return chosen


@pytest.mark.parametrize('channels', [1, 3])
@pytest.mark.parametrize('name', OPS)
def test_rows_do_not_see_their_batch(name, channels):
    x, op = images(64, channels), OPS[name]
    before = x.clone()
    full = op(x, draws(64))
    assert torch.equal(x, before) and torch.isfinite(full).all() and full.min() >= 0 and full.max() <= 1
    assert torch.equal(op(x, draws(64)), full)
    generator = torch.Generator().manual_seed(1)
    for n in range(1, 65):
        rows = torch.randperm(64, generator=generator)[:n]
        assert torch.equal(op(x[rows], pick(draws(64), rows)), full[rows]), n
    assert op(x[:0], pick(draws(64), slice(0, 0))).shape[0] == 0
    fast = x.contiguous(memory_format=torch.channels_last)
    assert torch.equal(op(fast, draws(64)), full)


@pytest.mark.parametrize('name', OPS)
def test_no_size_is_fetched_from_the_device(name):
    # A meta tensor refuses whatever an accelerator would have to wait for: item(), nonzero(), boolean indexing.
    result = OPS[name](images(16).to('meta'), draws(16))
    assert result.device.type == 'meta' and result.shape == OPS[name](images(16), draws(16)).shape


@pytest.mark.parametrize('name', [name for name in OPS if name != 'resize'])
def test_views_and_rows_get_different_parameters(name):
    x = images(1).expand(64, -1, -1, -1)
    first, second = (OPS[name](x, draws(64, view)) for view in (0, 1))
    assert (first != second).flatten(1).any(1).float().mean() > 0.15
    assert (first[1:] != first[:1]).flatten(1).any(1).float().mean() > 0.15


@pytest.mark.parametrize('name', OPS)
def test_operations_pickle_and_draw_a_fixed_number(name):
    x, stream = images(8), draws(8)
    full = OPS[name](x, stream)
    again = pickle.loads(pickle.dumps(OPS[name]))
    assert torch.equal(again(x, draws(8)), full)
    one, other = draws(1), draws(1, view=5)
    OPS[name](x[:1], one), OPS[name](x[:1], other)
    assert one.counter == stream.counter == other.counter


@pytest.mark.parametrize('op,rate', [(BatchFlip(0.3), 0.3), (BatchGrayscale(0.2), 0.2), (BatchSolarize(prob=0.2), 0.2),
                                     (BatchGaussianBlur(5, prob=0.5), 0.5), (BatchColorJitter(0.4, prob=0.8), 0.8),
                                     (BatchFlip(0.), 0.), (BatchFlip(1.), 1.)])
def test_rates(op, rate):
    n = 4000
    x = images(1, height=5, width=4).expand(n, -1, -1, -1)
    changed = (op(x, draws(n)) != x).flatten(1).any(1).float().mean().item()
    assert abs(changed - rate) < (0.03 if 0 < rate < 1 else 1e-9)


def test_flip_of_crops_has_its_rate_and_is_a_mirror_image():
    n = 4000
    x = images(1, height=6, width=6).expand(n, -1, -1, -1)
    result = BatchRandomCrop(6, flip_prob=0.3)(x, draws(n))
    mirrored = (result == x.flip(-1)).flatten(1).all(1)
    assert abs(mirrored.float().mean() - 0.3) < 0.03 and ((result == x).flatten(1).all(1) ^ mirrored).all()


def test_random_crop_reaches_every_offset_equally():
    n = 9000
    x = torch.arange(36.).view(1, 1, 6, 6).expand(n, -1, -1, -1) / 36
    corner = (BatchRandomCrop(4)(x, draws(n))[:, 0, 0, 0] * 36).round().long()
    counts = torch.bincount(corner)
    assert counts.nonzero().flatten().tolist() == [0, 1, 2, 6, 7, 8, 12, 13, 14]
    assert (counts[counts > 0] - 1000).abs().max() < 150
    with pytest.raises(ValueError, match='must fit'):
        BatchRandomCrop(9, padding=1)(x, draws(n))


def test_jitter_draws_factors_in_their_ranges(monkeypatch):
    seen = {}
    monkeypatch.setattr('mmcluster.datasets.transforms.batched.color_jitter',
                        lambda x, order, factors, applied: seen.update(order=order, factors=factors, applied=applied))
    BatchColorJitter(0.4, 1.5, 0.2, 0.1, prob=0.8)(images(1).expand(5000, -1, -1, -1), draws(5000))
    for column, (low, high) in enumerate(((0.6, 1.4), (0., 2.5), (0.8, 1.2), (-0.1, 0.1))):
        value = seen['factors'][:, column]
        assert low <= value.min() < low + 0.01 * (high - low) and high - 0.01 * (high - low) < value.max() <= high
        assert abs(value.mean() - (low + high) / 2) < 0.03 * (high - low)
    assert torch.bincount((seen['order'] * torch.tensor([64, 16, 4, 1])).sum(1)).gt(0).sum() == 24
    assert abs(seen['applied'].float().mean() - 0.8) < 0.02
    correlation = torch.corrcoef(seen['factors'].T) - torch.eye(4)
    assert correlation.abs().max() < 0.06


@pytest.mark.parametrize('op, steps, table', [(BatchFixMatchRandAugment(), 3, FIXMATCH_OPS),
                                              (BatchSCANAugment(), 4, SCAN_OPS)])
def test_randaugment_draws_with_replacement_from_all_operations(monkeypatch, op, steps, table):
    seen = {}
    monkeypatch.setattr('mmcluster.datasets.transforms.batched_strong.rand_augment',
                        lambda x, choice, strength: seen.update(choice=choice, strength=strength))
    op(images(1).expand(7000, -1, -1, -1), draws(7000))
    assert seen['choice'].shape == (7000, steps)
    counts = torch.bincount(seen['choice'].flatten(), minlength=14)
    assert len(counts) == 14 and (counts - 500 * steps).abs().max() < 160
    assert abs((seen['choice'][:, 0] == seen['choice'][:, 1]).float().mean() - 1 / 14) < 0.015
    for number, (low, high) in enumerate(table.values()):
        value = seen['strength'][seen['choice'] == number]
        assert low <= value.min() < low + 0.02 * (high - low) and high - 0.02 * (high - low) < value.max() <= high


def test_cutout_share_and_color():
    n = 3000
    x = torch.full((1, 3, 40, 40), 1.).expand(n, -1, -1, -1)
    painted = (BatchCutout()(x, draws(n)) < 1).all(1)
    wide = painted.any(1).sum(1)
    assert wide.max() == 20 and abs(wide.float().mean() - 10) < 1.5          # side uniform in 0..20, or cut short
    result = BatchCutout()(x, draws(n))
    levels = (result.movedim(1, -1)[painted][0] * 255).round().tolist()
    assert levels == [125, 123, 114]
    grey = BatchCutout()(x[:, :1], draws(n))
    assert (grey.min() * 255).round() == 123


def test_square_cutout_has_every_side_equally_often_anywhere():
    n, mean = 16000, (125.3, 123., 113.9)
    x = torch.full((1, 3, 40, 36), 1.).expand(n, -1, -1, -1)
    result = BatchSquareCutout(16, mean)(x, draws(n))
    painted = (result < 1).all(1)
    tall, wide = painted.any(2).sum(1), painted.any(1).sum(1)
    levels = result.movedim(1, -1)[painted]
    assert torch.allclose(levels, torch.tensor(mean) / 255) and (painted.sum((1, 2)) == tall * wide).all()
    row, column = painted.any(2).float(), painted.any(1).float()
    whole = ~(painted[:, [0, -1]].any(2).any(1) | painted[:, :, [0, -1]].any(2).any(1))     # no edge cuts these short
    assert torch.equal(tall[whole], wide[whole])
    top, left = row.argmax(1)[whole], column.argmax(1)[whole]
    side = tall[whole]
    for value in range(1, 17):
        inside = (39 - value) * (35 - value)                                                # positions off the edges
        share = (side == value).float().mean() * whole.float().mean()
        assert abs(share - inside / (40 * 36) / 16) < 0.008, value
    assert side.max() == 16 and tall.max() == 16
    assert abs((top + side // 2).float().mean() - 20) < 0.5 and abs((left + side // 2).float().mean() - 18) < 0.5
    grey = BatchSquareCutout(16, (120.5,))(x[:, :1], draws(n))
    assert torch.equal((grey < 1)[:, 0], painted) and torch.allclose(grey.min(), torch.tensor(120.5 / 255))


def test_colors_fit_the_channels():
    for op in (BatchCutout(color=(1, 2)), BatchSquareCutout(3, (100.,))):
        with pytest.raises(ValueError, match='does not fit images of 3 channels'):
            op(images(2), draws(2))
    for make in (BatchSquareCutout, SquareCutout):
        for side in (0, 0.5):
            with pytest.raises(ValueError, match='whole number of pixels'):
                make(side, (1, 2, 3))


def test_random_crop_pads_with_black():
    n = 2000
    x = torch.ones(1, 1, 6, 6).expand(n, -1, -1, -1)
    result = BatchRandomCrop(6, padding=2, padding_mode='constant')(x, draws(n))[:, 0]
    area = result.sum((1, 2)).long()
    assert set(result.unique().tolist()) == {0., 1.} and set(area.tolist()) == {36, 30, 24, 25, 20, 16}
    for value, share in ((36, 1), (30, 4), (24, 4), (25, 4), (20, 8), (16, 4)):              # of 25 places
        assert abs((area == value).float().mean() - share / 25) < 0.04
    assert (BatchRandomCrop(6, padding=2)(x, draws(n)) == 1).all()
    with pytest.raises(ValueError, match="padding_mode must be one of .*'zeros'"):
        BatchRandomCrop(6, padding=2, padding_mode='zeros')


def test_test_view_is_deterministic_and_cheap():
    x = images(3)
    assert BatchResize((13, 15))(x, draws(3)) is x
    assert torch.equal(BatchResize(9)(x, draws(3, 0)), BatchResize(9)(x, draws(3, 1)))


def test_the_middle():
    x = images(2)                                                                           # 13 x 15
    assert torch.equal(BatchCenterCrop((9, 10))(x, draws(2)), x[:, :, 2:11, 2:12])
    assert torch.equal(BatchCenterCrop((13, 15))(x, draws(2)), x)
    with pytest.raises(ValueError, match='enlarge them first by BatchResize'):
        BatchCenterCrop(14)(x, draws(2))
    for side in range(1, 14):
        assert torch.equal(BatchCenterCrop(side)(x, draws(2)), center_crop(x, side)), side


def test_parameters_are_checked():
    for options in (dict(shear=(-8, 8)), dict(degrees=-1), dict(translate=(0., -0.1))):     # no limits, but largest values
        with pytest.raises(ValueError, match=f'BatchAffine: {next(iter(options))} must be at least 0'):
            BatchAffine(**options)
    with pytest.raises(ValueError, match='hue'):
        BatchColorJitter(hue=0.7)
    with pytest.raises(ValueError, match='odd'):
        BatchGaussianBlur(kernel=4)


def test_names_are_registered_and_free_upstream():
    for name in package.__all__:
        assert TRANSFORMS.get(name) is getattr(package, name)
        assert name not in UPSTREAM.module_dict


def pil_image(mode='RGB', size=(20, 16)):
    levels = np.random.default_rng(0).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    return Image.fromarray(levels).convert(mode)


@pytest.mark.parametrize('mode', ['RGB', 'L'])
@pytest.mark.parametrize('transform', [FixMatchRandAugment(3), FixMatchCutout(), SCANAugment(), PILGaussianBlur(),
                                       SquareCutout(8, (125.3, 123., 113.9))])
def test_pil_transforms_survive_and_are_seeded_by_random(transform, mode):
    transform = pickle.loads(pickle.dumps(transform))
    image = pil_image(mode)
    original, results = np.asarray(image).copy(), []
    for seed in range(50):
        random.seed(seed)
        out = transform(dict(img=image, index=4))
        assert out['index'] == 4 and out['img'].mode == mode and out['img'].size == image.size
        random.seed(seed)
        assert np.array_equal(np.asarray(transform(dict(img=image))['img']), np.asarray(out['img']))
        results.append(np.asarray(out['img']))
    assert np.array_equal(np.asarray(image), original)
    assert len({result.tobytes() for result in results}) > 40


@pytest.mark.parametrize('transform, table', [(FixMatchRandAugment(4), FIXMATCH_OPS), (SCANAugment(), SCAN_OPS)])
def test_pil_randaugment_uses_every_operation(monkeypatch, transform, table):
    from mmcluster.datasets.transforms import pil
    used = {name: [] for name in table}
    monkeypatch.setattr(pil, 'PIL_OPS', {name: lambda im, v, name=name: used[name].append(v) or im for name in used})
    random.seed(0)
    for _ in range(750):
        transform(dict(img=None))
    for name, values in used.items():
        low, high = table[name]
        assert 150 < len(values) < 290 and low <= min(values) < low + 0.1 * (high - low) and max(values) <= high
        assert max(values) > high - 0.1 * (high - low)


def test_both_doors_cut_out_alike():
    white = Image.new('RGB', (40, 40), (255,) * 3)
    random.seed(0)
    shares = [(np.asarray(FixMatchCutout()(dict(img=white))['img']) < 255).all(2).mean() for _ in range(3000)]
    x = torch.ones(1, 3, 40, 40).expand(3000, -1, -1, -1)
    batched = (BatchCutout()(x, draws(3000)) < 1).all(1).float().mean((1, 2))
    assert abs(np.mean(shares) - batched.mean().item()) < 0.005
    assert abs(np.quantile(shares, 0.9) - batched.quantile(0.9).item()) < 0.02


def test_both_doors_paint_the_same_squares():
    mean, sizes = (125.3, 123., 113.9), {}
    white = Image.new('RGB', (36, 40), (255,) * 3)
    random.seed(0)
    results = [np.asarray(SquareCutout(16, mean)(dict(img=white))['img']) for _ in range(4000)]
    assert {tuple(image[(image < 255).all(2)][0].tolist()) for image in results} == {(125, 123, 114)}
    sizes['pil'] = torch.tensor([(image < 255).all(2).sum() for image in results])
    x = torch.ones(1, 3, 40, 36).expand(4000, -1, -1, -1)
    sizes['batched'] = (BatchSquareCutout(16, mean)(x, draws(4000)) < 1).all(1).sum((1, 2))
    first, second = (torch.quantile(sizes[door].float(), torch.linspace(0, 1, 9)) for door in ('pil', 'batched'))
    assert first[0] == second[0] == 1 and first[-1] == second[-1] == 256 and (first - second).abs().max() < 15


def test_blur_has_the_radius_as_standard_deviation():
    offset = np.arange(61) - 30
    bright = Image.fromarray(np.tile(np.uint8(255) * (offset == 0), (61, 1)))
    for radius in (1., 2., 4.):
        line = np.asarray(PILGaussianBlur((radius, radius))(dict(img=bright))['img'])[30].astype(float)
        assert abs(np.sqrt((line * offset ** 2).sum() / line.sum()) - radius) < 0.1 * radius


def test_blur_draws_radius_and_turn(monkeypatch):
    from mmcluster.datasets.transforms import pil
    drawn, filter_of = [], pil.ImageFilter.GaussianBlur
    monkeypatch.setattr(pil.ImageFilter, 'GaussianBlur', lambda radius: drawn.append(radius) or filter_of(radius))
    random.seed(0)
    for _ in range(2000):
        PILGaussianBlur((0.1, 2.), prob=0.3)(dict(img=pil_image(size=(4, 4))))
    assert abs(len(drawn) / 2000 - 0.3) < 0.04 and 0.1 <= min(drawn) < 0.15 and 1.95 < max(drawn) <= 2
    assert abs(np.mean(drawn) - 1.05) < 0.07
    for wrong in (dict(radius=(2., 0.1)), dict(radius=(-1., 1.)), dict(prob=1.5)):
        with pytest.raises(ValueError, match='PILGaussianBlur needs'):
            PILGaussianBlur(**wrong)


def test_mixes_with_wrapped_torchvision_transforms():
    pipeline = [TRANSFORMS.build(cfg) for cfg in (
        dict(type='torchvision/Resize', size=(20, 20), interpolation='bicubic'),
        dict(type='torchvision/RandomCrop', size=20, padding=2, padding_mode='reflect'),
        dict(type='torchvision/ColorJitter', brightness=0.4, contrast=0.4, saturation=0.4, hue=0.1),
        dict(type='FixMatchRandAugment', num_ops=3), dict(type='FixMatchCutout'))]
    for seed in range(50):
        random.seed(seed)
        results = dict(img=pil_image())
        for transform in pipeline:
            results = transform(results)
        assert results['img'].size == (20, 20) and results['img'].mode == 'RGB'


def test_apply_where_touches_marked_rows_only():
    x = images(4)
    marked = torch.tensor([True, False, False, True])
    result = augment.apply_where(x, marked, lambda part, value: part * 0 + value.view(-1, 1, 1, 1), torch.arange(4.))
    assert torch.equal(result[1:3], x[1:3]) and (result[0] == 0).all() and (result[3] == 3).all()
