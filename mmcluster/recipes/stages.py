"""Stages of a recipe: their configs, and what is refused before the first of them trains."""
from __future__ import annotations

import copy
import os
from typing import Any, Callable, Mapping, Optional

from mmengine.config import Config, ConfigDict

from mmcluster.checks import near
from mmcluster.engine.launch import check_loaders, set_constructor

from .complete import check_complete
from .compose import compose, facts_of
from .config_names import check_config, variables_of_files
from .exact import check_exact
from .facts import MissingFactError
from .known_names import COMPOSED, SETTINGS, STAGE_KEYS, shared_settings
from .merging import merge_options, merge_parts
from .part_names import OF_PARTS, OF_RECIPES, check_part, check_shape, no_stage_key
from .parts import PartReader
from .placeholders import check_placeholders, filled, named
from .reading import read_config

STAND_IN = 'not_trained_yet.pth'     # for the checkpoint of a stage before it has one


def stage_config(cfg: Config, name: str, checkpoints: dict[str, str]) -> Config:
    """The config of one stage of a recipe.

    Args:
        cfg: The recipe, with ``work_dir``.
        name: Stage name.
        checkpoints: Final checkpoints of earlier stages, for ``{stage}`` in strings.

    Returns:
        An ordinary config with the stage's work dir.
    """
    merged = unfilled(cfg, name)
    merged = Config(filled(merged._cfg_dict, checkpoints), filename=merged.filename)
    merged.work_dir = os.path.join(cfg.work_dir, name)
    return merged


def read_stage(path: str | os.PathLike, stage: Optional[str] = None,
               options: Optional[Mapping[str, Any]] = None) -> Config:
    """An ordinary config from a file: what the file says, or a stage of the recipe that it is.

    Args:
        path: A config with or without stages.
        stage: Stage of a recipe; may be left out if there is one only.
        options: Settings that override the file's, dotted names allowed.

    Raises:
        ValueError: If the file is a recipe and ``stage`` is none of its stages, or it is none and a stage is named, or
            it has no ``model``.
    """
    cfg = _read_stage(path, stage, options)
    check_complete(cfg, str(path), needed=['model'])
    return cfg


def _read_stage(path: str | os.PathLike, stage: Optional[str], options: Optional[Mapping[str, Any]] = None) -> Config:
    """:func:`read_stage` of a file that a recipe may complete."""
    cfg = read_config(path)
    merge_options(cfg, options or {})
    if 'stages' not in cfg:
        if stage is not None:
            raise ValueError(f'{path} is a config without stages: leave the stage {stage!r} out')
        return cfg
    check_shape(cfg.stages)
    if stage is None and len(cfg.stages) == 1:
        stage = next(iter(cfg.stages))
    if stage is None or stage not in cfg.stages:
        raise ValueError(f'{path} is a recipe: name one of its stages by --stage, {list(cfg.stages)}'
                         f'{near(str(stage), cfg.stages)}')
    cfg.work_dir = cfg.get('work_dir') or os.path.join('work_dirs', os.path.splitext(os.path.basename(path))[0])
    return stage_config(cfg, stage, {})


def unfilled(cfg: Config, name: str) -> Config:
    """The config of a stage with placeholders: composed of its parts, or its file with the recipe's settings."""
    stage = cfg.stages[name]
    if stage.get('parts'):
        try:
            composed = compose(with_data(cfg), name, reader(cfg).read, shared_settings(cfg))
        except MissingFactError as error:
            if stage.get('data') or cfg.get('data'):
                raise
            raise ValueError(f"{error}. The recipe names no data set, whose part may state it: give it "
                             f"data='data/NAME'") from error
        return Config(composed, filename=cfg.filename)
    merged = _read_stage(config_path(cfg, stage), None)
    known = set(merged) | SETTINGS
    shared = {key: value for key, value in cfg.items() if key in known and key not in ('work_dir', 'default_scope')}
    merged.merge_from_dict(copy.deepcopy(shared))
    merged.merge_from_dict(copy.deepcopy(stage.get('options') or {}))
    return merged


def named_entries(cfg: Config, kind: str, only: Optional[str] = None) -> set[str]:
    """Names of the hooks or metrics that stages have by their parts, and by what the recipe says of all of them.

    Args:
        cfg: The recipe.
        kind: ``'hooks'`` or ``'metrics'``.
        only: A stage; with what its own options say, which goes before what the recipe says of all.
    """
    stages = {name: stage for name, stage in with_data(cfg).items() if only in (None, name)}
    said = [cfg, *((stage.get('options') or {}) for stage in stages.values() if only),
            *(merge_parts(stage['parts'], reader(cfg).read) for stage in stages.values() if stage.get('parts'))]
    return set().union(*(part.get(kind) or () for part in said))


def reader(cfg: Config) -> PartReader:
    """Where the parts of a recipe are looked up."""
    return PartReader(os.path.dirname(cfg.filename) if cfg.filename else None)


def with_data(cfg: Config) -> dict[str, dict]:
    """The stages as plain dicts, their parts preceded by ``runtime`` and the data set of the stage or the recipe."""
    stages = {}
    for name, stage in ConfigDict(stages=cfg.stages).to_dict()['stages'].items():
        data = stage.pop('data', None) or cfg.get('data')
        first = ['runtime', *([data] if data else [])]
        stages[name] = dict(stage, parts=[*first, *stage['parts']]) if stage.get('parts') else stage
    return stages


def config_path(cfg: Config, stage: dict) -> str:
    """File of a stage's config; a relative path starts at the recipe's folder."""
    path = stage['config']
    return path if os.path.isabs(path) or not cfg.filename else os.path.join(os.path.dirname(cfg.filename), path)


def check_stages(cfg: Config, edit: Optional[Callable[[Config], None]] = None) -> list[str]:
    """Refuse a recipe of which any stage could not start.

    Args:
        cfg: The recipe, with ``work_dir``; it stays as it is.
        edit: See :func:`mmcluster.recipes.recipe.run`.

    Returns:
        Names of the stages, each after those whose checkpoints it names.

    Raises:
        ValueError: If a stage has an unknown key, nothing to train or to start from, or settings that are
            refused, or stages wait for each other.
        FileNotFoundError: If a file that a stage names does not exist.
    """
    _check_names(cfg)
    for name, stage in cfg.stages.items():
        _check_stage(cfg, name, stage)
    _check_shared_facts(cfg)
    check_config(Config({key: value for key, value in cfg._cfg_dict.items() if key not in ('stages', *COMPOSED)},
                        filename=cfg.filename))
    singles = {name: stage_config(cfg, name, {}) for name, stage in cfg.stages.items() if not stage.get('checkpoint')}
    names = in_order({name: named(singles[name]._cfg_dict) & set(cfg.stages) if name in singles else set()
                      for name in cfg.stages})
    for name, single in singles.items():
        there = filled(single._cfg_dict, dict.fromkeys(names, STAND_IN))
        single = Config(there, filename=single.filename)
        check_complete(single, f'stage {name!r}', 'none of its parts states it' if cfg.stages[name].get('parts') else
                       f'state it in {cfg.stages[name].config} or in the options of the stage')
        if edit is not None:
            edit(single)
        check_config(single, f'stages.{name}: ')
        if single.get('val_dataloader') and not single.get('val_evaluator'):
            raise ValueError(f'stage {name!r} has no metric left, so its evaluations would say nothing: keep one, or '
                             f'train with --no-validate')
        check_placeholders(single)
        check_exact(single)
        check_loaders(single)
        set_constructor(single)
    return names


def _check_names(cfg: Config) -> None:
    """Refuse names at the top of a recipe and of its stages' options that nothing reads, and values of a wrong kind."""
    check_shape(cfg.stages)
    helpers = {*variables_of_files(cfg.filename)[0], *(cfg.get('extra_keys') or ())}
    check_part(cfg._cfg_dict, 'the recipe', OF_RECIPES, helpers)
    for name, stage in cfg.stages.items():
        if stage.get('parts'):
            check_part(stage.get('options') or {}, f'stages.{name}.options', OF_PARTS - {'parts'})


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


def _check_shared_facts(cfg: Config) -> None:
    """Refuse facts of the whole recipe that no part of any stage states."""
    stages = with_data(cfg)
    known = set().union(*(facts_of(stages, name, reader(cfg).read) for name in stages if stages[name].get('parts')))
    for fact in cfg.get('facts') or {}:
        if fact not in known:
            raise ValueError(f'facts.{fact}: no stage has this fact{near(fact, known)}; facts are {sorted(known)}')


def _check_stage(cfg: Config, name: str, stage: Any) -> None:
    """Refuse one stage that names too much, too little, or a file that is not there."""
    for key in stage:
        if key not in STAGE_KEYS:
            raise ValueError(f'stages.{name}.{key}: {no_stage_key(name, key)}')
    if stage.get('checkpoint'):
        if not os.path.isfile(stage['checkpoint']):
            raise FileNotFoundError(f'stages.{name}.checkpoint: no file {stage["checkpoint"]!r}')
    elif stage.get('parts'):
        for part in with_data(cfg)[name]['parts']:
            reader(cfg).find(part)
    elif not stage.get('config'):
        known = [other for other, value in cfg.stages.items()
                 if any(map(value.get, ('parts', 'config', 'checkpoint')))]
        raise ValueError(f'stages.{name} has neither parts nor config nor checkpoint{near(name, known)}. Give it one '
                         f'of them, or correct the name; the other stages are {known}')
    elif not os.path.isfile(config_path(cfg, stage)):
        raise FileNotFoundError(f'stages.{name}.config: no file {config_path(cfg, stage)!r}; a relative path starts '
                                f'at the folder of the recipe')
