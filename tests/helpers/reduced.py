"""The digits stages at a size that trains in a second: 60 images, 4 clusters, narrow layers, both doors."""
from __future__ import annotations

import copy
import os
from functools import cache
from pathlib import Path
from typing import Any, Optional

import numpy as np
import torch
from mmengine.config import Config
from mmengine.logging import MessageHub, MMLogger
from mmengine.registry import DefaultScope, init_default_scope
from mmengine.visualization import Visualizer
from sklearn.datasets import load_digits

from mmcluster.recipes import recipe, stages
from mmcluster.recipes.known_names import SETTINGS
from mmcluster.registry import MODELS

ROOT = Path(__file__).parents[2]
CONFIGS = ROOT / 'configs'
N, K, BATCH = 60, 4, 20
AFFINE = [dict(type='torchvision/RandomAffine', degrees=10, translate=(0.1, 0.1))]
STRONG = [dict(type='torchvision/RandomAffine', degrees=30, translate=(0.2, 0.2), shear=10)]
AFFINE_BATCH = [dict(type='BatchAffine', degrees=5, translate=(0.05, 0.05))]
NARROW = dict(
    backbone=dict(widths=(4, 8)), neck=dict(in_channels=8, hid_channels=16, out_channels=8),
    predictor=dict(in_channels=8, hid_channels=16, out_channels=8), num_clusters=K)


def read_stage(key: str) -> Config:
    """An ordinary config: ``'name'`` of a shipped one or of a recipe of one stage, or ``'recipe/stage'``."""
    found = _read(key, tuple(os.environ.get(name) for name in ('IMAGES', 'CLUSTERS', 'ZETA')))
    return Config(copy.deepcopy(found._cfg_dict), filename=found.filename)


@cache
def _read(key: str, environment: tuple[Optional[str], ...]) -> Config:
    """A stage as it is with these values of the variables that configs ask for."""
    name, _, stage = key.partition('/')
    return stages.read_stage(CONFIGS / f'{name}.py', stage or None)


def stage_keys(pattern: str = '*') -> list[str]:
    """Every shipped config without stages, and every stage that is composed of parts, as :func:`read_stage` takes them.

    Args:
        pattern: Of the names of the files.
    """
    found = []
    for path in sorted(CONFIGS.glob(f'{pattern}.py')):
        recipe_stages = Config.fromfile(path, lazy_import=False).get('stages')
        found += [path.stem] if recipe_stages is None else [
            f'{path.stem}/{name}' for name, stage in recipe_stages.items() if stage.get('parts')]
    return found


def clusters_of(model: Any) -> int:
    """K of a model's config: its head says it, or that of its base."""
    head = model.get('head') or {}
    found = head.get('num_clusters') or head.get('head', {}).get('num_clusters')
    return found or clusters_of(model.base)


def forget() -> None:
    """Drop the loggers, message hubs and visualisers of earlier Runners, which are found by name."""
    for manager in (MMLogger, MessageHub, Visualizer, DefaultScope):
        manager._instance_dict.clear()


def write_digits(folder: Path, permute: Optional[int] = None, num_rows: int = N) -> dict[str, str]:
    """Write ``images.npy`` (N, 8, 8) and a file of labels (N,); returns the arguments of an ArraySource.

    Args:
        folder: Where to; it is made if needed.
        permute: Seed of a permutation of the labels.
        num_rows: N.
    """
    folder.mkdir(parents=True, exist_ok=True)
    digits = load_digits()
    rows = np.flatnonzero(digits.target < K)[:num_rows]
    labels = digits.target[rows]
    if permute is not None:
        labels = np.random.default_rng(permute).permutation(labels)
    files = folder / 'images.npy', folder / f'labels_{permute}.npy'
    np.save(files[0], np.rint(digits.images[rows] * (255 / 16)).astype(np.uint8))
    np.save(files[1], labels)
    return dict(array=str(files[0]), labels=str(files[1]))


def _reduce(cfg: Config, data: dict[str, str], epochs: int, num_workers: int, pipelines: Optional[dict]) -> Config:
    """What both stages have in common: data, loaders, length, quiet logs, a checkpoint every epoch."""
    for name in ('train_dataloader', 'val_dataloader', 'test_dataloader'):
        loader = cfg[name]
        loader.num_workers = num_workers
        loader.dataset.source = dict(type='ArraySource', **data)
        if pipelines is not None:
            loader.dataset.pipelines = pipelines
    cfg.merge_from_dict(dict(
        train_cfg=dict(max_epochs=epochs, val_interval=1000), param_scheduler=dict(total_epochs=epochs),
        default_hooks=dict(checkpoint=dict(interval=1, max_keep_ckpts=-1), logger=dict(interval=1)),
        log_level='ERROR', visualizer=dict(vis_backends=[])))
    for evaluator in cfg.val_evaluator if isinstance(cfg.val_evaluator, list) else [cfg.val_evaluator]:
        evaluator.update(dict(num_clusters=K, n_init=1))
    cfg.test_evaluator = cfg.val_evaluator
    return cfg


def propos_cfg(work_dir: Any, data: dict[str, str], epochs: int = 4, warmup: int = 2, door: str = 'memory',
               num_workers: int = 0) -> Config:
    """ProPos on a few digits with everything switched on that has a state or a schedule.

    The warm-up gate opens at ``warmup``, the decay of the teacher is a ramp, E-steps come every second epoch, rows are
    drawn with balanced clusters, and a queue joins the prototypes.

    Args:
        work_dir: Work dir.
        data: Arguments of an ArraySource.
        epochs: Length of the run.
        warmup: First epoch with prototypes and noise.
        door: ``'memory'`` or ``'worker'``.
        num_workers: Of all loaders.
    """
    cfg = read_stage('propos_cnn_digits')
    cfg.work_dir = str(work_dir)
    cfg.model.merge(dict(NARROW, queue_size=50))
    cfg.custom_hooks = [
        dict(type='ScheduleHook', param='psl_weight', steps=[(0, 0.), (warmup, 0.1)]),
        dict(type='ScheduleHook', param='sigma', steps=[(0, 0.), (warmup, 0.001)]),
        dict(type='ScheduleHook', param='teacher.decay', cosine=dict(start=0.9, end=1.)),
        dict(type='KMeansHook', num_clusters=K, n_init=2, interval=2),
    ]
    cfg.param_scheduler.warmup_epochs = 1
    cfg.train_dataloader.sampler.streams = dict(batch=dict(size=BATCH, order='replace', balance='label'))
    pipelines = None
    if door == 'worker':
        cfg.model.data_preprocessor.views = None
        pipelines = dict(batch=[AFFINE, AFFINE], test=[[]])
    return _reduce(cfg, data, epochs, num_workers, pipelines)


def clusmatch_cfg(work_dir: Any, data: dict[str, str], base: str = '{propos}', epochs: int = 4, door: str = 'memory',
                  num_workers: int = 0) -> Config:
    """ClusMatch on the ProPos of :func:`propos_cfg`; arguments as there.

    Args:
        work_dir: Work dir.
        data: Arguments of an ArraySource.
        base: Checkpoint of the base.
        epochs: Length of the run.
        door: ``'memory'`` or ``'worker'``.
        num_workers: Of all loaders.
    """
    cfg = read_stage('propos_clusmatch_cnn_digits/clusmatch')
    cfg.work_dir = str(work_dir)
    cfg.model.base.merge(dict(NARROW, queue_size=50, init_cfg=dict(checkpoint=base)))
    cfg.model.merge(dict(head=dict(num_clusters=K), pseudo_label_loss=dict(num_clusters=K, decay=0.9),
                         teacher=dict(decay=0.9)))
    cfg.custom_hooks = [
        dict(type='SelectHook', selector=dict(type='CentroidDistance', num_clusters=K, sigma=0.4, n_init=2)),
        dict(type='KMeansHook', num_clusters=K, n_init=2, align_to='target', interval=2),
        dict(type='TeacherHook'),
    ]
    cfg.train_dataloader.sampler.merge(dict(length=3, streams=dict(labelled=dict(size=6), unlabelled=dict(size=14))))
    pipelines = None
    if door == 'worker':
        cfg.model.data_preprocessor.views = None
        pipelines = dict(labelled=[AFFINE], unlabelled=[AFFINE, STRONG], test=[[]])
    return _reduce(cfg, data, epochs, num_workers, pipelines)


def spice_cfg(work_dir: Any, data: dict[str, str], epochs: int = 2, **model: Any) -> Config:
    """SPICE's heads on a few digits, in two parts a step and two walks of three mini-batches.

    Args:
        work_dir: Work dir.
        data: Arguments of an ArraySource.
        epochs: Length of the run.
        model: Options of the model.
    """
    cfg = propos_cfg(work_dir, data, epochs=epochs)
    cfg.model = dict(
        type='SPICE', batch_size=12, repeat=2, bank=dict(num_samples=None),
        backbone=dict(type='SmallCNN', widths=(4, 8)),
        data_preprocessor=dict(cfg.model.data_preprocessor, views=[AFFINE_BATCH, AFFINE_BATCH]),
        head=dict(type='MultiHead', num_heads=3, head=dict(type='MLPClusterHead', num_clusters=K)))
    cfg.model.update(model)
    cfg.custom_hooks = [dict(type='FeatureHook'), dict(type='BestHeadHook')]
    cfg.train_dataloader.sampler = dict(type='StreamSampler', length=3, micro_batches=2, streams=dict(batch=dict(size=40)))
    cfg.train_cfg.type = 'InnerStepLoop'
    cfg.optim_wrapper = dict(type='OptimWrapper', optimizer=dict(type='Adam', lr=0.005))
    cfg.pop('param_scheduler')
    return cfg


def write_base(path: Path, data: dict[str, str], seed: int = 0) -> str:
    """Write the checkpoint of a ProPos with random weights, as :func:`propos_cfg` builds it; returns its path."""
    cfg = propos_cfg('unused', data)
    init_default_scope('mmcluster')
    recipe.bind_data(cfg)
    torch.manual_seed(seed)
    model = MODELS.build(cfg.model)
    model.init_weights()
    torch.save(dict(state_dict=model.state_dict()), path)
    return str(path)


def write_recipe(folder: Path, configs: dict[str, Config]) -> Config:
    """Write every stage's config to a file, and make the recipe that runs them in order.

    Args:
        folder: Where the files go; the work dir of the recipe is ``folder / 'work'``.
        configs: Stage -> config.
    """
    for name, cfg in configs.items():
        for variable in [key for key in cfg if key not in SETTINGS or key == 'work_dir']:
            cfg.pop(variable)
        cfg.dump(folder / f'{name}.py')
    return Config(dict(stages={name: dict(config=str(folder / f'{name}.py')) for name in configs},
                       work_dir=str(folder / 'work')))


def train(cfg: Config, **options: Any) -> dict[str, str]:
    """Run a config or recipe as the command line does, without traces of earlier Runners."""
    forget()
    return recipe.run(Config(cfg._cfg_dict.copy(), filename=cfg.filename), **options)


def load(path: str) -> dict[str, Any]:
    """Read a checkpoint, tensors and plain values only."""
    return torch.load(path, map_location='cpu', weights_only=True)


def differences(first: Any, second: Any, where: str = '') -> list[str]:
    """Names of the leaves in which two nested values differ by a bit or by type.

    Args:
        first: Nested dicts, lists and tuples of tensors and plain values.
        second: The same.
        where: Name of the value.
    """
    if type(first) is not type(second):
        return [where]
    if isinstance(first, dict):
        return [name for key in {**first, **second}
                for name in (differences(first[key], second[key], f'{where}.{key}'.lstrip('.'))
                             if key in first and key in second else [f'{where}.{key}'.lstrip('.')])]
    if isinstance(first, (list, tuple)):
        if len(first) != len(second):
            return [where]
        return [name for i, (a, b) in enumerate(zip(first, second)) for name in differences(a, b, f'{where}.{i}')]
    if isinstance(first, torch.Tensor):
        same = first.dtype == second.dtype and torch.equal(first.nan_to_num(), second.nan_to_num())
        return [] if same else [where]
    return [] if first == second else [where]
