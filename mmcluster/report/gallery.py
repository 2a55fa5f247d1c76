"""Which images of a cluster are worth a look."""
from __future__ import annotations

from dataclasses import dataclass, field
from typing import Sequence

import numpy as np

from mmcluster.apis.result import Result

SECTIONS = ('typical', 'borderline', 'far', 'random')
SHOWN_GROUPS, SHOWN_COPIES = 8, 6       # near-duplicates of one cluster


@dataclass
class Gallery:
    """Rows of the table that stand for one cluster, the most telling first.

    Attributes:
        typical: Nearest to the centre; of the images without a cluster those that nearly have one. Those of a small
            cluster are all here, and nothing is repeated in ``far`` and ``random``.
        borderline: Smallest lead over their second choice.
        far: Highest outlier score.
        random: Drawn from the rest.
        duplicates: Groups of near-duplicates, the largest first.
        copies: How many groups there are, shown or not.
    """
    typical: list[int] = field(default_factory=list)
    borderline: list[int] = field(default_factory=list)
    far: list[int] = field(default_factory=list)
    random: list[int] = field(default_factory=list)
    duplicates: list[list[int]] = field(default_factory=list)
    copies: int = 0


def rows_by(values: np.ndarray) -> dict[int, np.ndarray]:
    """Rows of each value of integers (N,), negative ones included."""
    order = np.argsort(values, kind='stable')
    names, starts = np.unique(values[order], return_index=True)
    return {int(name): rows for name, rows in zip(names, np.split(order, starts[1:]))}


def galleries(result: Result, count: int, seed: int = 0) -> dict[int, Gallery]:
    """Choose the images of every cluster that has any, -1 included.

    Args:
        result: The result.
        count: How many images a section shows.
        seed: Decides the random ones.
    """
    table, random = result.table, np.random.RandomState(seed)
    copies = rows_by(table['duplicate_group'])
    copies.pop(-1, None)
    found = {}
    for cluster, rows in rows_by(table['cluster']).items():
        typical = rows[np.argsort(table['distance'][rows], kind='stable')[:count]]
        undecided = rows[table['second'][rows] >= 0] if cluster >= 0 else rows[:0]
        borderline = undecided[np.argsort(table['margin'][undecided], kind='stable')[:count]]
        far = rows[np.lexsort((-table['distance'][rows], -table['outlier'][rows]))[:count if len(rows) > count else 0]]
        drawn = random.permutation(np.setdiff1d(rows, typical))[:count]
        numbers = np.unique(table['duplicate_group'][rows]).tolist()
        groups = sorted((copies[number] for number in numbers if number >= 0), key=len, reverse=True)
        found[cluster] = Gallery(typical.tolist(), borderline.tolist(), far.tolist(), drawn.tolist(),
                                 [group[:SHOWN_COPIES].tolist() for group in groups[:SHOWN_GROUPS]], len(groups))
    return found


def by_priority(chosen: Sequence[Gallery], images: int, most: int, seed: int = 0) -> list[int]:
    """Order the rows that get a picture, so that wherever the list is cut each cluster keeps its most telling ones.

    Args:
        chosen: Galleries of all clusters.
        images: N; what the galleries leave free is filled up with any images, for the map.
        most: Length of the list at most.
        seed: Decides the ones that fill up.
    """
    lists = [getattr(gallery, name) for name in SECTIONS for gallery in chosen]
    lists += [group for gallery in chosen for group in gallery.duplicates]
    longest = max(map(len, lists), default=0)
    order = dict.fromkeys(rows[rank] for rank in range(longest) for rows in lists if rank < len(rows))
    order |= dict.fromkeys(np.random.RandomState(seed).permutation(images)[:most].tolist())
    return list(order)[:most]
