"""A data set made imbalanced on purpose."""
from __future__ import annotations

from typing import Optional, Union, cast

import numpy as np
import torch
from PIL import Image

from mmcluster.checks import require_share
from mmcluster.functional.imbalance import imbalance_sizes, longtail_sizes
from mmcluster.functional.rng import Draws
from mmcluster.registry import DATASETS

from .path_table import PathTable
from .seeding import stable_hash
from .sources import ImageSource


@DATASETS.register_module()
class ImbalancedSource(ImageSource):
    """Leave out images of another source so that its classes differ in size.

    With ``zeta``, of class k = 1..K, in the order of the labels, the share ``zeta + k (1 - zeta) / K`` stays (SPICE
    section IV-G); with ``ratio`` the classes have a long tail, of which the last keeps that share (ProPos section 5.8).
    What stays is chosen uniformly without replacement: every image has a random number of its own, and those with the
    smallest ones stay, so with one seed the images of a smaller zeta are among those of a larger one. The rows keep
    their order. Ground truth shapes the data set here; training does not see it.

    Args:
        source: The source or its config; every image needs a label.
        zeta: From 0 to 1, which keeps everything.
        seed: Of the choice.
        ratio: In the place of ``zeta``: the smallest class by the largest, from 0, exclusively, to 1.
        profile: With ``ratio``: ``'exponential'``, or ``'step'``: the second half of the classes is small.
    """

    def __init__(self, source: Union[ImageSource, dict], zeta: Optional[float] = None, seed: int = 0,
                 ratio: Optional[float] = None, profile: str = 'exponential') -> None:
        if (zeta is None) == (ratio is None):
            raise ValueError('ImbalancedSource: give zeta (SPICE) or ratio (a long tail), one of them')
        require_share('ImbalancedSource', zeta=zeta)
        source = DATASETS.build(source) if isinstance(source, dict) else source
        if source.labels is None or source.labels.min() < 0:
            raise ValueError(f'{source.name} has images without a label, so its classes cannot be made imbalanced; '
                             'choose a split with labels')
        self._source, self._rows = source, _choose(source.labels, zeta, seed, ratio, profile)
        rows = self._rows
        self.name, self.root, self.left_out = f'{source.name} ' + (
            f'zeta={zeta}' if ratio is None else f'{profile} ratio={ratio}'), source.root, source.left_out
        self.mode, self.classes = source.mode, source.classes
        self.array = None if source.array is None else source.array[rows]
        self.paths = None if source.paths is None else PathTable.of(source.paths).take(rows)
        self.labels = source.labels[rows]

    @property
    def fingerprint(self) -> int:  # type: ignore[override]  # computed when it is asked for
        """63-bit number that changes with the images that stayed."""
        return stable_hash(self._source.fingerprint, self._rows.tobytes())

    @property
    def cache_name(self) -> str:
        """What the pixels depend on: each part of the other source's name, together with the rows."""
        parts = self._source.cache_name.split('_')
        return '_'.join(f'{stable_hash(part, self._rows.tobytes()):016x}' for part in parts)

    def load(self, i: int) -> Image.Image:
        """Return image ``i`` of those that stayed."""
        return self._source.load(int(self._rows[i]))


def _choose(labels: np.ndarray, zeta: Optional[float], seed: int, ratio: Optional[float],
            profile: str) -> np.ndarray:
    """Rows (n,) int64 that stay, ascending, of labels (N,)."""
    total, counts = len(labels), np.bincount(labels)
    sizes = longtail_sizes(ratio, counts, len(counts), profile) if ratio is not None else imbalance_sizes(
        cast(float, zeta), counts, len(counts)).sizes
    number = Draws(torch.full((total,), seed), torch.arange(total), 0).uniform(1)[:, 0].numpy()
    order = np.argsort(number, kind='stable')
    kept = [order[labels[order] == label][:size] for label, size in enumerate(sizes)]
    return np.sort(np.concatenate(kept)).astype(np.int64)
