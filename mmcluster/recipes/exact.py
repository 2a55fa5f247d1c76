"""Settings with which an interrupted run would not continue as if nothing had happened: they are refused."""
from __future__ import annotations

from typing import Any, Iterator

from mmengine.config import Config
from mmengine.hooks import CheckpointHook, EarlyStoppingHook
from mmengine.optim import ReduceOnPlateauParamScheduler
from mmengine.registry import Registry
from mmengine.runner import IterBasedTrainLoop, Runner

from mmcluster.checks import require_count
from mmcluster.registry import HOOKS, LOOPS, PARAM_SCHEDULERS


def check_exact(cfg: Config) -> None:
    """Refuse settings that break resume, or by which ground truth would reach the weights.

    Args:
        cfg: Config of one stage.

    Raises:
        ValueError: If there is one; the message says why, and what to take instead.
    """
    train = cfg.get('train_cfg') or {}
    if _is_a(train, LOOPS, IterBasedTrainLoop) or (not train.get('type') and train.get('by_epoch') is False):
        raise ValueError("train_cfg: an IterBasedTrainLoop has no epochs, at whose ends E-steps, checkpoints and "
                         "results are due, and would resume in the middle of the data: take "
                         "train_cfg=dict(type='EpochBasedTrainLoop', max_epochs=...), and set the length of an epoch "
                         "by train_dataloader.sampler.length")
    for where, hook in _hooks(cfg):
        if _is_a(hook, HOOKS, CheckpointHook) and not _option(hook, 'by_epoch', True):
            raise ValueError(f'{where}.by_epoch=False saves in the middle of an epoch, and a run that resumes there '
                             f'would begin the epoch again: leave it True, and shorten an epoch by '
                             f'train_dataloader.sampler.length if more checkpoints are wanted')
        if _is_a(hook, HOOKS, CheckpointHook) and not _option(hook, 'save_last', True):
            raise ValueError(f'{where}.save_last=False: the checkpoint after the last epoch is the result, and what '
                             f'later stages go on from; leave it True')
        if _is_a(hook, HOOKS, CheckpointHook) and _option(hook, 'out_dir', None) not in (None, cfg.get('work_dir')):
            raise ValueError(f'{where}.out_dir: a run goes on from the checkpoints in its work dir, where later stages '
                             f'find them, too; leave it unset, and let work_dir be where there is room')
        if _is_a(hook, HOOKS, EarlyStoppingHook) or _watches(hook, HOOKS):
            raise ValueError(f'{where} {_watched(hook)}: set train_cfg.max_epochs instead')
    for where, scheduler in _schedulers(cfg.get('param_scheduler')):
        if _is_a(scheduler, PARAM_SCHEDULERS, ReduceOnPlateauParamScheduler) or _watches(scheduler, PARAM_SCHEDULERS):
            raise ValueError(f'{where} {_watched(scheduler)}: take a schedule of the epoch, such as WarmupCosineLR')


def check_accumulation(runner: Runner) -> None:
    """Refuse gradients that are left at the end of an epoch: no checkpoint holds them.

    Args:
        runner: The Runner; its train loop is built.

    Raises:
        ValueError: If ``accumulative_counts`` does not divide the iterations of an epoch.
    """
    wrapper = runner.optim_wrapper
    wrapper = wrapper if isinstance(wrapper, dict) else dict(accumulative_counts=getattr(
        wrapper, '_accumulative_counts', 1))
    length = len(runner.train_loop.dataloader)
    for part in (wrapper, *(value for value in wrapper.values() if isinstance(value, dict))):
        count = part.get('accumulative_counts', 1)
        require_count('optim_wrapper', accumulative_counts=count)
        if length % count:
            raise ValueError(f'optim_wrapper.accumulative_counts={count} does not divide the {length} iterations of an '
                             f'epoch: gradients would be left at its end, which no checkpoint holds, and a resumed run '
                             f'would differ. Take a divisor, or set train_dataloader.sampler.length to a multiple')


def _watched(part: Any) -> str:
    """Why nothing may be decided by a metric."""
    return (f'decides by {_option(part, "monitor", "a metric")!r}, a result of an evaluation. It comes after the '
            f'checkpoint of its epoch, so a resumed run would decide otherwise, and as the metrics know the ground '
            f'truth, that would reach the weights')


def _hooks(cfg: Config) -> Iterator[tuple[str, Any]]:
    """Place and config, or object, of every hook."""
    for name, hook in (cfg.get('default_hooks') or {}).items():
        yield f'default_hooks.{name}', hook
    for i, hook in enumerate(cfg.get('custom_hooks') or ()):
        yield f'custom_hooks.{i}', hook


def _schedulers(value: Any, where: str = 'param_scheduler') -> Iterator[tuple[str, Any]]:
    """Place and config, or object, of every scheduler; there may be lists, and a dict of them by optimiser."""
    if isinstance(value, (list, tuple)):
        for i, item in enumerate(value):
            yield from _schedulers(item, f'{where}.{i}')
    elif isinstance(value, dict) and 'type' not in value:
        for name, item in value.items():
            yield from _schedulers(item, f'{where}.{name}')
    elif value is not None:
        yield where, value


def _kind(part: Any, registry: Registry) -> Any:
    """Class of a part, given as its config or as an object; ``None`` if it is unknown."""
    if not isinstance(part, dict):
        return type(part)
    kind = part.get('type')
    return registry.get(kind) if isinstance(kind, str) else kind


def _is_a(part: Any, registry: Registry, kind: type) -> bool:
    found = _kind(part, registry)
    return isinstance(found, type) and issubclass(found, kind)


def _watches(part: Any, registry: Registry) -> bool:
    """Whether a part is told to follow a metric: it has an option of the name that mmengine and others use for it."""
    return _kind(part, registry) is not None and _option(part, 'monitor', None) is not None


def _option(part: Any, name: str, default: Any) -> Any:
    return part.get(name, default) if isinstance(part, dict) else getattr(part, name, default)
