"""A data set made imbalanced on purpose."""
from __future__ import annotations

from typing import Union

import numpy as np
import torch
from PIL import Image

from mmcluster.checks import require_share
from mmcluster.functional.imbalance import imbalance_sizes
from mmcluster.functional.rng import Draws
from mmcluster.registry import DATASETS

from .seeding import stable_hash
from .sources import ImageSource


@DATASETS.register_module()
class ImbalancedSource(ImageSource):
    """Leave out images of another source so that its classes differ in size (SPICE section IV-G).

    Of class k = 1..K, in the order of the labels, the share ``zeta + k (1 - zeta) / K`` stays, chosen uniformly without
    replacement. Every image has a random number of its own, and those with the smallest ones stay: with one seed the
    images of a smaller zeta are among those of a larger one. The rows keep their order. Ground truth shapes the data
    set here; training does not see it.

    Args:
        source: The source or its config; every image needs a label.
        zeta: From 0 to 1, which keeps everything.
        seed: Of the choice.
    """

    def __init__(self, source: Union[ImageSource, dict], zeta: float, seed: int = 0) -> None:
        require_share('ImbalancedSource', zeta=zeta)
        source = DATASETS.build(source) if isinstance(source, dict) else source
        if source.labels is None or source.labels.min() < 0:
            raise ValueError(f'{source.name} has images without a label, so its classes cannot be made imbalanced; '
                             'choose a split with labels')
        self._source, self._rows = source, _choose(source.labels, zeta, seed)
        rows = self._rows
        self.name, self.root, self.left_out = f'{source.name} zeta={zeta}', source.root, source.left_out
        self.mode, self.classes = source.mode, source.classes
        self.array = None if source.array is None else source.array[rows]
        self.paths = None if source.paths is None else [source.paths[row] for row in rows]
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


def _choose(labels: np.ndarray, zeta: float, seed: int) -> np.ndarray:
    """Rows (n,) int64 that stay, ascending, of labels (N,)."""
    total, counts = len(labels), np.bincount(labels)
    sizes = imbalance_sizes(zeta, counts, len(counts)).sizes
    number = Draws(torch.full((total,), seed), torch.arange(total), 0).uniform(1)[:, 0].numpy()
    order = np.argsort(number, kind='stable')
    kept = [order[labels[order] == label][:size] for label, size in enumerate(sizes)]
    return np.sort(np.concatenate(kept)).astype(np.int64)
