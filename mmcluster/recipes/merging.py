"""Merging of parts and settings: nested dicts, the later one wins, and what it says of a fact waits for the fact."""
from __future__ import annotations

import re
from typing import Any, Callable, Mapping, Optional, Sequence

from mmengine.config import Config

FACT = re.compile(r'\{([A-Za-z_][\w.]*)\}')
CHANGED = '_fact_'      # key of the fact of which a dict changes entries, until it is filled in


def merge_parts(names: Sequence[str], read: Callable[[str], dict], trail: tuple[str, ...] = (),
                done: Optional[set[str]] = None) -> dict[str, Any]:
    """Merge parts from left to right, none twice; one with ``parts`` stands on them, and none on itself.

    Args:
        names: Of the parts.
        read: See :func:`mmcluster.recipes.compose.compose`.
        trail: Parts that led here.
        done: Parts that are merged already, in place.
    """
    merged: dict[str, Any] = {}
    done = set() if done is None else done
    for name in names:
        if name in trail:
            raise ValueError(f'the part {name!r} stands on itself: {" -> ".join((*trail, name))}')
        part = {} if name in done else read(name)       # merging it again would undo what came between
        done.add(name)
        merged = merge(merge(merged, merge_parts(part.pop('parts', ()), read, (*trail, name), done)), part)
    return merged


def merge(first: Mapping[str, Any], second: Mapping[str, Any]) -> dict[str, Any]:
    """Merge nested dicts; the second one wins. Lists replace lists; ``_delete_=True`` drops what stood before.

    A dict without ``type`` on a string that is a fact, such as ``source=dict(labels='a.csv')`` on ``'{source}'``,
    changes entries of what the fact turns out to be; one with a type takes its place. Dotted keys are not read here,
    see ``Config.merge_from_dict`` for those of a command line.
    """
    merged = dict(first)
    for key, value in second.items():
        old = merged.get(key)
        if isinstance(value, Mapping) and not value.get('_delete_'):
            if isinstance(old, str) and FACT.fullmatch(old):
                old = {CHANGED: old}
            if isinstance(old, Mapping) and not (CHANGED in old and 'type' in value):
                value = merge(old, value)
        merged[key] = value
    return merged


def merge_options(cfg: Config, options: Mapping[str, Any]) -> None:
    """Merge dotted settings, as of a command line, into a config, in place.

    Args:
        cfg: A recipe, or an ordinary config.
        options: Dotted name -> value.

    Raises:
        ValueError: If one changes an entry of what the file states as a text, such as the fact ``'{source}'``.
    """
    for key in options:
        found: Any = cfg._cfg_dict
        *places, _ = key.split('.')
        for i, place in enumerate(places):
            found = found.get(place) if isinstance(found, Mapping) else None
            fact = FACT.fullmatch(found) if isinstance(found, str) else None
            there = '.'.join(places[:i + 1])
            if fact and f'{there}._delete_' not in options:
                entry = '.'.join(key.split('.')[i + 1:])
                where = (f'where the fact is stated, by stages.NAME.facts.{fact[1]}.{entry}'
                         if fact[1].isidentifier() and fact[1] not in cfg.get('stages', ()) else 'in that stage')
                raise ValueError(f'{key}: {there} is {found!r} in {cfg.filename}, and has no entries there. Change '
                                 f'them {where}, or in the file')
    cfg.merge_from_dict(dict(options))


def without_marks(value: Any) -> Any:
    """Drop ``_delete_`` where there was nothing to delete."""
    if isinstance(value, dict):
        return {key: without_marks(item) for key, item in value.items() if key != '_delete_'}
    if isinstance(value, (list, tuple)):
        return type(value)(without_marks(item) for item in value)
    return value
