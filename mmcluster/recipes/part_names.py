"""Names at the top of recipes, stages and parts that nothing reads, and values of the wrong kind: they are refused."""
from __future__ import annotations

from typing import Any, Collection, Mapping

from mmcluster.checks import near, resembling

from .known_names import COMPOSED, SETTINGS, STAGE_KEYS

OF_PARTS = SETTINGS | {*COMPOSED, 'parts'}
OF_RECIPES = SETTINGS | {*COMPOSED, 'data', 'stages'}


def check_part(content: Mapping[str, Any], where: str, known: Collection[str] = OF_PARTS,
               variables: Collection[str] = ()) -> None:
    """Refuse names that nothing reads where they stand, though they are meant.

    Any other name may be a helper of the file.

    Args:
        content: What stands at the top of a part or a recipe, or in the ``options`` of a stage.
        where: Which of them, for messages.
        known: Names that are read there.
        variables: Names that the file itself uses.

    Raises:
        ValueError: If there is such a name, or a value of another kind than it must have.
    """
    for name, value in content.items():
        if name in known:
            _check_kind(name, value, where)
        elif name in variables:
            continue
        elif name in STAGE_KEYS:
            raise ValueError(f'{where}: {name} is read in a stage of a recipe only, as stages.NAME.{name}')
        elif '.' in name:
            raise ValueError(f'{where}: write {name} as nested dicts; dotted names are for the command line')
        elif resembling(name, known):
            raise ValueError(f'{where}: nothing reads {name}{near(name, known)}; a helper of the file needs another '
                             f'name')


def check_shape(stages: Any) -> None:
    """Refuse stages that are no dicts with values of the right kinds.

    Args:
        stages: ``stages`` of a recipe.

    Raises:
        ValueError: If they are not, or if there is none.
    """
    if not isinstance(stages, Mapping) or not stages:
        raise ValueError(f'stages must be a dict of at least one stage by its name, got {stages!r}')
    for name, stage in stages.items():
        if not isinstance(stage, Mapping):
            raise ValueError(f'stages.{name} must be a dict of {", ".join(STAGE_KEYS)}, got {stage!r}')
        if stage.get('parts') and stage.get('config'):
            raise ValueError(f'stages.{name} has parts and a config: leave one of them out')
        for key, value in stage.items():
            _check_kind(key, value, f'stages.{name}')


def _check_kind(name: str, value: Any, where: str) -> None:
    """Refuse a value of another kind than what reads it expects; ``None`` leaves it out."""
    is_list = isinstance(value, (list, tuple))
    if name == 'parts' and not (is_list and all(isinstance(part, str) for part in value)):
        raise ValueError(f"{where}: parts must be a list of names, such as ['propos/r18'], got {value!r}")
    if name in (*COMPOSED, 'options') and not isinstance(value, Mapping) and value is not None:
        raise ValueError(f'{where}: {name} must be a dict, got {value!r}')
    if name in ('on', 'data', 'config', 'checkpoint') and not isinstance(value, str) and value is not None:
        raise ValueError(f'{where}: {name} must be a text, got {value!r}')


def no_stage_key(name: str, key: str) -> str:
    """What a stage may have instead of a key."""
    return (f'a stage has only {", ".join(STAGE_KEYS)}{near(key, STAGE_KEYS)}. Settings go under '
            f'stages.{name}.options, e.g. stages.{name}.options.{key}')
