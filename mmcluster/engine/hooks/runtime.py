"""Run-time information without waiting for the device off the log interval."""
from __future__ import annotations

import resource
import sys
from typing import Any, Optional

import torch
from mmengine.hooks import LoggerHook
from mmengine.hooks import RuntimeInfoHook as _RuntimeInfoHook
from mmengine.runner import Runner
from torch import Tensor

from mmcluster.registry import HOOKS


@HOOKS.register_module()
class RuntimeInfoHook(_RuntimeInfoHook):
    """mmengine's hook, whose logged values travel to the host once a log interval instead of one by one each step.

    The message hub receives the same values in the same order.

    Args:
        interval: Steps between transfers; ``None`` takes the LoggerHook's.
    """

    def __init__(self, interval: Optional[int] = None):
        super().__init__()
        self.interval = interval
        self.pending: list[dict[str, Any]] = []

    def before_train(self, runner: Runner) -> None:
        """Find the log interval."""
        super().before_train(runner)
        if self.interval is None:
            self.interval = next((hook.interval for hook in runner.hooks if isinstance(hook, LoggerHook)), 10)

    def after_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None,
                         outputs: Optional[dict] = None) -> None:
        """Keep the values of a step; hand them over at the log interval and at the end of an epoch."""
        if outputs:
            self.pending.append({key: value.detach() if isinstance(value, Tensor) else value
                                 for key, value in outputs.items()})
        if self.every_n_inner_iters(batch_idx, self.interval) or \
                self.end_of_epoch(runner.train_dataloader, batch_idx):
            self.flush(runner)

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Nothing is pending when a checkpoint is written at the end of an epoch; hand over what is otherwise."""
        self.flush(runner)

    def after_train(self, runner: Runner) -> None:
        """Hand over the rest and print the peak memory of the run."""
        self.flush(runner)
        text = ', '.join(f'{name} {value:.0f} MB' for name, value in peak_memory().items())
        runner.logger.info(f'peak memory: {text}')

    def flush(self, runner: Runner) -> None:
        """One transfer for all pending values."""
        tensors = [value.float().mean() for step in self.pending for value in step.values()
                   if isinstance(value, Tensor)]
        values = iter(torch.stack(tensors).tolist() if tensors else [])
        for step in self.pending:
            for key, value in step.items():
                number = next(values) if isinstance(value, Tensor) else value
                runner.message_hub.update_scalar(f'train/{key}', number)
        self.pending.clear()


def peak_memory() -> dict[str, float]:
    """Highest memory of this process so far, in MB: on the host, and on the accelerator if one is in use."""
    scale = 2 ** 20 if sys.platform == 'darwin' else 2 ** 10
    peak = dict(host=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / scale)
    if torch.cuda.is_available() and torch.cuda.is_initialized():
        peak['device'] = torch.cuda.max_memory_allocated() / 2 ** 20
    return peak
