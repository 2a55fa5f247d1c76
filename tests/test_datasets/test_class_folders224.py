"""The six sets of class folders at 224 pixels: views as published, images of any size and kind, odd folders."""
import warnings

import numpy as np
import pytest
import torch
from PIL import Image
from reduced import read_stage

from mmcluster.datasets import ClassFolderSource, IndexedDataset
from mmcluster.registry import DATASETS
from mmcluster.structures import Key

pytestmark = pytest.mark.usefixtures('engine')
NAMES = ('rsod', 'uc_merced', 'siri_whu', 'aid', 'd0', 'chaoyang')
RNG = np.random.default_rng(0)
STRONG = ['RandomResizedCrop', 'RandomApply', 'RandomGrayscale', 'PILGaussianBlur', 'RandomHorizontalFlip']


def read(name):
    return read_stage(f'pici_vit_small_{name}')


def steps(view):
    return [step.type.split('/')[-1] for step in view]


def photo(path, size=(40, 30), mode='RGB', **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    coarse = Image.fromarray(RNG.integers(0, 256, (5, 6, 3), dtype=np.uint8))
    coarse.resize(size, Image.Resampling.BICUBIC).convert(mode).save(path, **options)


@pytest.fixture
def root(tmp_path):
    """Three classes of images whose sizes, modes and formats differ."""
    photo(tmp_path / 'a' / '1.jpg', (300, 260), quality=90)
    photo(tmp_path / 'a' / '2.TIF', (256, 256))
    photo(tmp_path / 'b' / '1.JPG', (231, 400), 'L', quality=90)
    photo(tmp_path / 'b' / '2.tiff', (190, 200), 'P')
    photo(tmp_path / 'c' / 'JPEGImages' / '1.png', (12, 7), 'RGBA')
    photo(tmp_path / 'c' / 'JPEGImages' / '2.tif', (600, 600), 'L')
    return tmp_path


@pytest.mark.parametrize('name', NAMES)
def test_released_and_paper_views(name):
    cfg = read(name)
    pipelines = cfg.train_dataloader.dataset.pipelines
    first, second = pipelines.batch
    assert steps(first) == STRONG and steps(second) == STRONG[:4] + ['RandomSolarize', STRONG[4]]
    assert [step for step in second if 'Solarize' not in step.type] == first
    crop, jitter, gray, blur, solarize, flip = second
    assert crop.size == 224 and crop.scale == (0.08, 1.) and jitter.prob == 0.8 and gray.p == 0.2 and flip.p == 0.5
    assert jitter.transforms == [dict(type='torchvision/ColorJitter', brightness=0.4, contrast=0.4, saturation=0.2,
                                      hue=0.1)]
    assert blur.radius == (0.1, 2.) and 'prob' not in blur and solarize.threshold == 128 and solarize.p == 0.2
    assert pipelines.test == [[dict(type='torchvision/Resize', size=(224, 224))]]
    assert cfg.val_dataloader.dataset.pipelines.test == pipelines.test
    assert cfg.train_dataloader.sampler.streams.batch.size == 96
    assert cfg.train_dataloader.dataset.source == cfg.val_dataloader.dataset.source, 'all images are both'


@pytest.mark.parametrize('name', ['uc_merced', 'uc_merced_weak_strong'])
def test_images_of_any_size_and_kind(root, name):
    given = read(name).train_dataloader.dataset
    given.source.root = str(root)
    dataset = DATASETS.build(given)
    rows = dataset[[Key(i, 'batch', 5) for i in range(6)] + [Key(i, 'test') for i in range(6)]]
    assert [view.shape for view in rows['batch'].images] == [(6, 3, 224, 224)] * 2
    assert all(view.dtype == torch.uint8 and view.is_contiguous() for view in rows['batch'].images)
    assert not torch.equal(*rows['batch'].images)
    source = ClassFolderSource(root, splits=None)
    for i, got in enumerate(rows['test'].images[0]):
        expected = source.load(i).resize((224, 224), Image.Resampling.BILINEAR)
        assert np.array_equal(got.permute(1, 2, 0), np.asarray(expected))
    assert torch.equal(rows['test'].images[0], rows['batch'].images[0]) is (name == 'uc_merced_weak_strong')


def test_solarized_is_a_fifth_of_the_second_view(tmp_path):
    """Jitter leaves a white image brighter than 128, solarisation makes it dark."""
    (tmp_path / 'a').mkdir()
    for name in '12':
        Image.new('L', (30, 30), 255).save(tmp_path / 'a' / f'{name}.png')
    given = read('rsod').train_dataloader.dataset
    given.source.root = str(tmp_path)
    for view in given.pipelines.batch:
        view[0].size = 8
    views = DATASETS.build(given)[[Key(0, 'batch', draw) for draw in range(400)]]['batch'].images
    dark = [(view.float().mean((1, 2, 3)) < 128).float().mean().item() for view in views]
    assert dark[0] == 0 and abs(dark[1] - 0.2) < 0.06


def test_a_class_of_one_image_is_named(root):
    photo(root / 'lonely' / 'x.png')
    photo(root / 'second' / 'x.png')
    with pytest.warns(UserWarning, match=r'2 of 5 classes have fewer than two images: lonely \(1\), second \(1\)\.'):
        source = ClassFolderSource(root, splits=None)
    assert np.bincount(source.labels).tolist() == [2, 2, 2, 1, 1] and source.classes[3] == 'lonely'
    view = [dict(type='torchvision/Resize', size=(4, 4))]
    rows = IndexedDataset(source, pipelines=dict(test=[view]), test_mode=True)[[Key(i, 'test') for i in range(8)]]
    assert rows['test'].label.tolist() == source.labels.tolist()
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        ClassFolderSource(root, splits=None, classes=['a', 'b', 'c'])


def test_other_files_are_passed_over(root):
    expected = ClassFolderSource(root, splits=None).paths
    for name in ('Thumbs.db', '.DS_Store', 'a/Thumbs.db', 'a/.DS_Store', 'a/._1.jpg', 'b/notes.xml', 'b/1.JPG.txt',
                 'c/Annotation/labels/1.txt', 'c/Annotation/xml/1.xml', 'readme.txt', '.ipynb_checkpoints/x.png'):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b'no image')
    source = ClassFolderSource(root, splits=None)
    assert source.paths == expected and source.classes == ('a', 'b', 'c')
    (root / 'empty').mkdir()
    with pytest.raises(FileNotFoundError, match='empty holds no image .* Fill or remove it, or name the wanted'):
        ClassFolderSource(root, splits=None)
    (root / 'empty' / 'note.txt').write_text('x')
    with pytest.raises(FileNotFoundError, match='empty holds no image'):
        ClassFolderSource(root, splits=None)
    assert ClassFolderSource(root, splits=None, classes=['a', 'b', 'c']).paths == expected


def test_too_large_for_memory_names_the_worker_door(root):
    with pytest.raises(ValueError, match='differ in size .* use pipelines that end in a fixed size'):
        IndexedDataset(ClassFolderSource(root, splits=None), cache=False)
