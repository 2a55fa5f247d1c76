"""Run-time information without waiting for the device off the log interval."""
from __future__ import annotations

import math
import sys
from collections import defaultdict
from typing import Any, NamedTuple, Optional, Union

import numpy as np
import torch
from mmengine.hooks import LoggerHook
from mmengine.hooks import RuntimeInfoHook as _RuntimeInfoHook
from mmengine.logging import HistoryBuffer, MessageHub
from mmengine.optim import OptimWrapperDict
from mmengine.runner import Runner
from torch import Tensor

from mmcluster.checks import require_count
from mmcluster.registry import HOOKS

from ..finite import check_losses
from ..liveness import note_place

try:
    import resource
except ImportError:  # Windows
    resource = None  # type: ignore[assignment]  # tested where it is used

Number = Union[int, float]


class _Step(NamedTuple):
    """Logged values of one step. A value that is still on the device is replaced by the type that it will have."""
    values: dict[str, Union[Number, type]]
    packed: Optional[Tensor]
    iteration: int


@HOOKS.register_module()
class RuntimeInfoHook(_RuntimeInfoHook):
    """mmengine's hook, whose logged values travel to the host once a log interval instead of one by one each step.

    The message hub receives the same values in the same order. Its histories are bounded, as each of mmengine's
    updates copies a whole history, which takes milliseconds a step once a run is long. A loss that is not finite ends
    the run as soon as it is on the host, before a checkpoint is written.

    Args:
        interval: Steps between transfers; ``None`` takes the LoggerHook's.
        history: Values kept of each logged scalar of training.
    """

    def __init__(self, interval: Optional[int] = None, history: int = 10_000):
        require_count('RuntimeInfoHook', interval=interval, history=history)
        super().__init__()
        self.interval = interval
        self.history = history
        self.pending: list[_Step] = []
        self.device_peak = 0

    def before_train(self, runner: Runner) -> None:
        """Find the log interval."""
        super().before_train(runner)
        if self.interval is None:
            self.interval = next((hook.interval for hook in runner.hooks if isinstance(hook, LoggerHook)), 10)

    def before_train_epoch(self, runner: Runner) -> None:
        """Say where the run is: E-steps come before the first iteration."""
        super().before_train_epoch(runner)
        note_place(2 * runner.iter, f'before the first iteration of epoch {runner.epoch + 1}')

    def before_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None) -> None:
        """Keep the learning rates of a step."""
        note_place(2 * runner.iter + 1, f'in epoch {runner.epoch + 1}, iteration {runner.iter + 1}')
        runner.message_hub.update_info('iter', runner.iter)
        rates = {name: rates[0] for name, rates in runner.optim_wrapper.get_lr().items()}
        self.pending.append(_pack(rates, runner.iter + 1))

    def after_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None,
                         outputs: Optional[dict] = None) -> None:
        """Keep the values of a step; hand them over at the log interval and at the end of an epoch."""
        note_place(2 * runner.iter + 2, f'after iteration {runner.iter + 1}, before the images of the next one came')
        self.pending.append(_pack({**(outputs or {}), **_optimiser_scalars(runner)}, runner.iter + 1))
        if self.every_n_inner_iters(batch_idx, self.interval) or \
                self.end_of_epoch(runner.train_dataloader, batch_idx):
            self.flush(runner)

    def after_train(self, runner: Runner) -> None:
        """Hand over the rest."""
        self.flush(runner)
        super().after_train(runner)

    def after_run(self, runner: Runner) -> None:
        """Log the peak memory of the run."""
        self._watch_device()
        peak = dict(host=host_peak(), **(dict(device=self.device_peak) if self.device_peak else {}))
        runner.logger.info('peak memory: ' + ', '.join(f'{where} {size / 2 ** 20:.0f} MB'
                                                       for where, size in peak.items()))

    def flush(self, runner: Runner) -> None:
        """Hand all pending values to the message hub, by one transfer.

        Args:
            runner: The Runner.

        Raises:
            FloatingPointError: If a loss is not finite.
        """
        self._watch_device()
        packed = [step.packed for step in self.pending if step.packed is not None]
        numbers = iter(torch.cat(packed).tolist() if packed else ())
        series, bad = defaultdict(list), []
        for step in self.pending:
            for key, value in step.values.items():
                value = value(next(numbers)) if isinstance(value, type) else value
                series[f'train/{key}'].append(value)
                if 'loss' in key and not math.isfinite(value):
                    bad.append(f'{key} = {value} at iteration {step.iteration}')
        self.pending.clear()
        for key, values in series.items():
            _extend(runner.message_hub, key, values, self.history)
        for key in ('train/time', 'train/data_time'):
            if key in runner.message_hub.log_scalars:
                _extend(runner.message_hub, key, [], self.history)
        if series:
            check_losses(bad)

    def _watch_device(self) -> None:
        """Note the device's peak memory, before the logger resets it."""
        if torch.cuda.is_initialized():
            self.device_peak = max(self.device_peak, torch.cuda.max_memory_allocated())


def host_peak() -> int:
    """Largest resident memory of this process so far, in bytes; 0 where the system does not tell."""
    if resource is None:
        return 0
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == 'darwin' else 1024)


def _optimiser_scalars(runner: Runner) -> dict[str, Tensor]:
    """What our optimiser wrappers would log (the gradient norm), taken from them."""
    wrapper = runner.optim_wrapper
    found: dict[str, Tensor] = {}
    for each in wrapper.values() if isinstance(wrapper, OptimWrapperDict) else [wrapper]:
        found.update(getattr(each, 'scalars', {}))
        getattr(each, 'scalars', {}).clear()
    return found


@torch.no_grad()
def _pack(values: dict[str, Any], iteration: int) -> _Step:
    """Copy all tensors of a step, counted from 1, into one, so that later in-place changes do not reach them.

    Integers beside float32 values are exact up to 2^24.
    """
    tensors = [value.detach().reshape(()) for value in values.values() if isinstance(value, Tensor)]
    device = next((value.device for value in tensors if value.device.type != 'cpu'), torch.device('cpu'))
    packed = torch.stack([value.to(device, non_blocking=True) for value in tensors]) if tensors else None
    return _Step({key: value if not isinstance(value, Tensor) else float if value.is_floating_point() else int
                  for key, value in values.items()}, packed, iteration)


def _extend(hub: MessageHub, key: str, values: list[Number], max_length: int) -> None:
    """Append to a history in one copy, and keep its end."""
    if key not in hub.log_scalars:
        hub.update_scalar(key, values[0])
        values = values[1:]
    buffer = hub.log_scalars[key]
    if values or buffer.max_length != max_length:
        log, count = buffer.data
        log = np.concatenate([log, np.array(values, dtype=None if values else log.dtype)])[-max_length:]
        count = np.concatenate([count, np.ones(len(values), dtype=count.dtype)])[-max_length:]
        hub.log_scalars[key] = HistoryBuffer(log, count, max_length)
