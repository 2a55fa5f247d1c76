"""What a ``dict(type=...)`` of a config may hold: the signatures of what is registered."""
from __future__ import annotations

import inspect
import re
from functools import cache, lru_cache, partial
from typing import Any, Callable, Iterable, NamedTuple, Optional

from mmengine.hooks import CheckpointHook
from mmengine.registry import Registry
from mmengine.runner import Runner
from mmengine.utils import get_object_from_string
from torch import nn

from mmcluster import registry

SCOPES = ('mmcluster.', 'mmpretrain.', 'mmengine.', 'mmcv.')
BUILD_KEYS = frozenset({'type', '_scope_', '_delete_'})
# A registry's builder takes these away from a config before it builds.
BUILDER_KEYS = {'HOOKS': {'priority'}, 'PARAM_SCHEDULERS': {'convert_to_iter_based'},
                'WEIGHT_INITIALIZERS': {'layer', 'override', 'name'},
                'OPTIM_WRAPPERS': {'optimizer', 'constructor', 'paramwise_cfg'}, 'LOOPS': {'by_epoch'}}
# The registry that a place is built from: the first that fits.
BUILT_FROM = [(re.compile(pattern), constant) for pattern, constant in {
    r'(^|\.)init_cfg(\.|$)': 'WEIGHT_INITIALIZERS', r'(^|\.)selector$': 'LABEL_SELECTORS',
    r'(views|pipelines|pipeline|transforms?|policies)(\.|$)': 'TRANSFORMS',
    r'_dataloader\.(batch_)?sampler$': 'DATA_SAMPLERS', r'_dataloader\.(collate_fn|worker_init_fn)$': 'FUNCTIONS',
    r'_dataloader\.dataset(\.|$)': 'DATASETS', r'_evaluator(\.metrics)?(\.\d+)?$': 'METRICS',
    r'^(default_hooks\.\w+|custom_hooks\.\d+)$': 'HOOKS', r'^optim_wrapper$': 'OPTIM_WRAPPERS',
    r'^optim_wrapper\.optimizer$': 'OPTIMIZERS', r'^param_scheduler(\.\d+)?$': 'PARAM_SCHEDULERS',
    r'^(train|val|test)_cfg$': 'LOOPS', r'^visualizer$': 'VISUALIZERS', r'^visualizer\.vis_backends': 'VISBACKENDS',
    r'^log_processor$': 'LOG_PROCESSORS', r'^model_wrapper_cfg$': 'MODEL_WRAPPERS',
    r'^(model|data_preprocessor|custom_hooks)(\.|$)': 'MODELS'}.items()]


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


@cache
def accepted(target: Callable) -> Names:
    """What a class or a function can be built with.

    ``**kwargs`` of a class go to the next one in its order of inheritance; what they reach at the end is open.

    Args:
        target: The class or function.
    """
    if isinstance(target, partial):             # mmpretrain's wrapper of a transform of torchvision
        target = target.keywords.get('transform', target.func)
    known, is_open = set(), True
    for owner in inspect.getmro(target) if inspect.isclass(target) else [target]:
        if owner in (object, nn.Module):        # of which the latter refuses any keyword
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
    found = targets(kind)
    if not found:
        return None
    each = [accepted(target) for target in found]
    extra = frozenset().union(*(BUILDER_KEYS.get(name, ()) for names in found.values() for name in names))
    return Names(extra.union(*(names.known for names in each)), all(names.closed for names in each),
                 f"dict(type='{kind}')" if isinstance(kind, str) else each[0].owner)


def targets(kind: Any) -> dict[Callable, list[str]]:
    """What a ``type`` may stand for -> names of the registries that have it.

    Args:
        kind: See :func:`typed`.
    """
    key = kind
    for scope in SCOPES if isinstance(kind, str) else ():
        key = key[len(scope):] if key.startswith(scope) else key
    found: dict[Callable, list[str]] = {}
    for constant, value in _registries():
        target = next((names[key] for names in _registered(value) if key in names), None) if isinstance(
            key, str) else key if any(key in names.values() for names in _registered(value)) else None
        if target is not None:
            found.setdefault(target, []).append(constant)
    if not found and isinstance(kind, str) and '.' in kind:
        kind = get_object_from_string(kind)
    return found or ({kind: []} if callable(kind) else {})


def streams_of(model: Any) -> list[str]:
    """Names of the streams that a model's ``loss`` takes; none if it takes any, or if its ``steps`` see them.

    Args:
        model: Its class, or what else a registry holds.
    """
    if callable(getattr(model, 'steps', None)) or not hasattr(model, 'loss'):
        return []
    params = [param for name, param in inspect.signature(model.loss).parameters.items() if name != 'self']
    return [] if any(param.kind is param.VAR_KEYWORD for param in params) else [param.name for param in params]


def required(target: Callable) -> list[str]:
    """Names of the arguments without a default that a class or function must be given."""
    return [name for name, param in inspect.signature(target).parameters.items()
            if param.default is param.empty and param.kind in (param.POSITIONAL_OR_KEYWORD, param.KEYWORD_ONLY)]


def check_type(kind: Any, where: str) -> None:
    """Refuse a ``type`` that no registry has; of the place that it stands at, the registry says what is near.

    Args:
        kind: See :func:`typed`.
        where: Dotted place of the dict.

    Raises:
        KeyError: If there is no such type.
    """
    if not targets(kind):
        for pattern, constant in BUILT_FROM:
            if pattern.search(where):
                try:
                    getattr(registry, constant).get(kind)
                except KeyError as error:
                    raise KeyError(f'{where}.type: {error.args[0]}') from None


def check_built(config: Any, where: str) -> None:
    """Refuse a config of data, such as a record of a run, that would call what is no part of a network.

    A registry takes the dotted path of anything that can be imported, ``os.remove`` too, and calls it. Who opens a
    folder of someone else does not expect it to do more than to build a network.

    Args:
        config: Dicts and lists of it; every ``type`` in them is looked up, none is called.
        where: File, for messages.

    Raises:
        ValueError: If a ``type`` is neither registered nor a class of modules.
    """
    if isinstance(config, dict):
        for target, names in targets(config['type']).items() if isinstance(config.get('type'), str) else ():
            if not names and not (inspect.isclass(target) and issubclass(target, nn.Module)):
                raise ValueError(f'{where} asks for {config["type"]!r}, which no registry has and which is no '
                                 f'torch.nn.Module: it is not called. If it is yours, register it')
        config = list(config.values())
    for value in config if isinstance(config, (list, tuple)) else ():
        check_built(value, where)
