"""What checks read of a Runner, without its folder, its logs, its device and weights."""
from __future__ import annotations

import logging
from contextlib import suppress
from types import SimpleNamespace
from typing import Any, Optional, Sequence, cast

from mmengine.config import Config
from mmengine.runner import Runner
from torch import nn
from torch.utils.data import DataLoader

from .requirements import CHECKS


class UnrehearsedError(AttributeError):
    """A check asks for what only a Runner has; it is left to the run."""


class DryRun:
    """Stands for the Runner of a stage before that one trains.

    Args:
        cfg: Of the stage.
        model: Built, without weights.
        hooks: Built.
        loaders: ``'train_dataloader'`` and, if there is an evaluation, ``'val_dataloader'``.
        metrics: Of the evaluation.
        optim_wrapper: Built, or its config.
    """

    seed, visualizer, logger = 0, SimpleNamespace(), logging.getLogger(__name__)

    def __init__(self, cfg: Config, model: nn.Module, hooks: Sequence[Any], loaders: dict[str, DataLoader],
                 metrics: Sequence[Any], optim_wrapper: Any):
        self.cfg, self.model, self.hooks, self.optim_wrapper = cfg, model, hooks, optim_wrapper
        self.train_dataloader = self._train_dataloader = loaders['train_dataloader']
        self.val_dataloader = loaders.get('val_dataloader')
        self.val_loop: Optional[SimpleNamespace] = None if self.val_dataloader is None else SimpleNamespace(
            dataloader=self.val_dataloader, evaluator=SimpleNamespace(metrics=metrics))
        self.train_loop = Runner.build_train_loop(cast(Runner, self), cfg.train_cfg)
        self.train_dataloader = self.train_loop.dataloader

    def __getattr__(self, name: str) -> Any:
        raise UnrehearsedError(f'a rehearsal has no {name}')


def dry_run(*parts: Any) -> None:
    """Check what a run refuses before its first iteration, also by hooks of this package, without a Runner.

    Hooks of others are left out, which may do more than check when a run begins, and so is a model of others that is
    whole only when its weights are initialised.

    Args:
        parts: Of :class:`DryRun`.

    Raises:
        ValueError: What does not fit.
    """
    with suppress(UnrehearsedError):        # of a loop of the user's
        run = cast(Runner, DryRun(*parts))
        if not (hasattr(run.model, 'init_weights') and _ours(run.model.init_weights)):
            return
        for check in (*CHECKS, *(hook.before_train for hook in run.hooks if _ours(hook.before_train))):
            with suppress(UnrehearsedError):
                check(run)


def _ours(method: Any) -> bool:
    return method.__module__.split('.')[0] == 'mmcluster'
