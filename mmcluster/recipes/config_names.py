"""Misspelt names of a config are refused before anything is trained, at every level that something reads."""
from __future__ import annotations

import ast
import logging
import os
import re
from typing import Any, Iterator, Optional

from mmengine.config import Config
from mmengine.logging import print_log

from mmcluster.checks import near, resembling

from .facts import references
from .known_names import PARTS, PLACES, SETTINGS, default_type, variables
from .known_types import Names, check_type, required, streams_of, targets, typed

SHOWN = 10
# Dicts whose keys are names of the user's or of a layer builder, which has arguments of its own.
FREE = re.compile(r'(^|\.)(norm_cfg|act_cfg|conv_cfg|clip_grad|metainfo|backend_args)$')


def check_config(cfg: Config, prefix: str = '') -> None:
    """Refuse names of a config that nothing reads.

    A variable of a config file, from which its settings are made, may have any name. Names at the top that no file
    uses and that resemble a setting are refused; others are named in a warning, unless the config lists them in
    ``extra_keys`` because code of the user's own reads them.

    Args:
        cfg: Config of one stage, or a recipe.
        prefix: What to put before each name in messages.

    Raises:
        ValueError: If there are such names; the message gives those that are near.
        KeyError: If no registry has a ``type``.
    """
    problems = [*_top_level(cfg, prefix)]
    for key, value in cfg._cfg_dict.items():
        if key in SETTINGS or key == 'stages':
            problems += [f'{prefix}{line}' for line in problems_in(value, key)]
    problems += [f'{prefix}{line}' for line in _streams(cfg)]
    _check_hooks(cfg, prefix)
    _check_seed(cfg.get('randomness'), prefix)
    _check_views(cfg, prefix)
    if problems:
        problems = list(dict.fromkeys(problems))
        more = f'\n  and {len(problems) - SHOWN} more' if len(problems) > SHOWN else ''
        raise ValueError(f'{cfg.filename or "the config"}: nothing reads\n  ' + '\n  '.join(problems[:SHOWN]) + more)


def _check_seed(randomness: Any, prefix: str) -> None:
    """Refuse what no random stream starts from; a fact of parts is not filled in yet."""
    if randomness is None:
        return
    if not isinstance(randomness, dict):
        raise ValueError(f'{prefix}randomness must be a dict, such as dict(seed=0), got {randomness!r}')
    seed = randomness.get('seed')
    if not (seed is None or isinstance(seed, int) or references(seed)):
        raise ValueError(f'{prefix}randomness.seed must be a whole number, got {seed!r}')


def _check_hooks(cfg: Config, prefix: str) -> None:
    """Refuse a hook that lacks an argument: it would fail when its stage begins, after all those before it."""
    hooks = cfg.get('custom_hooks') or []
    for i, hook in enumerate(hooks if isinstance(hooks, (list, tuple)) else []):
        kind = hook.get('type') if isinstance(hook, dict) else None
        for target in targets(kind) if kind else ():
            missing = [name for name in required(target) if name not in hook]
            if missing:
                raise ValueError(f'{prefix}custom_hooks.{i}: {kind} needs {", ".join(missing)}')


def _top_level(cfg: Config, prefix: str) -> Iterator[str]:
    """Problems with names at the top of a config; a warning of those that may be meant."""
    unknown = variables(cfg)
    if not unknown:
        return
    used, offered = variables_of_files(cfg.filename)
    idle = []
    for name in sorted(unknown):
        if name in used:
            continue
        if resembling(name, SETTINGS):
            yield (f"{prefix}{name}{near(name, SETTINGS)}; if code of your own reads it, write extra_keys=['{name}'] "
                   f'into the config')
        elif name not in offered:
            idle.append(name)
    if idle:
        print_log(f'{cfg.filename or "the config"}: nothing reads {", ".join(prefix + name for name in idle)}. A '
                  f'variable of a base file that is set again changes nothing, as the base has been read already. What '
                  f'your own code reads can be listed in extra_keys', logger='current', level=logging.WARNING)


def variables_of_files(path: Optional[str]) -> tuple[set[str], set[str]]:
    """Variables that the files of a config use for its settings, and those that are for others of its base files.

    Args:
        path: The file; ``None`` for a config made in memory, which has none.
    """
    files = list(_names_of_files(path))
    if not files:
        return set(), set()
    of_bases = set().union(*(bases for _, _, bases in files))
    own, loaded, _ = files[0]
    reset = own - loaded                    # a base has used the value it had there
    used = set().union(*(stored & loads for stored, loads, _ in files)) | of_bases
    offered = set().union(*(stored for stored, _, _ in files[1:])) - own
    return used - reset, offered


def _names_of_files(path: Optional[str]) -> Iterator[tuple[set[str], set[str], set[str]]]:
    """Names that each file of a config sets, reads, and takes from its base files; the file itself first."""
    if not path or not path.endswith('.py') or not os.path.isfile(path):
        return
    with open(path, encoding='utf-8') as stream:
        text = stream.read()
    tree = ast.parse(re.sub(r'\{\{.*?\}\}', '0', text))     # {{_base_.name}} and {{fileDirname}} are no Python
    names = [node for node in ast.walk(tree) if isinstance(node, ast.Name)]
    yield ({node.id for node in names if isinstance(node.ctx, ast.Store)},
           {node.id for node in names if isinstance(node.ctx, ast.Load)}, set(re.findall(r'_base_\.(\w+)', text)))
    for node in tree.body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], 'id', None) == '_base_':
            for base in [item.value for item in ast.walk(node.value) if isinstance(item, ast.Constant)]:
                if isinstance(base, str) and '::' not in base:      # not of an installed package
                    yield from _names_of_files(os.path.join(os.path.dirname(path), base))


def _streams(cfg: Config) -> Iterator[str]:
    """Streams that the model does not know, and views or pipelines of no stream."""
    model, loader = cfg.get('model') or {}, cfg.get('train_dataloader') or {}
    streams = (loader.get('sampler') or {}).get('streams') if isinstance(loader, dict) else None
    if not streams or not isinstance(model, dict):
        return
    known = [name for target in targets(model.get('type')) for name in streams_of(target)]
    for name in streams if known else ():
        if name not in known:
            yield (f'train_dataloader.sampler.streams.{name}: {model["type"]} has no stream {name!r}; its streams are '
                   f'{known}')
    views = (model.get('data_preprocessor') or {}).get('views')
    pipelines = (loader.get('dataset') or {}).get('pipelines')
    by_stream = {'model.data_preprocessor.views': views, 'train_dataloader.dataset.pipelines': pipelines}
    for where, names in by_stream.items():
        for name in names if isinstance(names, dict) else ():
            if name not in (*streams, *known, 'test'):
                yield f'{where}.{name}{near(name, streams)}; the streams are {list(streams)}'


def _check_views(cfg: Config, prefix: str) -> None:
    """Refuse a training stream of images in memory without views: its stage would end at the first step."""
    model, loader = cfg.get('model') or {}, cfg.get('train_dataloader') or {}
    preprocessor, dataset = (part if isinstance(part, dict) else {} for part in (
        model.get('data_preprocessor'), loader.get('dataset')))
    views, source = preprocessor.get('views'), dataset.get('source') or {}
    streams = (loader.get('sampler') or {}).get('streams') or {}
    # an array may be features, which need no views; pipelines make them in workers
    given = dataset.get('pipelines') or source.get('type') == 'ArraySource'
    if preprocessor.get('type') != 'ViewPreprocessor' or given:
        return
    known = {} if views is None else views
    missing = [name for name in streams if isinstance(known, dict) and not known.get(name)]
    if missing and (known or len(streams) > 1):     # a classical method has one stream, which it never reads
        raise ValueError(f'{prefix}model.data_preprocessor.views has none for the training streams {missing}: add a '
                         f'part with views of them, such as views/weak_strong or that of the data set below boosters')


def problems_in(value: Any, where: str) -> list[str]:
    """Names of a nested value that nothing reads.

    Args:
        value: Dicts, lists and tuples.
        where: Dotted place of the value.

    Returns:
        One line for each.
    """
    if isinstance(value, (list, tuple)):
        return [line for i, item in enumerate(value) for line in problems_in(item, f'{where}.{i}')]
    if not isinstance(value, dict):
        return []
    found = [] if FREE.search(where) and where not in PLACES else list(_problems_of(value, where))
    return found + [line for key, item in value.items() for line in problems_in(item, f'{where}.{key}')]


def _problems_of(value: dict, where: str) -> Iterator[str]:
    """Problems with the keys of one dict."""
    kind = value.get('type') or default_type(where, value)
    place = PLACES.get(where) or _wildcard(where)
    if place is None and kind is None:
        place = PARTS.get(where.rsplit('.', 1)[-1])
    if place is not None:
        yield from _unknown(value, where, place)
    elif kind is not None:
        names = typed(kind)
        if names is None:
            check_type(kind, where)
        else:
            yield from _unknown(value, where, names)
    else:
        for key in value:
            if key != 'type' and resembling(str(key), ['type']) and str(key) not in ('types',):
                yield f"{where}.{key} (did you mean 'type'?)"


def _wildcard(where: str) -> Optional[Names]:
    """The place of a name of any kind."""
    head, _, _ = where.rpartition('.')
    return PLACES.get(f'{head}.*') if head else None


def _unknown(value: dict, where: str, names: Names) -> Iterator[str]:
    """Keys that are unknown at a place, or, where it is open, that resemble a known one which is not there."""
    for key in value:
        if key in names.known or not (names.closed or resembling(str(key), names.known, 0.85)):
            continue
        guess = near(str(key), names.known)
        known = sorted(map(str, names.known - {'type', '_scope_', '_delete_'}))
        takes = '' if guess or len(known) > 20 else f'; it takes {", ".join(known)}'
        yield f'{where}.{key}{guess or f", which {names.owner} does not take"}{takes}'
