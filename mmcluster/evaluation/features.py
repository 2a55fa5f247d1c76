"""The embedding of a test as a file."""
from __future__ import annotations

import os
from typing import Sequence

import numpy as np
import torch
from mmengine.dist import all_gather_object
from mmengine.evaluator import BaseMetric

from mmcluster.registry import METRICS
from mmcluster.utils import on_main_process
from mmcluster.writing import whole_file


@METRICS.register_module()
class FeatureFile(BaseMetric):
    """Writes the embedding (N, D) float32 of all rows, in the order of the data set, to a ``.npy`` file.

    Args:
        path: File, whose folder exists.
    """

    names = ()      # see ClusteringMetric

    def __init__(self, path: str):
        super().__init__(prefix='features')
        if not path.endswith('.npy') or not os.path.isdir(os.path.dirname(path) or '.'):
            raise ValueError(f'FeatureFile: {path!r} must end in .npy, and its folder must exist')
        self.path = path

    def process(self, data_batch: dict, data_samples: Sequence[dict]) -> None:
        """Keep the rows of one batch."""
        self.results += [(sample['index'].cpu(), sample['embed'].float().cpu()) for sample in data_samples]

    def evaluate(self, size: int) -> dict[str, float]:
        """Write the rows of all ranks; there is nothing to report.

        Args:
            size: N.
        """
        parts = [part for results in all_gather_object(self.results) for part in results]
        self.results.clear()
        on_main_process(self._write, parts)
        return {}

    def compute_metrics(self, results: list) -> dict[str, float]:
        """None."""
        return {}

    def _write(self, parts: list) -> None:
        index, rows = (torch.cat(part) for part in zip(*parts))
        with whole_file(self.path) as stream:
            np.save(stream, rows[index.argsort()].numpy())
