"""Runs of SPICE, and work of the first process alone, on one process or on each of two. Every job takes a folder."""
from __future__ import annotations

from pathlib import Path
from typing import Any

from ddp_jobs import captured
from ddp_pool import attempt, job
from mmengine.dist import get_rank
from reduced import K, spice_cfg, write_digits
from torch import Tensor

from mmcluster.engine.extract import unwrap
from mmcluster.engine.hooks import BestHeadHook
from mmcluster.models.clusterers import SPICE
from mmcluster.utils import on_main_process


def spice_run(folder: Path, name: str, **model: Any) -> dict[str, dict[str, Tensor]]:
    """States in the middle of the second epoch and at the end of both epochs."""
    return captured(spice_cfg(folder / name, write_digits(folder / f'{get_rank()}'), **model))[1]


@job
def train_spice(folder: Path) -> dict:
    """Heads alone."""
    return spice_run(folder, 'spice')


@job
def train_spice_whole(folder: Path) -> dict:
    """The network below the heads, too."""
    return spice_run(folder, 'spice_whole', freeze=False, entropy_weight=1.)


def statistics(model: SPICE) -> dict[str, Tensor]:
    """Running statistics of the network below the heads."""
    return {name: value.clone() for name, value in model.backbone.named_buffers()}


def estep_statistics(folder: Path, **model: Any) -> dict[str, list[dict[str, Tensor]]]:
    """Running statistics with which the rows of every E-step were computed, and those after its steps."""
    found: dict[str, list[dict[str, Tensor]]] = dict(used=[], left=[])
    rows, steps = SPICE._rows, SPICE.steps

    def watched_rows(self: SPICE, batches: Any) -> Any:
        """Note them when the rows are computed."""
        found['used'].append(statistics(self))
        return rows(self, batches)

    def watched_steps(self: SPICE, groups: Any) -> Any:
        """Note them when the last step was taken."""
        yield from steps(self, groups)
        found['left'].append(statistics(self))

    SPICE._rows, SPICE.steps = watched_rows, watched_steps
    try:
        spice_run(folder, 'spice_statistics', **model)
    finally:
        SPICE._rows, SPICE.steps = rows, steps
    return found


@job
def esteps_of_a_trained_network(folder: Path) -> dict:
    """The network below the heads trains."""
    return estep_statistics(folder, freeze=False)


@job
def esteps_of_moving_statistics(folder: Path) -> dict:
    """Its batch norm alone moves."""
    return estep_statistics(folder, norm_eval=False)


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
    """The selection statistic of a run fails, after the sweep of both processes."""
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
