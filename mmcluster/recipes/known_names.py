"""Which names are read where, besides those of a ``dict(type=...)``; and which of them a misspelt one is meant for."""
from __future__ import annotations

import inspect
from typing import Any, Callable, Iterable, Optional

import torch
from mmengine.config import Config
from mmengine.runner import Runner
from torch import nn
from torch.distributed import init_process_group
from torch.utils.data import DataLoader

from mmcluster.datasets.streams import Stream
from mmcluster.engine.hooks.sweep import SweepHook
from mmcluster.engine.launch import PARAMWISE_KEYS
from mmcluster.functional.schedule import cosine_ramp, linear_ramp
from mmcluster.models.bank import SampleBank
from mmcluster.models.teacher import MomentumTeacher

from .known_types import Names, parameters


def _names(*functions: Callable, extra: Iterable[str] = (), closed: bool = True, owner: str = '') -> Names:
    known = set(extra).union(*(parameters(function)[0] for function in functions))
    return Names(frozenset(known | {'_delete_'}), closed, owner)


# What is read from a config: the Runner's arguments, what it looks up beside them, and what `launch` does.
SETTINGS = frozenset(inspect.signature(Runner).parameters) - {'cfg'} | {
    'activation_checkpointing', 'compile', 'custom_imports', 'efficient_conv_bn_eval', 'env_variables', 'extra_keys',
    'find_unused_parameters', 'model_wrapper_cfg', 'runner_type', 'sync_bn'}

STAGE_KEYS = ('parts', 'on', 'data', 'facts', 'config', 'options', 'checkpoint')
COMPOSED = ('facts', 'hooks', 'metrics', 'network')     # names of parts beside settings

_LOADER = _names(DataLoader.__init__, owner='a data loader', extra=[
    'num_batch_per_epoch', 'disable_subprocess_warning'])
# Plain dicts that mmengine or we read by hand: place -> names. '*' stands for one name of any kind.
PLACES = {
    'env_cfg': _names(extra=['cudnn_benchmark', 'mp_cfg', 'dist_cfg', 'resource_limit'], owner='env_cfg'),
    'env_cfg.mp_cfg': _names(extra=['mp_start_method', 'opencv_num_threads'], owner='env_cfg.mp_cfg'),
    'env_cfg.dist_cfg': _names(init_process_group, extra=['init_backend', 'port', 'silence'], owner='env_cfg.dist_cfg'),
    'randomness': _names(Runner.set_randomness, owner='randomness'),
    'auto_scale_lr': _names(extra=['base_batch_size', 'enable'], owner='auto_scale_lr'),
    'compile': _names(torch.compile, extra=['target'], owner='compile'),
    'optim_wrapper.clip_grad': _names(nn.utils.clip_grad_norm_, nn.utils.clip_grad_value_, extra=['type'],
                                      owner='optim_wrapper.clip_grad'),
    'optim_wrapper.paramwise_cfg': _names(extra=[
        *PARAMWISE_KEYS, 'custom_keys', 'bias_lr_mult', 'bias_decay_mult', 'norm_decay_mult', 'flat_decay_mult',
        'dwconv_decay_mult', 'dcn_offset_lr_mult', 'bypass_duplicate'], owner='optim_wrapper.paramwise_cfg'),
    'optim_wrapper.paramwise_cfg.custom_keys.*': _names(extra=['lr_mult', 'decay_mult'], owner='custom_keys'),
    'train_dataloader': _LOADER, 'val_dataloader': _LOADER, 'test_dataloader': _LOADER,
    'train_dataloader.sampler.streams.*': _names(Stream.__init__, extra=['exclude'], owner='a stream'),
    'model.bank.fields.*': _names(SampleBank.add_field, owner='a field of the bank'),
    'stages.*': _names(extra=STAGE_KEYS, owner='a stage'),
    'val_dataloader.dataset.pipelines': _names(extra=['test'], closed=False, owner='a sweep'),
    'test_dataloader.dataset.pipelines': _names(extra=['test'], closed=False, owner='a sweep'),
    # Hooks registered under other names run beside mmengine's own, so only a name that resembles one is wrong.
    'default_hooks': _names(extra=['runtime_info', 'timer', 'sampler_seed', 'logger', 'param_scheduler', 'checkpoint',
                                   'seed', 'pools', 'batch_norm', 'result'], closed=False, owner='default_hooks'),
}
# Dicts without `type` that a part of ours hands on, by their name; the part itself refuses what is not near a name.
PARTS = {'bank': _names(SampleBank.__init__, closed=False), 'teacher': _names(MomentumTeacher.__init__, closed=False),
         'cosine': _names(cosine_ramp, closed=False), 'linear': _names(linear_ramp, closed=False),
         'embed': _names(SweepHook.__init__, closed=False)}
# What a dict without `type` is built as.
DEFAULT_TYPES = {'optim_wrapper': 'OptimWrapper', 'log_processor': 'LogProcessor', 'visualizer': 'Visualizer',
                 'val_cfg': 'ValLoop', 'test_cfg': 'TestLoop', 'model_wrapper_cfg': 'MMDistributedDataParallel'}


def default_type(where: str, value: dict) -> Optional[str]:
    """The type that a dict without ``type`` has at a place.

    Args:
        where: Dotted place.
        value: The dict.
    """
    if where == 'train_cfg':
        return 'EpochBasedTrainLoop' if value.get('by_epoch', True) else 'IterBasedTrainLoop'
    return DEFAULT_TYPES.get(where)


def variables(cfg: Config) -> set[str]:
    """Names of a config that are no settings."""
    return set(cfg) - SETTINGS - {'stages', 'data', 'facts'} - set(cfg.get('extra_keys') or ())


def shared_settings(cfg: Config) -> dict[str, Any]:
    """What a recipe says for all its stages."""
    return {key: value for key, value in cfg.items() if key in SETTINGS | {*COMPOSED} and key != 'work_dir'}
