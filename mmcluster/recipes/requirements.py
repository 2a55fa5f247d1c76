"""What a model asks of the run around it, checked before the first iteration."""
from __future__ import annotations

from operator import attrgetter
from typing import Optional

from mmengine.dist import get_world_size
from mmengine.runner import Runner

from mmcluster.checks import require_count
from mmcluster.engine.extract import unwrap
from mmcluster.engine.hooks import EStepHook, MatchHook, ScheduleHook
from mmcluster.engine.loops import InnerStepLoop
from mmcluster.models.boost import Boost

from .exact import check_accumulation
from .known_types import streams_of
from .part_requirements import check_best, check_metrics, check_schedules


def check_hooks(runner: Runner) -> None:
    """Refuse a run without one of the model's ``required_hooks``, without which it would evaluate its start.

    Args:
        runner: The Runner.

    Raises:
        ValueError: If one is missing.
    """
    model, names = unwrap(runner.model), {base.__name__ for hook in runner.hooks for base in type(hook).__mro__}
    for name in getattr(model, 'required_hooks', ()):
        if name not in names:
            raise ValueError(f"{type(model).__name__} needs dict(type='{name}') in custom_hooks; without it, what is "
                             f'evaluated and handed on would never be trained')


def check_loop(runner: Runner) -> None:
    """Refuse a loop that does not fit the model or the sampler.

    A model with ``steps`` trains by an ``InnerStepLoop`` and by nothing else, and only that loop collects the parts in
    which a sampler yields a step; another one would take each part for a batch.

    Args:
        runner: The Runner; its train loop is built.

    Raises:
        ValueError: If they do not fit, or ``max_epochs`` or ``val_interval`` is no number of epochs.
    """
    model, loop = unwrap(runner.model), runner.train_loop
    require_count('train_cfg', max_epochs=getattr(loop, 'max_epochs', None),
                  val_interval=getattr(loop, 'val_interval', None))
    name, kind = type(model).__name__, type(loop).__name__
    stepping, inner = callable(getattr(model, 'steps', None)), isinstance(loop, InnerStepLoop)
    if stepping and not inner:
        raise ValueError(f"{name} takes several optimiser steps an iteration: set train_cfg.type='InnerStepLoop', "
                         f'not {kind!r}')
    if inner and not stepping:
        raise ValueError(f"{name} has no method steps, which an InnerStepLoop asks for: set "
                         f"train_cfg.type='EpochBasedTrainLoop'")
    parts = getattr(getattr(loop.dataloader, 'sampler', None), 'micro_batches', 1)
    if parts != 1 and not inner:
        raise ValueError(f'the sampler yields each step in micro_batches={parts} lists, and {kind} would train on '
                         f'every one as on a batch of its own: drop train_dataloader.sampler.micro_batches')


def check_batch(runner: Runner) -> None:
    """Refuse batches that do not fit the model.

    These are streams that it does not know, or smaller than its ``smallest_batch`` (stream -> rows of all ranks), and
    mini-batches of its ``steps`` that the processes cannot share. A model that is only asked has none.

    Args:
        runner: The Runner; its train loop is built.

    Raises:
        ValueError: If there is such a stream or mini-batch.
    """
    model, streams = unwrap(runner.model), getattr(runner.train_loop.dataloader.sampler, 'streams', {})
    size = getattr(model, 'batch_size', 0) if callable(getattr(model, 'steps', None)) else 0
    if size % get_world_size():
        raise ValueError(f'{type(model).__name__}: model.batch_size={size} pairs cannot be shared by '
                         f'{get_world_size()} processes; take a multiple')
    known = streams_of(type(model))
    for name in streams if known else ():
        if name not in known:
            raise ValueError(f'{type(model).__name__} has no stream {name!r}; its streams are {known}. Rename it in '
                             f'train_dataloader.sampler.streams, or drop it')
    for name, least in getattr(model, 'smallest_batch', {}).items():
        if name in streams and streams[name].size < least:
            raise ValueError(f'{type(model).__name__}: stream {name!r} has size={streams[name].size}, fewer rows than '
                             f'the num_clusters={least} of the model, which its loss compares within a batch; raise '
                             f'train_dataloader.sampler.streams.{name}.size to at least {least}')


def check_labels(runner: Runner) -> None:
    """Refuse a weight that begins before the E-step whose labels it weighs, the model's ``weights_needing_labels``.

    It maps the dotted name of a float to the bank field that has to be filled from the first epoch in which the float,
    which a ``ScheduleHook`` may move, is not 0. A booster's labels must have the names of the head's classes.

    Args:
        runner: The Runner; its train loop is built.

    Raises:
        ValueError: If no E-step such as a ``KMeansHook``, or no ``MatchHook`` that the model needs, writes a field in
            time, or a booster's ``KMeansHook`` gives names of its own.
    """
    model = unwrap(runner.model)
    for name, field in getattr(model, 'weights_needing_labels', {}).items():
        first, steps = _first_epoch(runner, name)
        if first is None:
            continue
        hooks = [hook for hook in runner.hooks if isinstance(hook, EStepHook) and field in hook.fields()]
        names = [hook for hook in hooks if isinstance(hook, MatchHook)]
        labels = [hook for hook in hooks if hook not in names]
        needed = dict(KMeansHook=labels)
        if 'MatchHook' in getattr(model, 'required_hooks', ()):
            needed['MatchHook'] = names
        for kind, found in needed.items():
            begins = [hook.begin if hook.by_epoch else hook.begin // max(steps, 1) for hook in found]
            if min(begins, default=first + 1) > first:
                problem = f'begins at epoch {min(begins)}' if begins else 'is missing'
                option = 'posterior_temperature' if field == 'posterior' else f'field={field!r}'
                raise ValueError(f"{type(model).__name__}: {name} is not 0 from epoch {first} on, and the {kind} that "
                                 f'writes bank.{field} {problem}; give custom_hooks one with {option} and '
                                 f'begin={first}')
        if isinstance(model, Boost) and not names:
            _check_classes(model, name, field, labels)


def _check_classes(model: Boost, name: str, field: str, hooks: list[EStepHook]) -> None:
    """Refuse k-means labels of a booster that are not named as the classes of its head, or as those of a random one."""
    started = 'head' in model.from_base or bool(model.init_cfg)
    for hook in hooks:
        align_to = getattr(hook, 'align_to', True)
        if not align_to or (align_to == 'head' and not started and hook.begin == 0):
            raise ValueError(f"{type(model).__name__}: {name} takes bank.{field} for classes of the head; give its "
                             f"KMeansHook align_to='target' (rows that a SelectHook trusts) or, if the head is "
                             f"trained, align_to='head'" + ("; it is new here" if align_to else ''))


def _first_epoch(runner: Runner, name: str) -> tuple[Optional[int], int]:
    """First epoch in which a float of the model is not 0, ``None`` if there is none; and iterations an epoch."""
    loop = runner.train_loop
    course = next((hook for hook in runner.hooks if isinstance(hook, ScheduleHook) and hook.param == name), None)
    steps = loop.max_iters // max(loop.max_epochs, 1)
    values = (course.value(epoch, epoch * steps, loop.max_iters) if course else attrgetter(name)(unwrap(runner.model))
              for epoch in range(loop.max_epochs))
    return next((epoch for epoch, value in enumerate(values) if value), None), steps


# all that take a Runner before it trains, or what stands for it in a rehearsal
CHECKS = (check_hooks, check_loop, check_accumulation, check_batch, check_labels, check_metrics, check_best,
          check_schedules)
