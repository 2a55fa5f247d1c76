"""Which names are read where: from the signatures of classes and functions, and of what mmengine looks up by hand."""
from __future__ import annotations

import difflib
import inspect
from functools import lru_cache
from typing import Any, Callable, Iterable, NamedTuple, Optional

import torch
from mmengine.config import Config
from mmengine.hooks import CheckpointHook
from mmengine.registry import Registry
from mmengine.runner import Runner
from torch import nn
from torch.distributed import init_process_group
from torch.utils.data import DataLoader

from mmcluster import registry
from mmcluster.datasets.streams import Stream
from mmcluster.functional.schedule import cosine_ramp, linear_ramp
from mmcluster.models.bank import SampleBank
from mmcluster.models.teacher import MomentumTeacher

from .launch import PARAMWISE_KEYS

SCOPES = ('mmcluster.', 'mmpretrain.', 'mmengine.', 'mmcv.')
BUILD_KEYS = frozenset({'type', '_scope_', '_delete_'})
# A registry's builder takes these away from a config before it builds.
BUILDER_KEYS = {'HOOKS': {'priority'}, 'PARAM_SCHEDULERS': {'convert_to_iter_based'},
                'WEIGHT_INITIALIZERS': {'layer', 'override', 'name'},
                'OPTIM_WRAPPERS': {'optimizer', 'constructor', 'paramwise_cfg'}, 'LOOPS': {'by_epoch'}}


class Names(NamedTuple):
    """Names that a callable or a place takes.

    Attributes:
        known: The names.
        closed: Whether any other name is wrong; else one is only if it resembles a known one.
        owner: Who takes them, for messages.
    """
    known: frozenset
    closed: bool
    owner: str


def parameters(function: Callable) -> tuple[set[str], bool]:
    """Names of a signature's keyword arguments, and whether it takes any other.

    Args:
        function: A function, or a method, whose ``self`` is left out.
    """
    params = inspect.signature(function).parameters.values()
    return ({param.name for param in params if param.kind in (param.POSITIONAL_OR_KEYWORD, param.KEYWORD_ONLY)}
            - {'self', 'cls'}, any(param.kind is param.VAR_KEYWORD for param in params))


@lru_cache(maxsize=None)
def accepted(target: Callable) -> Names:
    """What a class or a function can be built with.

    ``**kwargs`` of a class go to the next one in its order of inheritance; what they reach at the end is open.

    Args:
        target: The class or function.
    """
    known, is_open = set(), True
    for owner in inspect.getmro(target) if inspect.isclass(target) else [target]:
        if owner in (object, nn.Module):
            is_open = is_open and owner is object
            break
        if inspect.isclass(owner) and '__init__' not in vars(owner):
            continue
        try:
            found, is_open = parameters(owner.__init__ if inspect.isclass(owner) else owner)
        except (TypeError, ValueError):         # written in C, no signature
            continue
        known |= found
        if owner is CheckpointHook:             # hands its kwargs on at each save
            known, is_open = known | parameters(Runner.save_checkpoint)[0], False
        if not is_open:
            break
    else:
        is_open = is_open and bool(known)
    if hasattr(target, 'build_iter_from_epoch'):
        known |= parameters(target.build_iter_from_epoch)[0] - {'args', 'kwargs'}
    return Names(frozenset(known | BUILD_KEYS), not is_open, getattr(target, '__name__', str(target)))


@lru_cache(maxsize=1)
def _registries() -> list[tuple[str, Registry]]:
    """All registries of configs, their packages imported."""
    found = [(name, value) for name, value in vars(registry).items()
             if isinstance(value, registry.NamedRegistry) and name != 'INFERENCERS']
    for _, value in found:
        value.import_from_location()
    return found


def _registered(value: Optional[Registry]) -> Iterable[dict[str, Any]]:
    while value is not None:
        yield value.module_dict
        value = value.parent


def typed(kind: Any) -> Optional[Names]:
    """What a ``dict(type=kind)`` may hold, whichever registry has the name.

    Args:
        kind: A registered name, a dotted path, or a class or function itself.

    Returns:
        ``None`` if no registry has it and it cannot be imported.
    """
    key = kind
    for scope in SCOPES if isinstance(kind, str) else ():
        key = key[len(scope):] if key.startswith(scope) else key
    found, extra = [], set()
    for constant, value in _registries():
        for names in _registered(value):
            target = names.get(key) if isinstance(key, str) else key if key in names.values() else None
            if target is not None:
                found.append(target)
                extra |= BUILDER_KEYS.get(constant, set())
                break
    if not found and callable(kind):
        found = [kind]
    if not found and isinstance(kind, str) and '.' in kind:
        from mmengine.utils import get_object_from_string
        found = [target for target in [get_object_from_string(kind)] if target is not None]
    if not found:
        return None
    each = [accepted(target) for target in dict.fromkeys(found)]
    return Names(frozenset().union(extra, *(names.known for names in each)), all(names.closed for names in each),
                 f"dict(type='{key}')" if isinstance(key, str) else each[0].owner)


def near_types(kind: str) -> str:
    """The registered name that resembles another most, as :func:`near`."""
    return near(kind.split('.')[-1], {name for _, value in _registries() for names in _registered(value)
                                      for name in names})


def resembling(name: str, names: Iterable[str], cutoff: float = 0.78) -> Optional[str]:
    """The name that resembles another most, ``None`` if none does.

    Args:
        name: The name.
        names: Those that it may be meant for.
        cutoff: Least share of equal letters.
    """
    names = sorted(map(str, names))
    swapped = [known for known in names if sorted(known) == sorted(name)]  # difflib finds swaps in short names far
    return (swapped or difflib.get_close_matches(name, names, n=1, cutoff=cutoff) or [None])[0]


def near(name: str, names: Iterable[str]) -> str:
    """The same in brackets, for a message; nothing if none resembles it."""
    found = resembling(name, names)
    return f' (did you mean {found!r}?)' if found else ''


def _names(*functions: Callable, extra: Iterable[str] = (), closed: bool = True, owner: str = '') -> Names:
    known = set(extra).union(*(parameters(function)[0] for function in functions))
    return Names(frozenset(known | {'_delete_'}), closed, owner or getattr(functions[0], '__name__', ''))


# What is read from a config: the Runner's arguments, what it looks up beside them, and what `launch` does.
SETTINGS = frozenset(inspect.signature(Runner).parameters) - {'cfg'} | {
    'activation_checkpointing', 'compile', 'custom_imports', 'efficient_conv_bn_eval', 'env_variables', 'extra_keys',
    'find_unused_parameters', 'model_wrapper_cfg', 'runner_type', 'sync_bn'}

_LOADER = _names(DataLoader.__init__, owner='a data loader', extra=[
    'num_batch_per_epoch', 'disable_subprocess_warning'])
# Plain dicts that mmengine or we read by hand: place -> names. '*' stands for one name of any kind.
PLACES = {
    'env_cfg': _names(extra=['cudnn_benchmark', 'mp_cfg', 'dist_cfg', 'resource_limit'], owner='env_cfg'),
    'env_cfg.mp_cfg': _names(extra=['mp_start_method', 'opencv_num_threads'], owner='env_cfg.mp_cfg'),
    'env_cfg.dist_cfg': _names(init_process_group, extra=['init_backend', 'port'], owner='env_cfg.dist_cfg'),
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
    'stages.*': _names(extra=['config', 'options', 'checkpoint'], owner='a stage'),
    # Hooks registered under other names run beside mmengine's own, so only a name that resembles one is wrong.
    'default_hooks': _names(extra=['runtime_info', 'timer', 'sampler_seed', 'logger', 'param_scheduler', 'checkpoint',
                                   'seed', 'pools', 'batch_norm', 'result'], closed=False, owner='default_hooks'),
}
# Dicts without `type` that a part of ours hands on, by their name; the part itself refuses what is not near a name.
PARTS = {'bank': _names(SampleBank.__init__, closed=False), 'teacher': _names(MomentumTeacher.__init__, closed=False),
         'cosine': _names(cosine_ramp, closed=False), 'linear': _names(linear_ramp, closed=False)}
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
    return set(cfg) - SETTINGS - {'stages'} - set(cfg.get('extra_keys') or ())
