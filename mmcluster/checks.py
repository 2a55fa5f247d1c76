"""Checks of arguments that several parts share."""
from __future__ import annotations


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
