"""The data set parts: which images each protocol trains and evaluates on, and in which order."""
import numpy as np
import pytest
from mmengine.config import Config
from reduced import CONFIGS
from test_stl10 import COUNTS, write

from mmcluster.recipes import PartReader, compose
from mmcluster.recipes.merging import merge_parts
from mmcluster.registry import DATASETS

FOLDER = CONFIGS / 'parts' / 'data'
NAMES = sorted(path.stem for path in FOLDER.glob('*.py')
               if 'source' in merge_parts([f'data/{path.stem}'], PartReader().read).get('facts', {}))


def read(name):
    """The loaders of a data set, composed of its part alone."""
    return Config(compose(dict(alone=dict(parts=[f'data/{name}'])), 'alone', PartReader().read))


def test_there_are_data_sets():
    assert len(NAMES) > 20


@pytest.mark.parametrize('name', NAMES)
def test_the_loaders_of_every_config(name):
    cfg = read(name)
    assert cfg.test_dataloader.to_dict() == cfg.val_dataloader.to_dict()
    assert cfg.val_dataloader.dataset.test_mode and 'test_mode' not in cfg.train_dataloader.dataset
    for loader in (cfg.train_dataloader, cfg.val_dataloader):
        assert loader.batch_size is None and loader.collate_fn.type == 'mmcluster.identity'
        assert loader.dataset.get('size') == cfg.train_dataloader.dataset.get('size')


@pytest.mark.parametrize('name, train, test', [
    ('cifar10', 'train+test', 'train+test'), ('cifar20', 'train+test', 'train+test'), ('cifar10_split', 'train', 'test'),
    ('cifar20_split', 'train', 'test'), ('stl10', 'train+test', 'train+test'), ('stl10_split', 'train', 'test'),
    ('stl10_pretext', 'train+test+unlabeled', 'train+test'), ('stl10_pretext_split', 'train+unlabeled', 'test'),
    ('tiny_imagenet', 'train', 'train')])
def test_splits(name, train, test):
    cfg = read(name)
    kinds = dict(cifar10='CIFAR10Source', cifar20='CIFAR100Source', stl10='STL10Source', tiny='TinyImageNetSource')
    for loader, split in ((cfg.train_dataloader, train), (cfg.val_dataloader, test)):
        source = loader.dataset.source
        assert source.split == split and source.type == kinds[name.split('_')[0]]
        assert source.get('coarse', False) == name.startswith('cifar20')


def test_rows_of_the_pretext_task_begin_with_the_training_images(tmp_path):
    write(tmp_path)
    sets = {}
    for name in ('stl10', 'stl10_split', 'stl10_pretext', 'stl10_pretext_split'):
        cfg = read(name)
        for loader in ('train', 'val'):
            given = cfg[f'{loader}_dataloader'].dataset
            given.source.root = str(tmp_path)
            sets[name, loader] = DATASETS.build(given)
    whole, split = 'stl10', 'stl10_split'
    assert [len(sets[key]) for key in sets] == [11, 11, 6, 5, 18, 11, 13, 5] and COUNTS['unlabeled'] == 7
    for name, pretext in ((whole, 'stl10_pretext'), (split, 'stl10_pretext_split')):
        rows = list(range(len(sets[name, 'train'])))
        first, second = (sets[key, 'train'][rows]['batch'].images[0] for key in (name, pretext))
        assert np.array_equal(first, second)
        assert sets[name, 'val'].fingerprint == sets[pretext, 'val'].fingerprint
        assert (sets[pretext, 'train'].labels[len(rows):] == -1).all() and (sets[pretext, 'val'].labels >= 0).all()


@pytest.mark.parametrize('name', ['imagenet10', 'imagenet_dogs'])
def test_class_lists(name):
    cfg = read(name)
    for loader in (cfg.train_dataloader, cfg.val_dataloader):
        assert loader.dataset.source.classes == name and loader.dataset.source.splits is None


def test_the_environment_sets_the_imbalance(monkeypatch):
    for given, expected in ((None, 0.2), ('0.6', 0.6)):
        if given:
            monkeypatch.setenv('ZETA', given)
        cfg = read('cifar10_imbalanced')
        assert cfg.train_dataloader.dataset.source.zeta == expected
        assert cfg.train_dataloader.dataset.source.source.split == 'train'
        assert cfg.val_dataloader.dataset.source == dict(type='CIFAR10Source', root='data/cifar10', split='test')
