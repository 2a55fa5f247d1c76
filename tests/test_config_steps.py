"""Every shipped config without stages trains a step on tiny data in its own layout, with its schedules left alone."""
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.registry import init_default_scope
from PIL import Image
from reduced import CONFIGS, forget

from mmcluster.engine import recipe
from mmcluster.engine.launch import prepare
from mmcluster.registry import HOOKS
from mmcluster.structures import Key

SINGLES = [path for path in sorted(CONFIGS.glob('*.py')) if 'stages' not in Config.fromfile(path, lazy_import=False)]
LAYOUTS = dict(CIFAR10Source='cifar10', CIFAR100Source='cifar100', ClassFolderSource='classes', FolderSource='folder')


def read(path):
    return Config.fromfile(path, lazy_import=False)


@pytest.fixture(scope='module')
def data(tmp_path_factory):
    """Roots of 24 to 30 images in each layout."""
    rng, root = np.random.default_rng(0), tmp_path_factory.mktemp('data')

    def records(labels):
        return np.concatenate([np.array(labels, np.uint8).reshape(len(labels), -1),
                               rng.integers(0, 256, (len(labels), 3072), np.uint8)], 1).tobytes()

    def jpeg(path, size):
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (*size, 3), np.uint8)).save(path, quality=90)

    for folder in ('cifar10/cifar-10-batches-bin', 'cifar100/cifar-100-binary'):
        (root / folder).mkdir(parents=True)
    for name in [f'data_batch_{i}' for i in range(1, 6)] + ['test_batch']:
        (root / 'cifar10/cifar-10-batches-bin' / f'{name}.bin').write_bytes(records(range(4)))
    for name in ('train', 'test'):
        (root / 'cifar100/cifar-100-binary' / f'{name}.bin').write_bytes(records([(i, 5 * i) for i in range(12)]))
    for i in range(30):
        jpeg(root / 'classes' / f'n{i // 2:02d}' / f'{i}.jpg', (40 + i, 60 - i))
        jpeg(root / 'folder' / f'{i % 3}' / f'{i}.jpg', (80, 70 + i))
    return {name: str(root / name) for name in ('cifar10', 'cifar100', 'classes', 'folder')}


class Stopped(Exception):
    """Raised after the first step."""


@HOOKS.register_module(force=True)
class StopHook(Hook):
    """Ends a run after its first optimiser step and keeps what the step returned."""

    priority = 'LOWEST'
    losses: dict = {}
    before: dict = {}

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        StopHook.before = {name: param.clone() for name, param in runner.model.named_parameters() if param.ndim > 1}

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        StopHook.losses = outputs
        raise Stopped


def shrink(value):
    """Smaller batches, images of worker pipelines and shares that suit a few images; nothing else, in place."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in list(items):
        if key in ('num_workers', 'persistent_workers'):
            value[key] = 0
        elif key == 'sigma' and value.get('type') == 'CentroidDistance':
            value[key] = 1.
        elif key == 'streams':
            for stream in item.values():
                stream.size = 6
        elif key == 'pipelines':
            resize(item)
        else:
            shrink(item)


def resize(value):
    """224 -> 32 pixels."""
    for item in value.values() if isinstance(value, dict) else value:
        if isinstance(item, (dict, list)):
            resize(item)
    if isinstance(value, dict) and 'size' in value:
        value['size'] //= 7


@pytest.fixture(scope='module', params=SINGLES, ids=lambda path: path.stem)
def stepped(request, data, tmp_path_factory):
    """The Runner of a config after one step."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    forget()
    init_default_scope('mmcluster')
    cfg = read(request.param)
    for name in ('train_dataloader', 'val_dataloader', 'test_dataloader'):
        source = cfg[name].dataset.source
        if source.type == 'DigitsSource':
            cfg[name].dataset.indices = list(range(30))
        else:
            source.root = data[LAYOUTS[source.type]]
    if 'base' in cfg.model:
        cfg.model.base.pop('init_cfg')
    shrink(cfg._cfg_dict)
    cfg.custom_hooks.append(dict(type='StopHook'))
    cfg.merge_from_dict(dict(work_dir=str(tmp_path_factory.mktemp('work')), log_level='ERROR'))
    recipe.bind_data(cfg)
    runner = recipe.build_runner(prepare(cfg))
    with pytest.raises(Stopped):
        runner.train()
    yield SimpleNamespace(runner=runner, cfg=cfg, losses=StopHook.losses, before=StopHook.before,
                          single=read(request.param))
    recipe.close(runner)
    forget()
    torch.set_num_threads(threads)


def test_one_step(stepped):
    model = stepped.runner.model
    losses = {key: value for key, value in stepped.losses.items() if 'loss' in key}
    assert len(losses) >= 2 and all(torch.isfinite(value) for value in losses.values())
    moved = {name.split('.')[0] for name, param in model.named_parameters()
             if name in stepped.before and not torch.equal(param, stepped.before[name])}
    trained = {'backbone', 'neck', 'head' if model.head is not None else 'predictor'}
    assert trained <= moved
    assert model.bank.is_set('label') and model.bank.num_samples == len(stepped.runner.train_dataloader.dataset)
    assert stepped.runner.max_epochs == stepped.single.train_cfg.max_epochs, 'the schedule was left alone'


def test_fifty_draws(stepped):
    model, dataset = stepped.runner.model, stepped.runner.train_dataloader.dataset
    for stream in stepped.cfg.train_dataloader.sampler.streams:
        keys = [Key(0, stream, draw) for draw in range(50)]
        views = model.data_preprocessor(dataset[keys], True)['data_samples'][stream].views
        assert len(views) == (1 if stream == 'labelled' else 2)
        size = views[0].shape[-1]
        for view in views:
            assert view.shape[0] == 50 and view.shape[-2:] == (size, size) and view.isfinite().all()
            assert len(torch.unique(view.flatten(1), dim=0)) > 5
        again = model.data_preprocessor(dataset[keys], True)['data_samples'][stream].views
        assert all(torch.equal(a, b) for a, b in zip(views, again))


def test_the_evaluation_view_is_one(stepped):
    dataset = stepped.runner.val_dataloader.dataset
    batches = [stepped.runner.model.data_preprocessor(dataset[[Key(3, 'test', draw)]], False) for draw in (0, 1)]
    views = [batch['data_samples']['test'].views for batch in batches]
    assert len(views[0]) == 1 and torch.equal(views[0][0], views[1][0])
