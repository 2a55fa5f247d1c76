"""The runs behind a table: one for each stage and seed; cells that begin alike share their first stages."""
from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass, replace
from itertools import zip_longest
from typing import Any, Iterable, Optional

from mmengine.config import Config

from mmcluster.checks import near
from mmcluster.recipes.changes import comparable
from mmcluster.recipes.recipe import run_stage
from mmcluster.recipes.records import BUILT_ON, DONE, STARTED, bases, read_record
from mmcluster.recipes.rehearsal import built_metrics, rehearse
from mmcluster.recipes.stages import STAND_IN, check_stages, stage_config
from mmcluster.registry import import_plugins

from .controls import control_metrics, write_control
from .reduced import reduce_recipe, reduce_stage
from .table import Cell

RUNS, SUMMARY, DIGITS = 'runs', 'summary.json', 10
UNSEEDED = -1       # stands for the seed where it does not matter, so that one that a stage states is seen


@dataclass(frozen=True)
class Job:
    """One stage, or control, with one seed.

    Attributes:
        folder: Of its run, below the root.
        stage: Its name in the recipe.
        seed: Of the run.
        needs: Earlier stage -> folder of its run.
        recipe: The recipe that it is a stage of.
        filename: Of the recipe.
        control: See :mod:`mmcluster.experiments.controls`.
        reduced: Whether it is a trial.
        given: Earlier stage -> file that takes its place.
    """
    folder: str
    stage: str
    seed: int
    needs: dict[str, str]
    recipe: dict[str, Any]
    filename: Optional[str]
    control: Optional[str] = None
    reduced: bool = False
    given: Optional[dict[str, str]] = None

    def state(self, root: str) -> str:
        """``'done'``, ``'started'`` or ``'missing'``."""
        folder = os.path.join(root, self.folder)
        if os.path.exists(os.path.join(folder, SUMMARY if self.control else DONE)):
            return 'done'
        return 'started' if os.path.exists(os.path.join(folder, STARTED)) else 'missing'

    def files(self, root: str) -> dict[str, str]:
        """Place in the config -> file that takes the place of an earlier stage, as far as the stage reads it."""
        if self.control or not self.given:
            return {}
        cfg = self._config(root)
        single = stage_config(cfg, self.stage, {**dict.fromkeys(cfg.stages, STAND_IN), **self.given})
        given = tuple(self.given.values())
        return {place: path for place, path in bases(single.to_dict(), given) if path in given}

    def built_on(self, root: str) -> dict[str, str]:
        """Place in the config -> digest of the file, of a run that is done."""
        record = read_record(os.path.join(root, self.folder), DONE) or {}
        return record.get('config', {}).get(BUILT_ON) or {}

    def run(self, root: str) -> None:
        """Train the stage unless it is done; it goes on where it was interrupted.

        Raises:
            FileNotFoundError: If a stage that it needs is not done.
        """
        cfg, folder = self._config(root), os.path.join(root, self.folder)
        if self.control:
            single = stage_config(cfg, self.stage, {})
            write_control(folder, self.control, single, self.seed, reduce_stage(cfg) if self.reduced else None)
            return
        run_stage(cfg, self.stage, {**(self.given or {}), **checkpoints(self, root)}, folder, root,
                  reduce_stage(cfg) if self.reduced else None)

    def rehearse(self, root: str) -> None:
        """Build the parts of the stage without training, see :func:`mmcluster.recipes.rehearsal.rehearse`."""
        if not self.control:    # which trains nothing
            cfg = self._config(root)
            rehearse(cfg, self.stage, list(cfg.stages), reduce_stage(cfg) if self.reduced else None, self.given)

    def _config(self, root: str) -> Config:
        """The recipe with the seed."""
        cfg = Config(self.recipe, filename=self.filename)
        import_plugins(cfg)     # in a process of its own nobody has read the file
        cfg.work_dir, cfg.randomness, cfg.log_level = root, dict(seed=self.seed), 'WARNING'
        return cfg


@dataclass(frozen=True)
class Plan:
    """What a cell runs.

    Attributes:
        jobs: Of one seed, in order; the last one's metrics are the cell's.
        digest: Of the config of the last one and of all that it stands on, seed and machine aside.
        prefix: Of the metrics, such as ``'kmeans'``.
    """
    jobs: tuple[Job, ...]
    digest: str
    prefix: str


def checkpoints(job: Job, root: str) -> dict[str, str]:
    """Earlier stage -> its final checkpoint.

    Raises:
        FileNotFoundError: If one is not done.
    """
    found = {}
    for stage, folder in job.needs.items():
        done = read_record(os.path.join(root, folder), DONE)
        if done is None:
            raise FileNotFoundError(f'{folder} is not done, and {job.folder} goes on from it')
        found[stage] = os.path.join(root, folder, done['checkpoint'])
    return found


def plan(cell: Cell, seed: int, root: str, reduced: bool = False) -> Plan:
    """The runs of a cell with one seed; all is checked that can be without training.

    Args:
        cell: One that runs.
        seed: Of the runs.
        root: Folder of all runs.
        reduced: A trial: few small images, two epochs.

    Raises:
        ValueError: If the recipe would be refused, states a seed, or has no such stage or metric.
    """
    cfg = cell.recipe()
    cfg.work_dir, cfg.randomness = root, dict(seed=UNSEEDED)
    if reduced:
        reduce_recipe(cfg)
    edit = reduce_stage(cfg) if reduced else None
    names, control = check_stages(cfg, edit), cell.spec.get('control')
    last = cell.spec.get('stage') or names[-1]
    if last not in names:
        raise ValueError(f'{cell.title}: the recipe has no stage {last!r}; it has {names}')
    said: dict[str, Any] = dict(recipe={key: value for key, value in cfg._cfg_dict.to_dict().items()
                                        if key not in ('work_dir', 'randomness')}, filename=cfg.filename)
    given = {name: os.path.abspath(stage.checkpoint) for name, stage in cfg.stages.items() if stage.get('checkpoint')}
    jobs: dict[str, Job] = {}
    marks, digest, single = dict(given), '', cfg
    for name in names[:names.index(last) + 1]:
        if name in given:
            continue
        single = stage_config(cfg, name, marks)
        if edit is not None:
            edit(single)
        value = comparable(single, root)
        if (value.get('randomness') or {}).pop('seed', UNSEEDED) != UNSEEDED:
            raise ValueError(f'{cell.title}: the stage {name!r} states randomness.seed, and runs of a table have the '
                             f'seeds that it states by seeds=[...]; drop it')
        text = json.dumps([value, control] if control else value, sort_keys=True)
        digest = hashlib.blake2b(text.encode(), digest_size=DIGITS // 2).hexdigest()
        needs = {other: jobs[other].folder for other in jobs if marks[other] in text}
        folder = f'{RUNS}/{control or name}_{digest}/seed_{seed}'
        marks[name] = f'{RUNS}/{name}_{digest}.pth'
        jobs[name] = Job(folder, name, seed, needs, control=control, reduced=reduced, given=given, **said)
    if not jobs:
        raise ValueError(f'{cell.title}: the stage {last!r} is a file, so there is nothing to run')
    known = control_metrics() if control else prefixes(single)
    prefix = cell.spec.get('source') or known[0]
    if prefix not in known:
        raise ValueError(f'{cell.title}: the stage {last!r} has no metric of {prefix!r}{near(prefix, known)}; source '
                         f'is one of {known}')
    kept = (jobs[last],) if control else tuple(jobs[name] for name in _needed(jobs, last))
    return Plan(kept, digest, prefix)


def prefixes(cfg: Config) -> tuple[str, ...]:
    """Prefixes of the metrics of a config; the first is that of its result."""
    return tuple(metric.prefix for metric in built_metrics(cfg.get('val_evaluator')))


def _needed(jobs: dict[str, Job], last: str) -> list[str]:
    """The stages that one stands on, and itself, in order."""
    wanted = {last}
    for name in reversed(list(jobs)):
        if name in wanted:
            wanted |= set(jobs[name].needs)
    return [name for name in jobs if name in wanted]


def plans(cells: Iterable[Cell], root: str, reduced: bool = False,
          seeds: Optional[tuple[int, ...]] = None) -> dict[Cell, list[Plan]]:
    """Cell -> the plan of each seed, of those cells that run.

    Args:
        cells: Of a table.
        root: Folder of all runs.
        reduced: See :func:`plan`.
        seeds: In the place of those that the table states.
    """
    found = {}
    for cell in cells:
        if cell.runs:
            first, *others = seeds or cell.seeds
            each = plan(cell, first, root, reduced)
            found[cell] = [each, *(_with_seed(each, seed) for seed in others)]
    return found


def _with_seed(each: Plan, seed: int) -> Plan:
    """The plan of a cell with another seed."""
    def moved(folder: str) -> str:
        """Folder of the same job with the other seed."""
        return f'{os.path.dirname(folder)}/seed_{seed}'

    return replace(each, jobs=tuple(replace(
        job, folder=moved(job.folder), seed=seed, needs={name: moved(folder) for name, folder in job.needs.items()})
        for job in each.jobs))


def unique_jobs(found: dict[Cell, list[Plan]]) -> list[Job]:
    """All jobs of a table, each once: all cells with their first seed, then with the next, what is needed first.

    A table that is stopped midway so has all rows with few seeds, which can be compared, not few rows with all seeds.
    """
    each_seed = zip_longest(*found.values())
    jobs = {job.folder: job for plans_of_a_seed in each_seed for one in plans_of_a_seed if one for job in one.jobs}
    return list(jobs.values())
