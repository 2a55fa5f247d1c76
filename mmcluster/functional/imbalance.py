"""Simulated imbalance of classes."""
from __future__ import annotations

from typing import NamedTuple, Sequence, Union

import numpy as np

SLACK = 1e-9                    # guards the floor against rounding


class Imbalance(NamedTuple):
    """What is kept of each class.

    Attributes:
        ratios: (K,) float64 shares, ascending.
        sizes: (K,) int64.
    """
    ratios: np.ndarray
    sizes: np.ndarray


def imbalance_sizes(zeta: float, size: Union[int, Sequence[int], np.ndarray], num_classes: int) -> Imbalance:
    """Return how much of each class an imbalanced copy of a data set keeps (SPICE section IV-G).

    Class k = 1..K keeps the share ``zeta + k (1 - zeta) / K``, so the last keeps everything and the first somewhat
    more than zeta.

    Args:
        zeta: In [0, 1]; 1 keeps all classes whole.
        size: Rows of every class, or (K,) of each.
        num_classes: K.

    Returns:
        Shares and sizes (K,), the sizes rounded down.

    Raises:
        ValueError: If ``zeta`` lies outside [0, 1], K is below 1 or ``size`` has another length.
    """
    if not 0 <= zeta <= 1:
        raise ValueError(f'zeta is a share between 0 (steepest) and 1 (balanced), got {zeta}')
    if num_classes < 1:
        raise ValueError(f'an imbalance needs at least one class, got {num_classes}')
    sizes = np.asarray(size, dtype=np.int64)
    if sizes.ndim and len(sizes) != num_classes:
        raise ValueError(f'{len(sizes)} sizes were given for {num_classes} classes')
    ratios = zeta + np.arange(1, num_classes + 1) * (1 - zeta) / num_classes
    return Imbalance(ratios, np.floor(ratios * sizes + SLACK).astype(np.int64))
