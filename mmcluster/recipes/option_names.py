"""Settings of a command line that nothing reads are refused, with near names."""
from __future__ import annotations

import copy
import logging
import os
import re
from typing import Any, Mapping

from mmengine.config import Config
from mmengine.logging import print_log

from mmcluster.checks import near

from .known_names import COMPOSED, SETTINGS, STAGE_KEYS
from .part_names import check_shape, no_stage_key
from .stages import config_path, named_entries, unfilled


def check_names(cfg: Config, options: Mapping[str, Any]) -> None:
    """Refuse settings of the command line that nothing reads, by their first name.

    A variable of the config file is allowed, with a warning: what was made of it has been read already.

    Args:
        cfg: A config or recipe before the settings are merged into it.
        options: Dotted name -> value, as ``--cfg-options`` gives them.

    Raises:
        ValueError: If a name is no setting of a Runner and not in the config, a stage is not in the recipe, or a hook
            or metric that is removed is in no stage; the message has near names.
    """
    stages = cfg.get('stages', {})
    if 'stages' in cfg:
        check_shape(stages)
        cfg = _with_structure(cfg, options)
    singles = {name: unfilled(cfg, name) for name, stage in stages.items()
               if stage.get('parts') or (stage.get('config') and os.path.isfile(config_path(cfg, stage)))}
    for option, value in options.items():
        if value is None and stages:
            _check_removal(cfg, option)
        first, *rest = option.split('.')
        if first != 'stages' or not stages:
            _check_name('', first, [cfg, *singles.values()])
        elif rest and rest[0] not in stages and f'stages.{rest[0]}.config' not in options:
            raise ValueError(f'--cfg-options {option}: the recipe has no stage {rest[0]!r}'
                             f'{near(rest[0], stages)}. Its stages are {list(stages)}')
        elif len(rest) > 1 and rest[1] not in STAGE_KEYS:
            raise ValueError(f'--cfg-options {option}: {no_stage_key(rest[0], rest[1])}')
        elif len(rest) > 2 and rest[1] == 'options' and rest[0] in singles:
            _check_name(f'stages.{rest[0]}.options.', rest[2], [singles[rest[0]]])


def _with_structure(cfg: Config, options: Mapping[str, Any]) -> Config:
    """The recipe with the data and parts that the options give it: what has a name here depends on them."""
    given = {key: value for key, value in options.items()
             if key == 'data' or re.fullmatch(r'stages\.\w+\.(data|on|parts)', key)}
    if not given:
        return cfg
    changed = Config(copy.deepcopy(cfg._cfg_dict), filename=cfg.filename)
    changed.merge_from_dict(given)
    return changed


def _check_removal(cfg: Config, option: str) -> None:
    """Refuse ``hooks.NAME=None``, or a metric, that stands nowhere: it would be a slip without effect."""
    found = re.fullmatch(r'(?:stages\.(\w+)\.options\.)?(hooks|metrics)\.(\w+)', option)
    if found is None:
        return
    stage, kind, name = found.groups()
    known = named_entries(cfg, kind, stage)
    if name not in known:
        raise ValueError(f'--cfg-options {option}=None removes nothing{near(name, known)}; {kind} are {sorted(known)}')


def _check_name(prefix: str, name: str, configs: list[Config]) -> None:
    """Refuse a top-level name that is in none of the configs and no setting; warn of a variable of their files."""
    if name in SETTINGS or name in COMPOSED or name == 'data':
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
