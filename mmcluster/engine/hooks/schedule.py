"""Hooks that decide when: schedules, teacher steps, pools, batch-norm statistics."""
from __future__ import annotations

import math
from typing import Any, Optional

from mmengine.hooks import Hook
from mmengine.runner import Runner
from torch import nn

from mmcluster.checks import near, require_not_negative
from mmcluster.functional.imbalance import balanced_weights
from mmcluster.functional.schedule import cosine_ramp, linear_ramp, step_value
from mmcluster.models.batch_norm import broadcast_statistics
from mmcluster.registry import HOOKS

from ..extract import unwrap


@HOOKS.register_module()
class ScheduleHook(Hook):
    """Moves one float of the model over time; stateless.

    Args:
        param: Dotted name of the float, such as ``'psl_weight'`` or ``'teacher.decay'``.
        steps: (epoch, value) pairs, epochs counted from 0: the value holds from that epoch on. ProPos's warm-up of W
            epochs is ``[(0, 0.), (W, 0.1)]``.
        cosine: ``dict(start=..., end=...)`` instead: a cosine ramp over all iterations, the first of which is n = 1
            (ProPos's m(n)).
        linear: ``dict(start=..., end=..., until=0.4)`` instead: a line over that share of all iterations, the first
            of which has the value ``start``; then ``end`` (MixMatch's lambda_U). ``least=...`` bounds it from below
            (RUC's).
    """

    priority = 'HIGH'

    def __init__(self, param: str, steps: Optional[list[tuple[int, float]]] = None, cosine: Optional[dict] = None,
                 linear: Optional[dict] = None):
        if sum(course is not None for course in (steps, cosine, linear)) != 1:
            raise ValueError(f'ScheduleHook for {param!r} needs either steps or cosine or linear')
        if steps is not None and (not steps or steps[0][0] != 0):
            raise ValueError(f'ScheduleHook for {param!r}: the first step must start at epoch 0')
        require_not_negative(f'ScheduleHook for {param!r}', epoch=min((epoch for epoch, _ in steps or ()), default=0))
        if linear is not None and not 0 < linear.get('until', 1.) <= 1:
            raise ValueError(f'ScheduleHook for {param!r}: until is a share of the run in (0, 1], got '
                             f'{linear["until"]}')
        numbers = [number for step in steps or () for number in step]
        numbers += [value for course in (cosine, linear) for value in (course or {}).values() if value is not None]
        if not all(math.isfinite(number) for number in numbers):
            raise ValueError(f'ScheduleHook for {param!r}: all numbers must be finite, got {steps or cosine or linear}')
        self.param = param
        # of two steps at one epoch, to which a shorter run may have moved them, the later one counts
        self.steps = sorted(steps, key=lambda step: step[0]) if steps else None
        self.cosine = cosine
        self.linear = linear

    def value(self, epoch: int, iteration: int, max_iters: int) -> float:
        """Value at an iteration, counted from 0."""
        if self.steps:
            return step_value(epoch, self.steps)
        if self.linear:
            return linear_ramp(iteration, max_iters, **self.linear)
        assert self.cosine is not None      # one of the three
        return cosine_ramp(iteration + 1, max_iters, **self.cosine)

    def extremes(self) -> set[float]:
        """Values at which the schedule stays, begins or ends."""
        course = self.cosine or self.linear
        return {course['start'], course['end']} if course else {value for _, value in self.steps or ()}

    def _owner(self, runner: Runner) -> tuple[Any, str]:
        """The part that has the float, and its name there.

        Raises:
            ValueError: If there is none.
        """
        model = unwrap(runner.model)
        *path, name = self.param.split('.')
        owner: Any = model
        for part in path:
            owner = getattr(owner, part, None)
        if not isinstance(getattr(owner, name, None), (int, float)):
            raise ValueError(f'ScheduleHook: {type(model).__name__} has no number {self.param!r}'
                             f'{near(self.param, _numbers(model))}; correct param, or drop the hook')
        return owner, name

    def before_train(self, runner: Runner) -> None:
        """Refuse a name that the model does not have."""
        self._owner(runner)

    def _apply(self, runner: Runner) -> None:
        owner, name = self._owner(runner)
        setattr(owner, name, self.value(runner.epoch, runner.iter, runner.max_iters))

    def before_train_epoch(self, runner: Runner) -> None:
        """Set the value before any E-step of the epoch."""
        self._apply(runner)

    def before_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None) -> None:
        """Set the value of the iteration."""
        self._apply(runner)


def _numbers(model: nn.Module) -> list[str]:
    """Dotted names of the numbers of a model and of its parts."""
    return [f'{path}.{name}'.lstrip('.') for path, part in model.named_modules() for name, value in vars(part).items()
            if isinstance(value, (int, float)) and not name.startswith('_')]


@HOOKS.register_module()
class TeacherHook(Hook):
    """Moves ``model.teacher`` after each optimiser step."""

    priority = 'HIGH'

    def before_train(self, runner: Runner) -> None:
        """Refuse a model without a teacher.

        Raises:
            ValueError: If there is none.
        """
        model = unwrap(runner.model)
        if getattr(model, 'teacher', None) is None:
            raise ValueError(f'TeacherHook: {type(model).__name__} has no teacher; give it teacher=dict(decay=...) or '
                             f'drop the hook')

    def after_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None,
                         outputs: Optional[dict] = None) -> None:
        """One step of the average, where gradients of several iterations make one step in the last of them."""
        if self.every_n_train_iters(runner, getattr(runner.optim_wrapper, '_accumulative_counts', 1)):
            model = unwrap(runner.model)
            model.teacher.update(model)


@HOOKS.register_module()
class AccumulationHook(Hook):
    """Lets a momentum network that moves in ``loss`` move once per optimiser step.

    Where gradients of several iterations make one step (``optim_wrapper.accumulative_counts``), it moves in the last of
    them, as in ProPos's release.
    """

    priority = 'HIGH'

    def before_train(self, runner: Runner) -> None:
        """Refuse a model that has no such network.

        Raises:
            ValueError: If it has none.
        """
        model = unwrap(runner.model)
        if not hasattr(model, 'teacher_rests'):
            raise ValueError(f'AccumulationHook: {type(model).__name__} moves no momentum network in its loss; drop '
                             f'the hook')

    def before_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None) -> None:
        """Say whether it rests in this iteration."""
        unwrap(runner.model).teacher_rests = (runner.iter + 1) % runner.optim_wrapper._accumulative_counts != 0


@HOOKS.register_module()
class PoolHook(Hook):
    """Publishes bank fields to the sampler at every epoch, after the E-steps and after a resume.

    A stream whose ``pool`` is a bank field draws from the field's rows >= 0; one with ``balance`` draws rows with
    probability 1 / size of their cluster. Nothing is published to a stream before the epoch in which it begins.
    """

    priority = 'BELOW_NORMAL'

    def before_train_epoch(self, runner: Runner) -> None:
        """Tell the sampler which rows each stream may draw."""
        sampler = runner.train_dataloader.sampler
        bank = getattr(unwrap(runner.model), 'bank', None)
        for name, stream in getattr(sampler, 'streams', {}).items():
            if runner.epoch < stream.begin:
                continue
            if stream.pool != 'all':
                rows = getattr(bank, stream.pool).cpu()
                sampler.set_pool(name, rows if stream.of is not None else (rows >= 0).nonzero().flatten())
            if stream.balance:
                sampler.set_weights(name, balanced_weights(getattr(bank, stream.balance).cpu()))


@HOOKS.register_module()
class BroadcastBNHook(Hook):
    """Gives all ranks rank 0's batch-norm running statistics at the end of an epoch, so that evaluation, checkpoint
    and the next E-step see one network."""

    priority = 'ABOVE_NORMAL'

    def after_train_epoch(self, runner: Runner) -> None:
        """Broadcast running means, variances and counters."""
        broadcast_statistics(unwrap(runner.model))
