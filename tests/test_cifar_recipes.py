"""Every CIFAR-10 recipe trains 50 steps a stage on real photographs, with a small network; skipped without them."""
import math

import numpy as np
import pytest
from mmengine.config import Config, ConfigDict
from mmengine.hooks import Hook
from reduced import CONFIGS, ROOT, forget

from mmcluster.datasets import ClassFolderSource
from mmcluster.recipes import recipe
from mmcluster.registry import HOOKS

FOLDERS = [ROOT / 'data' / name for name in ('cifar10_jpeg_2000', 'cifar10_jpeg')]
DATA = next((folder for folder in FOLDERS if (folder / 'train').is_dir() and (folder / 'test').is_dir()), None)
pytestmark = [
    pytest.mark.usefixtures('engine'),
    pytest.mark.skipif(DATA is None, reason='no JPEG images of CIFAR-10 in data/, see unpack_archive.py in tools'),
]
STEPS, WIDTH = 50, 32
SIZES = dict(batch=64, labelled=16, unlabelled=48, reference=64)
ROWS = dict(train=400, test=100)
# Pretext losses are compared where they mean the same: MoCo's after its queue has filled with keys of the network.
PRETEXT = dict(ProPos=('loss_psa', 0), MoCo=('loss_moco', 10), SimCLR=('loss_simclr', 0))


@pytest.fixture(scope='module')
def photos(tmp_path_factory):
    """Split -> arguments of an ArraySource: some photographs of every class, decoded."""
    folder, sources = tmp_path_factory.mktemp('photos'), {}
    for split, count in ROWS.items():
        source = ClassFolderSource(DATA, splits=(split,))
        rows = np.linspace(0, len(source) - 1, count).astype(int)
        np.save(folder / f'{split}.npy', np.stack([np.asarray(source.load(row)) for row in rows]))
        np.save(folder / f'{split}_labels.npy', source.labels[rows])
        sources[split] = dict(type='ArraySource', array=str(folder / f'{split}.npy'),
                              labels=str(folder / f'{split}_labels.npy'))
    return sources


@HOOKS.register_module(force=True)
class LossHook(Hook):
    """Keeps what every iteration returned, and the number of optimiser steps."""

    priority = 'LOWEST'
    outputs: list = []
    steps: int = 0

    def before_train(self, runner):
        LossHook.outputs = []

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        LossHook.outputs.append({key: float(value.detach()) for key, value in outputs.items()})

    def after_train(self, runner):
        LossHook.steps = runner.optim_wrapper._inner_count


def shrink(value):
    """Small networks, queues and batches, and choices that a few photographs satisfy, in place."""
    if isinstance(value, list):
        for item in value:
            shrink(item)
    if not isinstance(value, dict):
        return
    few = dict(
        CentroidDistance=dict(sigma=0.2, n_init=2), LocalConsistency=dict(k=10, ratio=0.2, threshold=0., floor=4),
        KMeansHook=dict(n_init=2), GroundTruthHook=dict(per_class=4), SPICE=dict(batch_size=20, repeat=5), ConfidenceLoss=dict(threshold=0.2))
    value.update(few.get(value.get('type'), {}))
    for key, item in list(value.items()):
        if key == 'backbone' and isinstance(item, dict):
            value[key] = ConfigDict(type='SmallCNN', in_channels=3, widths=(8, 16, WIDTH))
        elif key in ('in_channels', 'hid_channels', 'out_channels'):
            value[key] = WIDTH
        elif key == 'queue_size':
            value[key] = 128
        elif key == 'steps':
            value[key] = [(0, item[0][1]), (1, item[-1][1])]
        elif key == 'streams':
            for name, stream in item.items():
                if 'size' in stream:
                    stream.size = SIZES[name]
        else:
            shrink(item)


def reduced(cfg, photos):
    """A stage of 50 steps in two epochs."""
    shrink(cfg._cfg_dict)
    inner = cfg.train_cfg.type == 'InnerStepLoop'
    if inner:
        cfg.train_dataloader.sampler.streams.batch.size = ROWS['train'] // 2
    cfg.train_dataloader.sampler.length = 1 if inner else STEPS // 2
    for name in ('train_dataloader', 'val_dataloader', 'test_dataloader'):
        split = 'train' if name == 'train_dataloader' else 'test'
        cfg[name].dataset.source = ConfigDict(photos[split])
    scheduler = cfg.get('param_scheduler') or {}
    scheduler.update({key: value for key, value in dict(total_epochs=2, T_max=2, warmup_epochs=1).items()
                      if key in scheduler})
    cfg.setdefault('custom_hooks', [])
    cfg.custom_hooks.append(dict(type='LossHook'))
    cfg.merge_from_dict(dict(
        train_cfg=dict(max_epochs=2, val_interval=1000), log_level='ERROR', visualizer=dict(vis_backends=[]),
        default_hooks=dict(logger=dict(interval=1), checkpoint=dict(interval=2))))
    return cfg


def train(path, photos, work_dir):
    """Train all stages; yields (stage, model config, outputs of the iterations, optimiser steps)."""
    cfg = Config.fromfile(path, lazy_import=False)
    cfg.work_dir = str(work_dir)
    checkpoints = {}
    for name in cfg.get('stages', [path.stem]):
        stage = recipe.stage_config(cfg, name, checkpoints) if 'stages' in cfg else cfg
        forget()
        checkpoints[name] = recipe.run(reduced(stage, photos))['train']
        yield name, stage.model, LossHook.outputs, LossHook.steps


RECIPES = [path for path in sorted(CONFIGS.glob('*_cifar10*.py'))
           if path.stem in ('propos_clusmatch_r18_cifar10', 'spice_r18_cifar10', 'scan_r18_cifar10')
           or 'match_wrn28_2_cifar10' in path.stem]


@pytest.mark.parametrize('path', RECIPES, ids=lambda path: path.stem)
def test_fifty_steps(path, photos, tmp_path):
    for stage, model, outputs, steps in train(path, photos, tmp_path):
        assert steps >= STEPS and all(math.isfinite(value) for output in outputs for value in output.values()), stage
        assert any(output['loss'] for output in outputs), stage
        if model.type in PRETEXT:
            key, start = PRETEXT[model.type]
            losses = [output[key] for output in outputs[start:]]
            assert np.mean(losses[-10:]) < np.mean(losses[:10]), stage
