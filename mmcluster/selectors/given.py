"""Rows and labels that were chosen before the run."""
from __future__ import annotations

from typing import Optional

import numpy as np
import torch
from torch import Tensor

from mmcluster.functional.labels.given import whole_labels
from mmcluster.registry import LABEL_SELECTORS


@LABEL_SELECTORS.register_module()
class GivenLabels:
    """The labels of a file, such as the surest rows of a clustering of other features.

    Args:
        file: ``.npy`` file of (N,) labels, -1 for rows that are not selected.
    """

    def __init__(self, file: str):
        self.file = file

    def __call__(self, embed: Optional[Tensor], prob: Optional[Tensor] = None) -> Tensor:
        """Select the rows of the file.

        Args:
            embed: (N, D), or ``None`` if there are probabilities.
            prob: (N, K), or ``None``.

        Returns:
            (N,) labels of the selected rows, -1 elsewhere.

        Raises:
            ValueError: If the file is for another number of rows, or holds what is no label.
        """
        rows = prob if embed is None else embed
        assert rows is not None
        target = np.load(self.file, allow_pickle=False)
        if target.shape != (len(rows),):
            raise ValueError(f'GivenLabels: {self.file} holds {target.shape} labels, the data set has {len(rows)} '
                             'images: write it for these images')
        return torch.from_numpy(whole_labels(target, f'labels of {self.file}')).to(rows.device)
