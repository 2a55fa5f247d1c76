"""Process groups and the parts of a config that depend on the machine."""
from __future__ import annotations

from typing import Any, Optional

import torch
import torch.distributed as dist
from mmengine.config import Config, ConfigDict
from mmengine.dist import init_dist
from mmengine.registry import init_default_scope


def init_environment(launcher: str = 'none', backend: Optional[str] = None) -> None:
    """Join the process group of a launcher. Without an accelerator the group uses gloo.

    Args:
        launcher: ``'none'``, ``'pytorch'``, ``'slurm'`` or ``'mpi'``.
        backend: Backend on an accelerator; nccl by default.
    """
    init_default_scope('mmcluster')
    if launcher == 'none' or dist.is_initialized():
        return
    if torch.cuda.is_available():
        init_dist(launcher, backend or 'nccl')
    elif launcher == 'pytorch':
        dist.init_process_group('gloo')
    else:
        init_dist(launcher, 'gloo', init_backend='torch')


def prepare(cfg: Config, launcher: str = 'none') -> Config:
    """Complete a config for this machine, in place: scope, seed, data-parallel wrapper, resume.

    Args:
        cfg: Config of one stage.
        launcher: As in :func:`init_environment`.

    Returns:
        The same config.
    """
    cfg.default_scope = 'mmcluster'
    cfg.launcher = launcher
    randomness = cfg.setdefault('randomness', ConfigDict())
    if randomness.get('seed') is None:
        randomness.seed = 0
    if launcher != 'none':
        on_device = torch.cuda.is_available()
        cfg.model_wrapper_cfg = dict(
            type='MMDistributedDataParallel', device_ids=[torch.cuda.current_device()] if on_device else None,
            broadcast_buffers=False, find_unused_parameters=cfg.get('find_unused_parameters', False))
        if cfg.get('sync_bn') and not on_device:
            cfg.sync_bn = None
    if cfg.get('resume'):
        cfg.model = without_pretrained(cfg.model)
    return cfg


def without_pretrained(value: Any) -> Any:
    """A nested config without any ``init_cfg`` of type Pretrained: a resumed run does not need its base's file."""
    if isinstance(value, dict):
        kept = {key: without_pretrained(item) for key, item in value.items()
                if not (key == 'init_cfg' and isinstance(item, dict) and item.get('type') == 'Pretrained')}
        return type(value)(kept)
    if isinstance(value, (list, tuple)):
        return type(value)(without_pretrained(item) for item in value)
    return value


def scale_lr(cfg: Config) -> None:
    """Scale the learning rate linearly with the global batch size of the first stream, in place.

    Raises:
        ValueError: If the config does not say for which batch size its learning rate is meant.
    """
    base = (cfg.get('auto_scale_lr') or {}).get('base_batch_size')
    if not base:
        raise ValueError('--auto-scale-lr needs auto_scale_lr=dict(base_batch_size=...) in the config')
    size = next(iter(cfg.train_dataloader.sampler.streams.values())).size
    cfg.optim_wrapper.optimizer.lr *= size / base
    cfg.auto_scale_lr = None
