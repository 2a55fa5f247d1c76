"""Which checkpoint a run goes on from, whether it holds all that is needed, and which settings it overrides."""
from __future__ import annotations

import logging
import os
import re
from itertools import chain
from typing import Any, Iterator, Optional

from mmengine.logging import print_log
from mmengine.optim import OptimWrapperDict
from mmengine.runner import Runner

from .scheduler import ClosedFormLR

COUNTERS = ('last_step', 'best', 'num_bad_epochs', 'cooldown_counter')     # of schedulers; the others start with _


def latest_checkpoint(work_dir: str) -> Optional[str]:
    """The checkpoint that a work dir's ``last_checkpoint`` names, or the newest one if that file is lost.

    Args:
        work_dir: Of one stage; it may have moved.

    Returns:
        Its path; ``None`` if there is none, or not the one that is named.
    """
    record = os.path.join(work_dir, 'last_checkpoint')
    if os.path.isfile(record):
        with open(record, encoding='utf-8', errors='replace') as file:     # damaged: no file has that name
            path = os.path.join(work_dir, os.path.basename(file.read().strip()))
        return path if os.path.isfile(path) else None
    numbers = [int(found[1]) for name in (os.listdir(work_dir) if os.path.isdir(work_dir) else ())
               if (found := re.fullmatch(r'epoch_(\d+)\.pth', name))]
    if not numbers:
        return None
    print_log(f'{record} is lost; the newest checkpoint, epoch_{max(numbers)}.pth, takes its place', logger='current',
              level=logging.WARNING)
    return os.path.join(work_dir, f'epoch_{max(numbers)}.pth')


def check_resumable(runner: Runner, checkpoint: dict) -> None:
    """Refuse a file from which a run would go on with a new optimiser, new schedules or as if it had just begun.

    Args:
        runner: The Runner, whose optimiser is built.
        checkpoint: What was loaded.

    Raises:
        ValueError: If something is missing, or if it was trained for longer than the config says.
    """
    meta = checkpoint.get('meta') or {}
    parts = {'epoch': 'epoch' in meta, 'iteration': 'iter' in meta, 'message hub': 'message_hub' in checkpoint,
             'optimiser': 'optimizer' in checkpoint,
             'state for each schedule of the config':
             _count(runner.param_schedulers) <= _count(checkpoint.get('param_schedulers'))}
    missing = [name for name, there in parts.items() if not there]
    if missing:
        raise ValueError(f'{runner._load_from or "the checkpoint"} has no {", ".join(missing)}: a run that goes on '
                         f'from it would not equal one that was never interrupted. Resume from an epoch_<n>.pth that '
                         f'was saved with its optimiser and schedules, not from a best_*.pth or published file; or '
                         f'start a new run from its weights, by --cfg-options load_from=FILE without --resume')
    if meta['epoch'] > runner.max_epochs:
        raise ValueError(f'{runner._load_from or "the checkpoint"} was trained for {meta["epoch"]} epochs, the config '
                         f'asks for {runner.max_epochs}: its weights would be taken for those of the shorter run. Set '
                         f'train_cfg.max_epochs to at least {meta["epoch"]}, or start anew with --overwrite')


def warn_of_old_settings(runner: Runner, checkpoint: dict) -> None:
    """Say which settings of the config have no effect, as mmengine takes them from the checkpoint.

    Rates of our own schedules, see :class:`~mmcluster.engine.scheduler.ClosedFormLR`, are the config's.

    Args:
        runner: The Runner, whose optimiser and schedulers are built.
        checkpoint: What was loaded.
    """
    schedulers = list(_pairs(runner.param_schedulers or [], checkpoint.get('param_schedulers') or []))
    lines = []
    for scheduler, old in schedulers:
        if not isinstance(scheduler, ClosedFormLR):
            new = {name: value for name, value in scheduler.state_dict().items()
                   if not name.startswith('_') and name not in COUNTERS}
            lines += _changed(type(scheduler).__name__, old, new)
    moved = {'params', 'initial_lr', *(scheduler.param_name for scheduler, _ in schedulers)}
    wrapper, states = runner.optim_wrapper, checkpoint['optimizer']
    for name, part in wrapper.items() if isinstance(wrapper, OptimWrapperDict) else [('optimiser', wrapper)]:
        old_groups = (states.get(name, {}) if isinstance(wrapper, OptimWrapperDict) else states).get('param_groups', [])
        for old, group in zip(old_groups, part.param_groups):
            lines += _changed(name, old, {key: value for key, value in group.items() if key not in moved})
    if lines:
        runner.logger.warning('a resumed run keeps these settings of the checkpoint, those of the config have no '
                              'effect:\n  ' + '\n  '.join(dict.fromkeys(lines)) +
                              '\nThe schedules of mmcluster (WarmupCosineLR, FixMatchCosineLR) follow the config; for '
                              'the rest, start a new run from the weights by --cfg-options load_from=FILE')


def _count(schedulers: Any) -> int:
    """Schedulers of one optimiser or several, or of none."""
    return sum(map(_count, schedulers.values())) if isinstance(schedulers, dict) else len(schedulers or ())


def _pairs(new: Any, old: Any) -> Iterator[tuple[Any, dict]]:
    """Schedulers with their states, of one optimiser or several."""
    if isinstance(new, dict):
        return chain.from_iterable(_pairs(new[name], old.get(name, ())) for name in new)
    return zip(new, old)


def _changed(owner: str, old: dict, new: dict) -> list[str]:
    """One line for each value of ``new`` that differs from that in ``old``."""
    return [f'{owner}.{name}: {old[name]!r} instead of {value!r}' for name, value in new.items()
            if name in old and _plain(old[name]) != _plain(value)]


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, (list, tuple)) else value
