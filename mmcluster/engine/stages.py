"""Stages of a recipe: their configs, and what is refused before the first of them trains."""
from __future__ import annotations

import copy
import logging
import os
import re
from typing import Any, Callable, Iterable, Optional

from mmengine.config import Config, ConfigDict
from mmengine.logging import print_log

from .config_names import check_config
from .exact import check_exact
from .known_names import SETTINGS, near
from .launch import check_loaders, set_constructor

PLACEHOLDER = r'\{(\w+)\}'
STAGE_KEYS = ('config', 'options', 'checkpoint')


def stage_config(cfg: Config, name: str, checkpoints: dict[str, str]) -> Config:
    """The config of one stage of a recipe.

    Args:
        cfg: The recipe, with ``work_dir``.
        name: Stage name.
        checkpoints: Final checkpoints of earlier stages, for ``{stage}`` in strings.

    Returns:
        An ordinary config with the stage's work dir.
    """
    stage = cfg.stages[name]
    merged = Config.fromfile(_config_path(cfg, stage), lazy_import=False)
    known = set(merged) | SETTINGS
    shared = {key: value for key, value in cfg.items() if key in known and key not in ('work_dir', 'default_scope')}
    merged.merge_from_dict(copy.deepcopy(shared))
    merged.merge_from_dict(copy.deepcopy(stage.get('options') or {}))
    merged = Config(_fill_placeholders(merged._cfg_dict, checkpoints), filename=merged.filename)
    merged.work_dir = os.path.join(cfg.work_dir, name)
    return merged


def _config_path(cfg: Config, stage: dict) -> str:
    """File of a stage's config; a relative path starts at the recipe's folder."""
    path = stage['config']
    return path if os.path.isabs(path) or not cfg.filename else os.path.join(os.path.dirname(cfg.filename), path)


def _fill_placeholders(value: Any, checkpoints: dict[str, str]) -> Any:
    """Replace ``{stage}`` in every string of a nested config."""
    if isinstance(value, dict):
        return ConfigDict({key: _fill_placeholders(item, checkpoints) for key, item in value.items()})
    if isinstance(value, (list, tuple)):
        return type(value)(_fill_placeholders(item, checkpoints) for item in value)
    if isinstance(value, str):
        return re.sub(PLACEHOLDER, lambda match: checkpoints.get(match[1], match[0]), value)
    return value


def placeholders(value: Any, where: str = '') -> list[str]:
    """Places of a nested config whose string still holds a ``{stage}``.

    Args:
        value: Nested dicts, lists and tuples.
        where: Name of the value.

    Returns:
        ``place=string`` of each.
    """
    if isinstance(value, dict):
        return [place for key, item in value.items() for place in placeholders(item, f'{where}.{key}'.lstrip('.'))]
    if isinstance(value, (list, tuple)):
        return [place for i, item in enumerate(value) for place in placeholders(item, f'{where}.{i}')]
    return [f'{where}={value}'] if isinstance(value, str) and re.fullmatch(PLACEHOLDER, value) else []


def check_placeholders(cfg: Config) -> None:
    """Refuse a config with a placeholder that no stage has filled.

    Args:
        cfg: Config of one stage.

    Raises:
        ValueError: If there is one.
    """
    places = placeholders(cfg._cfg_dict)
    if places:
        raise ValueError(f'{places} stand for the checkpoint of an earlier stage. Run the recipe that has this '
                         f'stage, or name a file, e.g. --cfg-options {places[0].split("=")[0]}=path.pth')


def check_stages(cfg: Config, edit: Optional[Callable[[Config], None]] = None) -> list[str]:
    """Refuse a recipe of which any stage could not start.

    Args:
        cfg: The recipe, with ``work_dir``; it stays as it is.
        edit: See :func:`mmcluster.engine.recipe.run`.

    Returns:
        Names of the stages, each after those whose checkpoints it names.

    Raises:
        ValueError: If a stage has an unknown key, neither ``config`` nor ``checkpoint``, or settings that are refused,
            or stages wait for each other.
        FileNotFoundError: If a file that a stage names does not exist.
    """
    for name, stage in cfg.stages.items():
        _check_stage(cfg, name, stage)
    check_config(Config({key: value for key, value in cfg._cfg_dict.items() if key != 'stages'}, filename=cfg.filename))
    singles = {name: stage_config(cfg, name, {}) for name, stage in cfg.stages.items() if not stage.get('checkpoint')}
    names = in_order({name: _named(singles[name]._cfg_dict) & set(cfg.stages) if name in singles else set()
                      for name in cfg.stages})
    for name, single in singles.items():
        filled = _fill_placeholders(single._cfg_dict, dict.fromkeys(names, 'not_trained_yet.pth'))
        single = Config(filled, filename=single.filename)
        if edit is not None:
            edit(single)
        check_config(single, f'stages.{name}: ')
        check_placeholders(single)
        check_exact(single)
        check_loaders(single)
        set_constructor(single)
    return names


def in_order(needs: dict[str, set[str]]) -> list[str]:
    """Stages in the order in which they stand, but each after those that it needs: a dump sorts them by name.

    Args:
        needs: Name -> names of other stages.

    Raises:
        ValueError: If stages wait for each other.
    """
    names: list[str] = []
    while len(names) < len(needs):
        ready = next((name for name in needs if name not in names and needs[name] <= set(names)), None)
        if ready is None:
            left = {name: sorted(needs[name] - set(names)) for name in needs if name not in names}
            raise ValueError(f'stages wait for the checkpoints of each other: {left}')
        names.append(ready)
    return names


def _named(value: Any) -> set[str]:
    """Names in braces in all strings of a nested config."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, (list, tuple)):
        return set().union(*map(_named, value))
    return set(re.findall(PLACEHOLDER, value)) if isinstance(value, str) else set()


def _check_stage(cfg: Config, name: str, stage: Any) -> None:
    """Refuse one stage that names too much, too little, or a file that is not there."""
    if not isinstance(stage, dict):
        raise ValueError(f'stages.{name} must be a dict of {", ".join(STAGE_KEYS)}, got {stage!r}')
    for key in stage:
        if key not in STAGE_KEYS:
            raise ValueError(f'stages.{name}.{key}: {_no_stage_key(name, key)}')
    if stage.get('checkpoint'):
        if not os.path.isfile(stage['checkpoint']):
            raise FileNotFoundError(f'stages.{name}.checkpoint: no file {stage["checkpoint"]!r}')
    elif not stage.get('config'):
        known = [other for other, value in cfg.stages.items()
                 if isinstance(value, dict) and (value.get('config') or value.get('checkpoint'))]
        raise ValueError(f'stages.{name} has neither config nor checkpoint{near(name, known)}. Give it one of them, '
                         f'or correct the name; the other stages are {known}')
    elif not os.path.isfile(_config_path(cfg, stage)):
        raise FileNotFoundError(f'stages.{name}.config: no file {_config_path(cfg, stage)!r}; a relative path starts '
                                f'at the folder of the recipe')


def _no_stage_key(name: str, key: str) -> str:
    """What a stage may have instead of a key."""
    return (f'a stage has only {", ".join(STAGE_KEYS)}{near(key, STAGE_KEYS)}. Settings go under '
            f'stages.{name}.options, e.g. stages.{name}.options.{key}')


def check_names(cfg: Config, options: Iterable[str]) -> None:
    """Refuse settings of the command line that nothing reads, by their first name.

    A variable of the config file is allowed, with a warning: what was made of it has been read already.

    Args:
        cfg: A config or recipe before the settings are merged into it.
        options: Dotted names, as ``--cfg-options`` gives them.

    Raises:
        ValueError: If a name is no setting of a Runner and not in the config, or a stage is not in the recipe; the
            message has near names.
    """
    options = list(options)
    stages = cfg.get('stages') or {}
    singles = {name: Config.fromfile(_config_path(cfg, stage), lazy_import=False) for name, stage in stages.items()
               if stage.get('config') and os.path.isfile(_config_path(cfg, stage))}
    for option in options:
        first, *rest = option.split('.')
        if first != 'stages' or not stages:
            _check_name('', first, [cfg, *singles.values()])
        elif rest and rest[0] not in stages and f'stages.{rest[0]}.config' not in options:
            raise ValueError(f'--cfg-options {option}: the recipe has no stage {rest[0]!r}'
                             f'{near(rest[0], stages)}. Its stages are {list(stages)}')
        elif len(rest) > 1 and rest[1] not in STAGE_KEYS:
            raise ValueError(f'--cfg-options {option}: {_no_stage_key(rest[0], rest[1])}')
        elif len(rest) > 2 and rest[1] == 'options' and rest[0] in singles:
            _check_name(f'stages.{rest[0]}.options.', rest[2], [singles[rest[0]]])


def _check_name(prefix: str, name: str, configs: list[Config]) -> None:
    """Refuse a top-level name that is in none of the configs and no setting; warn of a variable of their files."""
    if name in SETTINGS:
        return
    if any(name in cfg for cfg in configs):
        print_log(f'--cfg-options {prefix}{name}: this is a variable of the config file; what the file has made of it '
                  f'stays as it is, change that instead', logger='current', level=logging.WARNING)
        return
    places = list(dict.fromkeys(place for cfg in configs for key in cfg if key in SETTINGS
                                for place in _places(cfg[key], name, key)))
    meant = f' (did you mean {" or ".join(prefix + place for place in places[:3])}?)' if places else near(
        name, {*SETTINGS, *(key for cfg in configs for key in cfg)})
    raise ValueError(f'--cfg-options {prefix}{name}: nothing reads a setting of this name{meant}')


def _places(value: Any, name: str, where: str) -> list[str]:
    """Dotted places of a nested value whose last part is ``name``."""
    if not isinstance(value, dict):
        return []
    return [place for key, item in value.items() for place in
            ([f'{where}.{key}'] if key == name else _places(item, name, f'{where}.{key}'))]
