"""Checks of arguments that several parts share."""
from __future__ import annotations

import difflib
import math
from typing import Any, Callable, Iterable, Mapping, Optional


def resembling(name: str, names: Iterable[str], cutoff: float = 0.78) -> Optional[str]:
    """The name that resembles another most, ``None`` if none does.

    Args:
        name: The name.
        names: Those that it may be meant for.
        cutoff: Least share of equal letters.
    """
    names = sorted(map(str, names))
    swapped = [known for known in names if sorted(known) == sorted(name)]  # difflib finds swaps in short names far
    return next(iter(swapped or difflib.get_close_matches(name, names, n=1, cutoff=cutoff)), None)


def near(name: str, names: Iterable[str]) -> str:
    """The same in brackets, for a message, which may guess more freely; nothing if none resembles it."""
    found = resembling(name, names, cutoff=0.6)
    return f' (did you mean {found!r}?)' if found else ''


def require_two_clusters(owner: str, num_clusters: Optional[int]) -> None:
    """Refuse a number of clusters that leaves nothing to tell apart.

    Args:
        owner: Who asks; it begins the message.
        num_clusters: K; ``None`` is left to the owner.

    Raises:
        ValueError: If ``num_clusters < 2``.
    """
    if num_clusters is not None and num_clusters < 2:
        raise ValueError(f'{owner}: num_clusters must be at least 2, got {num_clusters}')


def stated_clusters(owner: str, num_clusters: Optional[int]) -> int:
    """K of a part that was told it, in its config or by the hook that calls it.

    Args:
        owner: Who asks; it begins the message.
        num_clusters: K, or ``None``.

    Raises:
        ValueError: If nobody said it.
    """
    if num_clusters is None:
        raise ValueError(f'{owner}: nobody said how many clusters there are; give num_clusters')
    return num_clusters


def require_width(owner: str, in_channels: int, width: int) -> None:
    """Refuse an embedding of another width than a layer is made for.

    Args:
        owner: Setting of the config that holds the layer; it begins the message.
        in_channels: Width that the layer takes.
        width: Width of the embedding.

    Raises:
        ValueError: If they differ.
    """
    if in_channels != width:
        raise ValueError(f'{owner}.in_channels is {in_channels}, but the head takes an embedding of {width}; give both '
                         f'one value')


def require_positive(owner: str, **values: Optional[float]) -> None:
    """Refuse numbers that are not above 0 and finite; ``None`` is left to the owner, here and below.

    Args:
        owner: Who asks; it begins the message.
        values: Argument -> value.

    Raises:
        ValueError: If one is not.
    """
    _require(owner, 'positive', lambda value: value > 0, values)


def require_not_negative(owner: str, **values: Optional[float]) -> None:
    """Refuse numbers below 0, NaN and infinity; arguments as in :func:`require_positive`."""
    _require(owner, 'at least 0', lambda value: value >= 0, values)


def require_share(owner: str, **values: Optional[float]) -> None:
    """Refuse numbers outside [0, 1]; arguments as in :func:`require_positive`."""
    _require(owner, 'a share in [0, 1]', lambda value: 0 <= value <= 1, values)


def require_count(owner: str, least: int = 1, **values: Optional[int]) -> None:
    """Refuse what is no whole number, or below ``least``; arguments as in :func:`require_positive`."""
    _require(owner, f'at least {least}', lambda value: value >= least, values)
    _require(owner, 'a whole number', lambda value: value == int(value), values)


def require_interval(owner: str, **values: Optional[int]) -> None:
    """Refuse what is neither a number of epochs or iterations nor -1, for once; as :func:`require_positive`."""
    _require(owner, 'a whole number of at least 1, or -1 for once',
             lambda value: value == -1 or (value >= 1 and value == int(value)), values)


def require_choice(owner: str, known: Iterable[Any], **values: Any) -> None:
    """Refuse what is none of a few values.

    Args:
        owner: Who asks; it begins the message.
        known: The values.
        values: Argument -> value.

    Raises:
        ValueError: If one is none of them.
    """
    known = tuple(known)
    for name, value in values.items():
        if value not in known:
            raise ValueError(f'{owner}: {name} must be one of {known}, got {value!r}')


def _require(owner: str, rule: str, holds: Callable[[float], bool], values: Mapping[str, Optional[float]]) -> None:
    """Refuse values of which a rule does not hold, NaN and what is no number among them."""
    for name, value in values.items():
        try:
            good = value is None or (math.isfinite(value) and holds(value))
        except TypeError:
            good = False
        if not good:
            raise ValueError(f'{owner}: {name} must be {rule}, got {value!r}')
