"""Another number of epochs for a config: what else counts epochs moves with it."""
from __future__ import annotations

import logging
from typing import Any

from mmengine.config import Config
from mmengine.logging import print_log

# Settings in epochs, those of _LENGTHS at least 1; `milestones`, `periods` and the first of each of `steps` too.
_LENGTHS = ('total_epochs', 'T_max', 'end', 'step_size', 'total_steps')
_SCHEDULER = (*_LENGTHS, 'warmup_epochs', 'begin')


def set_epochs(cfg: Config, epochs: int) -> None:
    """Train for another number of epochs, in place; schedules, warm-ups and intervals shrink or grow in proportion.

    Steps an epoch (``sampler.length``) stay as they are.

    Args:
        cfg: Config of one stage.
        epochs: The new number.

    Raises:
        ValueError: If it is not positive, or the config does not count epochs.
    """
    old = (cfg.get('train_cfg') or {}).get('max_epochs')
    if epochs < 1:
        raise ValueError(f'the number of epochs must be at least 1, got {epochs}')
    if not old:
        raise ValueError('the config has no train_cfg.max_epochs to change: set what counts its iterations')

    def scaled(value: Any, least: int = 0) -> Any:
        """A number of epochs, moved with the length; anything else as it is."""
        is_number = isinstance(value, (int, float)) and not isinstance(value, bool) and value > 0
        return max(round(value * epochs / old), least) if is_number else value

    cfg.train_cfg.max_epochs = epochs
    for key, least in dict(val_interval=1, val_begin=0).items():
        if key in cfg.train_cfg:
            cfg.train_cfg[key] = scaled(cfg.train_cfg[key], least)
    checkpoint = (cfg.get('default_hooks') or {}).get('checkpoint')
    if isinstance(checkpoint, dict) and checkpoint.get('by_epoch', True) and 'interval' in checkpoint:
        checkpoint['interval'] = scaled(checkpoint['interval'], 1)
    schedulers = cfg.get('param_scheduler') or []
    for entry in schedulers if isinstance(schedulers, (list, tuple)) else [schedulers]:
        if not entry.get('by_epoch', True):
            counted = [key for key in (*_SCHEDULER, 'milestones', 'periods') if entry.get(key)]
            if counted:
                print_log(f'{epochs} epochs in the place of {old}: {entry.get("type")} in param_scheduler counts '
                          f'iterations and stays as it is; give it {", ".join(counted)} for the new length',
                          logger='current', level=logging.WARNING)
            continue
        for key in _SCHEDULER:
            if key in entry:
                entry[key] = scaled(entry[key], int(key in _LENGTHS))
        if 'rest_epochs' in entry:      # a part of the warm-up, which may be gone
            entry['rest_epochs'] = min(scaled(entry['rest_epochs']), max(entry['warmup_epochs'] - 1, 0))
        for key, least in dict(milestones=0, periods=1).items():
            if key in entry:
                entry[key] = [scaled(value, least) for value in entry[key]]
    for hook in cfg.get('custom_hooks') or []:
        if isinstance(hook, dict) and hook.get('by_epoch', True):
            if hook.get('steps'):
                hook['steps'] = [(scaled(epoch, epochs > 1), value) for epoch, value in hook['steps']]
            if 'begin' in hook:
                hook['begin'] = _begin(scaled(hook['begin'], 1), epochs)
    sampler = (cfg.get('train_dataloader') or {}).get('sampler') or {}
    for stream in (sampler.get('streams') or {}).values():
        if stream.get('begin'):         # with the hook that fills what it draws from
            stream['begin'] = _begin(scaled(stream['begin'], 1), epochs)


def _begin(begin: Any, epochs: int) -> Any:
    """What does not begin at once begins in the last epoch at the latest, and after the first: never, if that is all.

    A graph of remembered features, say, needs an epoch before it.
    """
    return max(min(begin, epochs - 1), min(begin, 1))
