"""What is in a data set, in numbers, for the start of a run and for reports."""
from __future__ import annotations

from typing import Mapping, NamedTuple, Optional, Sequence

import numpy as np

_MAX_CLASSES = 12


class DataSummary(NamedTuple):
    """Facts of a data set; ``str()`` makes one line of them.

    Attributes:
        name: Of the data.
        images: Number of images that are used.
        left_out: Reason -> number of files that were found but are not used.
        labelled: Number of images with ground truth.
        classes: Name -> number of images of every ground-truth class; empty where there is none.
    """
    name: str
    images: int
    left_out: Mapping[str, int]
    labelled: int
    classes: Mapping[str, int]

    def __str__(self) -> str:
        """One line for a log."""
        parts = [f'{self.name}: {self.images} images']
        if self.left_out:
            parts.append(f'left out {counted(self.left_out)}')
        if self.labelled:
            few = f' ({counted(self.classes)})' if len(self.classes) <= _MAX_CLASSES else ''
            parts.append(f'{self.labelled} with ground truth, for metrics only, in {len(self.classes)} classes{few}')
        else:
            parts.append('no ground truth')
        return '; '.join(parts)


def counted(numbers: Mapping[str, int]) -> str:
    """Names with their numbers, such as ``8 .heic, 3 unreadable``.

    Args:
        numbers: Name -> number.
    """
    return ', '.join(f'{number} {name}' for name, number in numbers.items())


def summarise(name: str, images: int, left_out: Mapping[str, int], labels: Optional[np.ndarray],
              classes: Sequence[str]) -> DataSummary:
    """Count what is in a data set.

    Args:
        name: Of the data.
        images: Number of images that are used.
        left_out: Reason -> number of files.
        labels: (N,) int64, -1 where unknown; None without any.
        classes: Names of the classes; classes without a name are called by their number.

    Returns:
        The facts.
    """
    known = np.empty(0, np.int64) if labels is None else labels[labels >= 0]
    sizes = np.bincount(known, minlength=len(classes)) if len(known) else np.empty(0, np.int64)
    names = [*classes, *map(str, range(len(classes), len(sizes)))]
    return DataSummary(name, images, dict(left_out), len(known), dict(zip(names, sizes.tolist())))
