"""Process groups and the parts of a config that depend on the machine."""
from __future__ import annotations

import gc
import os
import subprocess
from datetime import timedelta
from typing import Any, Optional

import torch
import torch.distributed as dist
from mmengine.config import Config, ConfigDict
from mmengine.dist import init_dist
from mmengine.registry import init_default_scope

from mmcluster.registry import OPTIM_WRAPPER_CONSTRUCTORS

from .liveness import start_heartbeat, stop_heartbeat
from .lock import end_with_parent
from .optim import GroupedOptimWrapperConstructor

LOADERS = ('train_dataloader', 'val_dataloader', 'test_dataloader')
PARAMWISE_KEYS = ('lr_mult', 'no_decay', 'layer_decay', 'constant_lr')  # of GroupedOptimWrapperConstructor


def group_options(*configs: Config) -> dict[str, Any]:
    """What ``env_cfg.dist_cfg`` of the configs says to :func:`init_environment`.

    Args:
        configs: All that this process group will run: the first backend, the longest timeout and silence count.

    Raises:
        ValueError: If a timeout or silence is no positive number.
    """
    given = [(cfg.get('env_cfg') or {}).get('dist_cfg') or {} for cfg in configs]
    options: dict[str, Any] = {}
    for each in given:
        if each.get('backend'):
            options.setdefault('backend', each['backend'])
        for name in ('timeout', 'silence'):
            seconds = each.get(name)
            if seconds is None:
                continue
            if isinstance(seconds, bool) or not isinstance(seconds, (int, float)) or not 0 < seconds < float('inf'):
                raise ValueError(f'env_cfg.dist_cfg.{name} must be a positive number of seconds, got {seconds!r}')
            options[name] = max(seconds, options.get(name, 0))
    return options


def is_restart() -> bool:
    """Whether torch's launcher has started these processes again, after one of them ended by an error."""
    return int(os.environ.get('TORCHELASTIC_RESTART_COUNT', '0')) > 0


def init_environment(launcher: str = 'none', backend: Optional[str] = None, timeout: float = 7200,
                     silence: float = 300) -> None:
    """Join the process group of a launcher. Without an accelerator the group uses gloo.

    A process that torch's launcher has started ends with it: if that is killed, none goes on writing. If one of the
    group dies, stands still or fails, all end and say which, see :mod:`~mmcluster.engine.heartbeat`.

    Args:
        launcher: ``'none'``, ``'pytorch'``, ``'slurm'`` or ``'mpi'``.
        backend: Backend on an accelerator; nccl by default.
        timeout: Seconds that a process waits for the others: they wait while one of them does an E-step.
        silence: Seconds without a sign of life after which a process is given up.

    Raises:
        RuntimeError: If this process was not started by that launcher.
    """
    init_default_scope('mmcluster')
    if launcher == 'none' or dist.is_initialized():
        return
    if 'TORCHELASTIC_RUN_ID' in os.environ:     # other launchers have a daemon that sees to it
        end_with_parent()
    if torch.cuda.is_available():
        init_dist(launcher, backend or 'nccl', timeout=timeout, **_fresh_store(timeout))
    else:
        _set_rendezvous(launcher)
        dist.init_process_group('gloo', timeout=timedelta(seconds=timeout), **_fresh_store(timeout))
    start_heartbeat(silence)


def _fresh_store(timeout: float) -> dict[str, Any]:
    """Where restarted processes find each other, if their store is the launcher's and outlives them: torch 2.14 keeps
    the addresses of the dead ones in the usual place. Machines that come and go have counted different numbers of
    restarts; ``tools/dist_train.sh`` gives them a new store for each."""
    if not is_restart() or os.environ.get('TORCHELASTIC_USE_AGENT_STORE') != 'True':
        return {}
    store, rank, world_size = next(dist.rendezvous('env://', timeout=timedelta(seconds=timeout)))
    prefix = f'restart_{os.environ["TORCHELASTIC_RESTART_COUNT"]}'
    return dict(store=dist.PrefixStore(prefix, store), rank=rank, world_size=world_size)


def leave_environment() -> None:
    """Leave the process group when all processes have come here; one that just ends takes the others down.

    A Runner and its model lie in circles of references and hold the group until they are collected. Its threads would
    run on into the end of the interpreter, which a thread that frees a tensor then does not survive ("terminate called
    without an active exception"). So call it where no Runner is in use any more.
    """
    if dist.is_initialized():
        dist.barrier()
        stop_heartbeat()
        dist.destroy_process_group()
        gc.collect()


def _set_rendezvous(launcher: str) -> None:
    """Set the variables by which torch's processes find each other from those of another launcher."""
    names = {'pytorch': ('RANK', 'WORLD_SIZE', 'LOCAL_RANK'),
             'slurm': ('SLURM_PROCID', 'SLURM_NTASKS', 'SLURM_LOCALID'),
             'mpi': ('OMPI_COMM_WORLD_RANK', 'OMPI_COMM_WORLD_SIZE', 'OMPI_COMM_WORLD_LOCAL_RANK')}
    if launcher not in names:
        raise RuntimeError(f"launcher must be 'none', 'pytorch', 'slurm' or 'mpi', got {launcher!r}")
    if any(name not in os.environ for name in names[launcher]):
        command = dict(pytorch='python -m torch.distributed.run (tools/dist_train.sh)', slurm='srun', mpi='mpirun')
        raise RuntimeError(f'--launcher {launcher} needs the environment variables {", ".join(names[launcher])}; start '
                           f'this command by {command[launcher]}')
    for variable, name in zip(names['pytorch'], names[launcher]):
        os.environ[variable] = os.environ[name]
    if launcher == 'pytorch':
        return
    if 'MASTER_ADDR' not in os.environ:
        if launcher == 'mpi':
            raise RuntimeError('--launcher mpi needs the environment variable MASTER_ADDR, the host of rank 0')
        nodes = subprocess.run(['scontrol', 'show', 'hostname', os.environ['SLURM_NODELIST']], capture_output=True,
                               text=True, check=True)
        os.environ['MASTER_ADDR'] = nodes.stdout.split()[0]
    os.environ.setdefault('MASTER_PORT', '29500')


def prepare(cfg: Config, launcher: str = 'none') -> Config:
    """Complete a config for this machine, in place: scope, seed, constructor, data-parallel wrapper, resume.

    A ``model_wrapper_cfg`` of the config is completed, or left alone if it is of another type. ``Pretrained`` is
    dropped only if there is a checkpoint to resume from.

    Args:
        cfg: Config of one stage.
        launcher: As in :func:`init_environment`.

    Returns:
        The same config.

    Raises:
        ValueError: If a setting would be ignored, see :func:`check_loaders` and :func:`set_constructor`.
    """
    check_loaders(cfg)
    set_constructor(cfg)
    cfg.default_scope = 'mmcluster'
    cfg.launcher = launcher
    randomness = cfg.setdefault('randomness', ConfigDict())
    if randomness.get('seed') is None:
        randomness.seed = 0
    for name in LOADERS:
        if isinstance(cfg.get(name), dict) and torch.cuda.is_available():
            cfg[name].setdefault('pin_memory', True)
    if launcher != 'none':
        on_device = torch.cuda.is_available()
        wrapper = dict(
            type='MMDistributedDataParallel', device_ids=[torch.cuda.current_device()] if on_device else None,
            broadcast_buffers=False, find_unused_parameters=cfg.get('find_unused_parameters', False))
        given = cfg.get('model_wrapper_cfg') or {}
        if given.get('type', wrapper['type']) == wrapper['type']:
            cfg.model_wrapper_cfg = {**wrapper, **given}
        if cfg.get('sync_bn') and not on_device:
            cfg.sync_bn = None
    if cfg.get('resume') and cfg.get('load_from'):
        cfg.model = without_pretrained(cfg.model)
    return cfg


def check_loaders(cfg: Config) -> None:
    """Refuse a ``batch_size`` of a loader whose sampler forms the batches.

    Args:
        cfg: Config of one stage.

    Raises:
        ValueError: If one is set; the message says where the size stands.
    """
    for name in LOADERS:
        loader = cfg.get(name)
        if not isinstance(loader, dict) or loader.get('batch_size') is None:
            continue
        sampler = loader.get('sampler') or {}
        places = [f'{name}.sampler.streams.{stream}.size' for stream in sampler.get('streams') or ()]
        if 'batch_size' in sampler:
            places = [f'{name}.sampler.batch_size']
        if places:
            raise ValueError(f'{name}.batch_size={loader["batch_size"]} must stay None, as the sampler forms the '
                             f'batches: set {" and ".join(places)}')


def set_constructor(cfg: Config) -> None:
    """Name the constructor that reads our keys of ``optim_wrapper.paramwise_cfg``, in place; others ignore them.

    Args:
        cfg: Config of one stage.

    Raises:
        ValueError: If the config names another constructor.
    """
    wrapper = cfg.get('optim_wrapper') or {}
    keys = [key for key in wrapper.get('paramwise_cfg') or {} if key in PARAMWISE_KEYS]
    if not keys:
        return
    kind = wrapper.setdefault('constructor', GroupedOptimWrapperConstructor.__name__)
    found = OPTIM_WRAPPER_CONSTRUCTORS.get(kind) if isinstance(kind, str) else kind
    if not (isinstance(found, type) and issubclass(found, GroupedOptimWrapperConstructor)):
        raise ValueError(f'optim_wrapper.paramwise_cfg has {keys}, which {kind} does not read: drop '
                         f'optim_wrapper.constructor, or set it to {GroupedOptimWrapperConstructor.__name__!r}')


def without_pretrained(value: Any) -> Any:
    """A nested config without any ``init_cfg`` of type Pretrained: a resumed run does not need its base's file."""
    if isinstance(value, dict):
        return type(value)({key: without_pretrained(item) for key, item in value.items()
                            if not (key == 'init_cfg' and _is_pretrained(item))})
    if isinstance(value, (list, tuple)):
        return type(value)(without_pretrained(item) for item in value if not _is_pretrained(item))
    return value


def _is_pretrained(value: Any) -> bool:
    kind = value.get('type') if isinstance(value, dict) else None
    return 'Pretrained' in str(getattr(kind, '__name__', kind)).split('.')[-1]


def scale_lr(cfg: Config) -> None:
    """Scale the learning rate linearly with the global batch size of the first stream, in place.

    Raises:
        ValueError: If the config does not say for which batch size its learning rate is meant.
    """
    base = (cfg.get('auto_scale_lr') or {}).get('base_batch_size')
    if not base:
        raise ValueError('--auto-scale-lr needs auto_scale_lr=dict(base_batch_size=...) in the config')
    name, stream = next(iter(cfg.train_dataloader.sampler.streams.items()))
    size = stream.get('size')
    if not isinstance(size, int):
        raise ValueError(f'--auto-scale-lr needs a number as size of the stream {name!r}, got {size!r}')
    cfg.optim_wrapper.optimizer.lr *= size / base
    cfg.auto_scale_lr = None
