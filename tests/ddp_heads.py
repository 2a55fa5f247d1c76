"""Runs of SPICE, and work of the first process alone, on one process or on each of two. Every job takes a folder."""
from __future__ import annotations

from pathlib import Path
from typing import Any

from ddp_jobs import Capture
from ddp_pool import attempt, job
from mmengine.config import Config
from mmengine.dist import get_rank, get_world_size
from reduced import K, forget, propos_cfg, write_digits
from torch import Tensor

from mmcluster.engine import recipe
from mmcluster.engine.extract import unwrap
from mmcluster.engine.hooks import BestHeadHook
from mmcluster.engine.hooks.sweep import on_main_process
from mmcluster.engine.launch import prepare

HEADS = 3
WEAK = [dict(type='BatchAffine', degrees=5, translate=(0.05, 0.05))]


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
        type='SPICE', batch_size=12, repeat=2, backbone=dict(type='SmallCNN', widths=(4, 8)), bank=dict(num_samples=None),
        data_preprocessor=dict(cfg.model.data_preprocessor, views=[WEAK, WEAK]),
        head=dict(type='MultiHead', num_heads=HEADS, head=dict(type='MLPClusterHead', in_channels=8, num_clusters=K)))
    cfg.model.update(model)
    cfg.custom_hooks = [dict(type='FeatureHook'), dict(type='BestHeadHook')]
    cfg.train_dataloader.sampler = dict(type='StreamSampler', length=3, parts=2,
                                        streams=dict(batch=dict(size=40)))
    cfg.train_cfg.type = 'InnerStepLoop'
    cfg.optim_wrapper = dict(type='OptimWrapper', optimizer=dict(type='Adam', lr=0.005))
    cfg.pop('param_scheduler')
    return cfg


def spice_run(folder: Path, name: str, **model: Any) -> dict[str, dict[str, Tensor]]:
    """States in the middle of the second epoch and at the end of both epochs."""
    forget()
    cfg = spice_cfg(folder / name, write_digits(folder / f'{get_rank()}'), **model)
    recipe.bind_data(cfg)
    runner = recipe.build_runner(prepare(cfg, 'pytorch' if get_world_size() > 1 else 'none'))
    capture = Capture()
    runner.register_hook(capture)
    runner.train()
    recipe.close(runner)
    return capture.states


@job
def train_spice(folder: Path) -> dict:
    """Heads alone."""
    return spice_run(folder, 'spice')


@job
def train_spice_whole(folder: Path) -> dict:
    """The network below the heads, too."""
    return spice_run(folder, 'spice_whole', freeze=False, entropy_weight=1.)


@job
def main_process_returns(folder: Path) -> Any:
    """What every process gets."""
    return on_main_process(lambda x: x + get_rank() + 1, 4)


@job
def main_process_fails(folder: Path) -> tuple[bool, str]:
    """A function fails on the first process; what every process raises."""

    def failing(folder: Path) -> None:
        raise ValueError(f'{K} clusters are too many')

    return attempt(lambda folder: on_main_process(failing, folder), folder)


@job
def estimate_fails(folder: Path) -> tuple[bool, str]:
    """The selection statistic of a run fails on the first process, after the sweep of both."""
    original = BestHeadHook.after_train_epoch

    def after_train_epoch(self: BestHeadHook, runner: Any) -> None:
        """Ask a model that has too few rows for its clusters."""
        unwrap(runner.model).center_ratio = 0.
        original(self, runner)

    BestHeadHook.after_train_epoch = after_train_epoch
    try:
        return attempt(lambda folder: spice_run(folder, 'spice_fails'), folder)
    finally:
        BestHeadHook.after_train_epoch = original
