"""Tells whether a config is still the one that started a run."""
from __future__ import annotations

import json
import logging
import os
from typing import Any

from mmengine.config import Config
from mmengine.logging import print_log

FREE_KEYS = ('work_dir', 'launcher', 'resume', 'load_from', 'log_level', 'log_processor', 'visualizer', 'vis_backends',
             'env_cfg', 'model_wrapper_cfg', 'default_hooks', 'experiment_name', 'sync_bn', 'local_rank')
FREE_LOADER_KEYS = ('num_workers', 'persistent_workers', 'pin_memory', 'prefetch_factor')


class ChangedConfigError(ValueError):
    """A config differs from the one that started a run.

    Attributes:
        differences: ``name: old -> new`` of each entry.
    """

    def __init__(self, message: str, differences: list[str]):
        super().__init__(message)
        self.differences = differences


def comparable(cfg: Config, root: str) -> dict:
    """The part of a config that must not change between start and resume, as plain JSON values.

    Args:
        cfg: Config of one stage.
        root: Absolute work dir of the whole run. Paths below it are told from it, as it may have moved.
    """
    inside = json.dumps(os.path.join(root, ''))[:-1]
    value = json.loads(json.dumps(cfg.to_dict(), default=str).replace(inside, '"{work_dir}/'))
    value = {key: item for key, item in value.items() if key not in FREE_KEYS}
    for name, loader in value.items():
        if name.endswith('_dataloader') and isinstance(loader, dict):
            value[name] = {key: item for key, item in loader.items() if key not in FREE_LOADER_KEYS}
    return value


def differences(old: Any, new: Any, where: str = '') -> list[str]:
    """Dotted names of the leaves in which two nested values differ, with both."""
    if isinstance(old, dict) and isinstance(new, dict):
        return [line for key in sorted(set(old) | set(new))
                for line in differences(old.get(key), new.get(key), f'{where}.{key}'.lstrip('.'))]
    return [] if old == new else [f'{where}: {old!r} -> {new!r}']


def check_unchanged(old: dict, new: dict, work_dir: str, allowed: bool,
                    advice: str = 'go on regardless with --allow-config-change') -> bool:
    """Refuse a config that differs from the one that started a run.

    Args:
        old: Made by :func:`comparable` when the run started.
        new: The same of the config at hand.
        work_dir: Where the run lives.
        allowed: Only warn.
        advice: What the switch that allows it would do, for the error.

    Returns:
        Whether an entry differs.

    Raises:
        ChangedConfigError: If an entry differs and that is not allowed; the message names all of them with both values.
    """
    lines = differences(old, new)
    if not lines:
        return False
    text = f'{work_dir} was started with another config:\n  ' + '\n  '.join(lines[:20])
    if not allowed:
        raise ChangedConfigError(f'{text}\nUse another --work-dir, {advice}, or start anew with --overwrite', lines)
    print_log(text, logger='current', level=logging.WARNING)
    return True


def trains_longer(old: dict, new: dict) -> bool:
    """Whether a config has more epochs or iterations than the one before it.

    Args:
        old: Made by :func:`comparable`.
        new: The same.
    """
    before, after = old.get('train_cfg') or {}, new.get('train_cfg') or {}
    return any(before.get(name) and after.get(name) and after[name] > before[name]
               for name in ('max_epochs', 'max_iters'))
