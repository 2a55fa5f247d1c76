"""What a run is about, said at its start, and how long it will take."""
from __future__ import annotations

import math
from statistics import median
from typing import Any, Optional

from mmengine.dist import get_world_size
from mmengine.hooks import Hook, IterTimerHook
from mmengine.runner import EpochBasedTrainLoop, Runner

from mmcluster.models.clusterers.base import num_clusters_of
from mmcluster.registry import HOOKS
from mmcluster.utils import has_bfloat16, spoken_time

from ..extract import unwrap
from .estep import EStepHook

WATCHED, PATIENCE = 10, 60      # iterations, or seconds, from which the duration is estimated
FORWARD = 1 / 3                 # share of a training step's time that its forward pass takes


@HOOKS.register_module()
class AnnounceHook(Hook):
    """Logs data, model, device and length of a run before it begins, and its duration after the first iterations."""

    priority = 'LOWEST'

    def before_train(self, runner: Runner) -> None:
        """Say what is trained on what."""
        runner.logger.info('This run:\n' + '\n'.join(f'  {line}' for line in describe(runner)))
        device = next(unwrap(runner.model).parameters()).device
        if _precision(runner) == 'bfloat16' and has_bfloat16(device) is False:
            kind = 'processor' if device.type == 'cpu' else 'GPU'
            runner.logger.warning(f'this {kind} has no units for bfloat16 and computes it by way of float32, several '
                                  f'times slower than float32 itself: leave --amp out here, unless its rounding is '
                                  f'what you want')

    def after_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None,
                         outputs: Optional[dict] = None) -> None:
        """Estimate the duration once."""
        timer = next((hook for hook in runner.hooks if isinstance(hook, IterTimerHook)), None)
        if timer is None:
            return
        done = runner.iter + 1 - timer.start_iter
        last = runner.message_hub.get_scalar('train/time').current()
        first_slow = timer.time_sec_tot >= PATIENCE > timer.time_sec_tot - last
        if (done == WATCHED and timer.time_sec_tot < PATIENCE) or (done < WATCHED and first_slow):
            runner.logger.info(duration(runner, done))


def describe(runner: Runner) -> list[str]:
    """Lines about the data, the model, the device and the length of a run.

    Args:
        runner: The Runner; its train loop is built.
    """
    model, loop = unwrap(runner.model), runner.train_loop
    dataset, sampler = loop.dataloader.dataset, loop.dataloader.sampler
    clusters = num_clusters_of(model)
    trained = sum(param.numel() for param in model.parameters() if param.requires_grad)
    backbone = getattr(model, 'backbone', None)
    network = f' with {type(backbone).__name__}' if backbone is not None else ''
    streams = ', '.join(f'{name} {stream.size}' for name, stream in getattr(sampler, 'streams', {}).items())
    evaluation = f', evaluated every {loop.val_interval}' if runner.val_loop is not None else ', without evaluation'
    processes = f' on {get_world_size()} processes' if get_world_size() > 1 else ''
    length = f'{loop.max_epochs} epochs of {len(loop.dataloader)} steps' if isinstance(
        loop, EpochBasedTrainLoop) else f'{runner.max_iters} steps'
    return [f'data: {dataset.summary() if hasattr(dataset, "summary") else f"{len(dataset)} images"}',
            f'model: {type(model).__name__}{network}, {trained:,} trained parameters'
            + (f', {clusters} clusters' if clusters else ''),
            f'device: {next(model.parameters()).device}{processes}, {_precision(runner)}',
            f'length: {length}{evaluation}'
            + (f'; rows a step: {streams}' if streams else ''),
            f'results: {runner.work_dir}; full log: {runner._log_dir}']


def _precision(runner: Runner) -> str:
    """Name of the type in which networks compute."""
    wrapper = runner.cfg.get('optim_wrapper') or {}
    return {'AutocastOptimWrapper': wrapper.get('dtype', 'bfloat16'),
            'AmpOptimWrapper': wrapper.get('dtype', 'float16')}.get(str(wrapper.get('type'))) or 'float32'


def duration(runner: Runner, done: int) -> str:
    """How long the rest of a run takes, estimated from its first iterations.

    A sweep of the data set, by an evaluation or an E-step, is a forward pass over each image.

    Args:
        runner: The Runner.
        done: Iterations so far; the first of them, in which libraries warm up, counts only if it is alone.
    """
    loop = runner.train_loop
    times = runner.message_hub.get_scalar('train/time').data[0][-done:]
    step = float(median(times[1:] if len(times) > 1 else times))
    training = step * (runner.max_iters - runner.iter - 1)
    rows = sum(stream.size for stream in getattr(loop.dataloader.sampler, 'streams', {}).values())
    left = range(runner.epoch, runner.max_epochs)
    repeated = [hook for hook in runner.hooks if isinstance(hook, EStepHook) and hook.by_epoch and hook.interval > 0]
    sweeps = sum(epoch >= hook.begin and (epoch - hook.begin) % hook.interval == 0 for hook in repeated
                 for epoch in left)
    sweeps *= len(loop.dataloader.dataset)
    if runner.val_loop is not None:
        sweeps += math.ceil(len(left) / loop.val_interval) * len(runner.val_loop.dataloader.dataset)
    other = sweeps * step / rows * FORWARD if rows else 0.
    total, steps, sweeping = (spoken_time(seconds) for seconds in (training + other, training, other))
    return (f'about {total} to go: {steps} of training at {step:.3g} s a step, and some {sweeping} of E-steps and '
            f'evaluations')
