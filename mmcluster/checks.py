"""Checks of arguments that several parts share."""
from __future__ import annotations

import difflib
from typing import Iterable, Optional


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
    """The same in brackets, for a message, which may guess more freely; nothing if none resembles it."""
    found = resembling(name, names, cutoff=0.6)
    return f' (did you mean {found!r}?)' if found else ''


def require_two_clusters(owner: str, num_clusters: int) -> None:
    """Refuse a number of clusters that leaves nothing to tell apart.

    Args:
        owner: Who asks; it begins the message.
        num_clusters: K.

    Raises:
        ValueError: If ``num_clusters < 2``.
    """
    if num_clusters < 2:
        raise ValueError(f'{owner}: num_clusters must be at least 2, got {num_clusters}')


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
