"""Metrics of runs over their epochs, and runs of several seeds side by side."""
from __future__ import annotations

import os
import re
from typing import NamedTuple, Sequence

import numpy as np

from mmcluster.evaluation.results import HISTORY, read_history

SEED = re.compile(r'[/_.-]?seed[_=-]?\d+')      # in the name of a work dir


class Compared(NamedTuple):
    """A metric of runs that differ in their seeds.

    Attributes:
        epochs: (E,) at which all of them were evaluated.
        values: (n, E).
    """
    epochs: np.ndarray
    values: np.ndarray

    @property
    def mean(self) -> np.ndarray:
        """(E,) over the runs."""
        return self.values.mean(0)

    @property
    def deviation(self) -> np.ndarray:
        """(E,) standard deviation, n - 1; 0 of a single run."""
        return self.values.std(0, ddof=1) if len(self.values) > 1 else np.zeros(len(self.epochs))


def groups_of(work_dirs: Sequence[str]) -> dict[str, list[str]]:
    """Runs that differ in their seeds: name without the seed -> work dirs.

    Args:
        work_dirs: Of stages, or of recipes, whose stages are taken apart.

    Raises:
        FileNotFoundError: If one holds no metrics.
    """
    found: dict[str, list[str]] = {}
    for place in map(os.path.normpath, work_dirs):
        inside = sorted(entry.path for entry in os.scandir(place) if entry.is_dir()) if os.path.isdir(place) else []
        runs = [run for run in [place, *inside] if os.path.exists(os.path.join(run, HISTORY))]
        if not runs:
            raise FileNotFoundError(f'{place} and its folders hold no {HISTORY}; name the work dir of a run that was '
                                    f'evaluated')
        for run in runs:
            found.setdefault(SEED.sub('', run) or run, []).append(run)
    return found


def told_apart(paths: Sequence[str]) -> list[str]:
    """Short names of files or folders: their last part, with as many before it as it takes to tell all apart.

    Args:
        paths: Of which equal ones get equal names.
    """
    places = [os.path.normpath(path) for path in paths]
    for depth in range(1, 1 + max((place.count(os.sep) + 1 for place in places), default=0)):
        names = ['/'.join(place.split(os.sep)[-depth:]) for place in places]
        if len(set(names)) == len(set(places)):
            return names
    return places


def compare(work_dirs: Sequence[str], metric: str) -> Compared:
    """One metric of some runs at the epochs that they share.

    Args:
        work_dirs: Of runs that differ in their seeds.
        metric: Such as ``'kmeans/nmi'``.

    Raises:
        ValueError: If a run has no such metric, or they share no epoch.
    """
    histories = []
    for work_dir in work_dirs:
        lines = read_history(work_dir)
        histories.append({line['epoch']: line[metric] for line in lines if metric in line})
        if not histories[-1]:
            known = sorted({name for line in lines for name in line if name != 'epoch'})
            raise ValueError(f'{work_dir} has no metric {metric!r}; it has {known}')
    epochs = sorted(set.intersection(*(set(history) for history in histories)))
    if not epochs:
        raise ValueError(f'{", ".join(work_dirs)} have {metric!r} at no common epoch')
    return Compared(np.array(epochs), np.array([[history[epoch] for epoch in epochs] for history in histories]))
