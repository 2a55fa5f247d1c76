"""Imbalance of classes: simulated, and weighed out."""
from __future__ import annotations

from typing import NamedTuple, Sequence, Union

import numpy as np
import torch
from torch import Tensor

SLACK = 1e-9                    # guards the floor against rounding
PROFILES = ('exponential', 'step')


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


def longtail_sizes(ratio: float, size: Union[int, Sequence[int], np.ndarray], num_classes: int,
                   profile: str = 'exponential') -> np.ndarray:
    """Return how many rows a long-tailed copy of a data set keeps of each class (ProPos section 5.8).

    Class c = 0..K-1 keeps ``size ratio^(c / (K - 1))``, so the first keeps everything and the last the share
    ``ratio``. With ``'step'`` the first half of the classes keep everything, the others that share.

    Args:
        ratio: Smallest by largest class, in (0, 1].
        size: Rows of every class, or (K,) of each.
        num_classes: K.
        profile: ``'exponential'`` or ``'step'``.

    Returns:
        (K,) int64, rounded down. Edge case: a single class keeps everything.

    Raises:
        ValueError: If ``ratio`` lies outside (0, 1], the profile is unknown or ``size`` has another length.
    """
    if not 0 < ratio <= 1:
        raise ValueError(f'ratio is the size of the smallest class by that of the largest, in (0, 1]; got {ratio}')
    if profile not in PROFILES:
        raise ValueError(f'the profile of a tail must be one of {PROFILES}, got {profile!r}')
    sizes = np.full(num_classes, size, np.int64) if np.ndim(size) == 0 else np.asarray(size, np.int64)
    if len(sizes) != num_classes:
        raise ValueError(f'{len(sizes)} sizes were given for {num_classes} classes')
    place = np.arange(num_classes)
    share = ratio ** (place / max(num_classes - 1, 1)) if profile == 'exponential' else np.where(
        place < num_classes // 2, 1., ratio)
    return np.floor((share if num_classes > 1 else np.ones(1)) * sizes + SLACK).astype(np.int64)


def balanced_weights(label: Tensor) -> Tensor:
    """Weights that give every occurring cluster the same chance (ProPos, class-balanced resampling).

    Args:
        label: (N,) long; -1 is unknown.

    Returns:
        (N,) float64, N / size of the row's own cluster; 0 where the label is unknown.
    """
    place = label.long().clamp(min=-1) + 1          # the unknown come first
    counts = torch.bincount(place, minlength=1)
    return torch.where(place > 0, len(place) / counts[place].double(), 0.0)
