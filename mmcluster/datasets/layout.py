"""Whether folders that are taken for classes look like classes."""
from __future__ import annotations

import warnings
from pathlib import Path
from typing import Mapping, Sequence

SPLIT_NAMES = {'train', 'training', 'test', 'testing', 'val', 'valid', 'validation', 'dev', 'eval'}
_ESCAPE = 'If the layout is meant, name the class folders in `classes`.'


def check_layout(root: Path, inside: Mapping[str, Sequence[str]]) -> None:
    """Refuse or question class folders that look like splits, or like an enclosing level.

    Taken for classes, such folders give perfect or meaningless figures without a word.

    Args:
        root: Folder of the class folders.
        inside: Class folder -> paths of its images relative to it.

    Raises:
        ValueError: If classes seem to lie one level further down, or splits beside classes.
    """
    inner = {name: sorted({path.split('/')[0] for path in paths if '/' in path})
             for name, paths in inside.items()}
    deep = [name for name, paths in inside.items() if paths and all('/' in path for path in paths)]
    _check_splits(root, list(inside), deep)
    if len(inside) == 1:
        name = next(iter(inside))
        if deep and len(inner[name]) > 1:
            raise ValueError(f'{root} has one class folder, {name!r}, with the folders {_listed(inner[name])} in it. '
                             f'If these are the classes, give root={str(root / name)!r}. {_ESCAPE}')
        warnings.warn(f'{root} has one class folder, {name!r}: with a single class every metric is perfect or '
                      'undefined')
    elif len(deep) == len(inside) and any(len(names) > 1 for names in inner.values()):
        kinds = set(map(tuple, inner.values()))
        if len(kinds) == 1 and not SPLIT_NAMES.issuperset(map(str.lower, next(iter(kinds)))):
            raise ValueError(f'each of the class folders {_listed(list(inside))} of {root} has the same folders '
                             f'{_listed(list(next(iter(kinds))))} in it, and no image beside them. If these are the '
                             f'classes, give `splits={tuple(inside)}`. {_ESCAPE}')
        examples = [f'{name} ({_listed(names)})' for name, names in inner.items() if len(names) > 1]
        warnings.warn(f'the class folders of {root} have their images in folders further down: {_listed(examples)}. '
                      'Each class folder counts as one class')


def _check_splits(root: Path, names: Sequence[str], deep: Sequence[str]) -> None:
    """Look for splits among the classes."""
    splits = splits_among(names)
    others = [name for name in names if name not in splits]
    if len(splits) > 1 or set(splits) & set(deep):
        raise ValueError(f'the folders {_listed(splits)} of {root} look like splits, beside {_listed(others)}. Move '
                         f'either away, or give `splits` for the splits, or name the class folders in `classes`')
    if splits:
        warnings.warn(f'the folder {splits[0]!r} of {root} is taken for a class like {_listed(others)}; if it is a '
                      'split, move it away or name the class folders in `classes`')


def splits_among(names: Sequence[str]) -> list[str]:
    """Folders that are called like splits.

    Args:
        names: Of folders.
    """
    return [name for name in names if name.lower() in SPLIT_NAMES]


def _listed(names: Sequence[str]) -> str:
    """Some names for a message."""
    return ', '.join(names[:10]) + (', ...' if len(names) > 10 else '')
