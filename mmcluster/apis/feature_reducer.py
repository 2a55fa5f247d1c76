"""The standard steps before features are clustered: centre, principal components, whitening, unit length."""
from __future__ import annotations

from typing import Union

import numpy as np
import torch
from torch.nn import functional as F

from mmcluster.functional.clustering.whitening import (MOST_DIMS, blocks, principal_components, whitened_dims,
                                                       whitening_scale)

FEWEST_FOR_UNIT = 8             # in fewer dimensions the length of a row tells clusters apart


class FeatureReducer:
    """Centre, project on principal components, whiten (softly), scale rows to unit length.

    Args:
        dims: Number of dimensions; ``'auto'`` follows the numbers of rows and of dimensions that vary; ``None`` keeps
            the features as they are, but for the centre and one common scale.

    Attributes:
        mean_: (D,) float64.
        weight_: (D, d) float64, what centred rows are multiplied with.
        unit_: Whether rows are scaled to unit length; with fewer than 8 dimensions they are not.
        reason_: Why it is this number of dimensions.
    """

    def __init__(self, dims: Union[int, str, None] = 'auto'):
        if dims is not None and dims != 'auto' and not (isinstance(dims, (int, np.integer)) and dims > 0):
            raise ValueError(f"reduce must be 'auto', None or a number of dimensions, got {dims!r}")
        self.dims = dims

    def fit(self, x: np.ndarray) -> FeatureReducer:
        """Learn from rows.

        Args:
            x: (N, D) finite rows, in memory or mapped.

        Returns:
            Itself. Where all rows are equal there is one dimension, in which everything is zero.
        """
        rows, width = x.shape
        wanted = self.dims if isinstance(self.dims, (int, np.integer)) else width if self.dims is None else None
        # the rank of the signal needs the median of the variances, which needs them all
        found = principal_components(x, wanted or max(MOST_DIMS, min(rows, width) // 2 + 1))
        self.mean_ = found.mean
        if not len(found.variance):
            self.weight_, self.reason_ = np.zeros((width, 1)), 'All rows are equal.'
        elif self.dims is None:
            self.weight_ = np.eye(width) / np.sqrt(found.total / width)
            self.reason_ = f'{width} dimensions as they are.'
        else:
            dims, self.reason_ = whitened_dims(found, rows, width)
            if wanted:
                dims = min(wanted, len(found.variance))
                self.reason_ = f'{dims} of {width} dimensions, as asked.'
            self.weight_ = (found.directions[:dims] * whitening_scale(found.variance[:dims])[:, None]).T
        self.unit_ = self.weight_.shape[1] >= FEWEST_FOR_UNIT
        return self

    def transform(self, x: np.ndarray) -> np.ndarray:
        """Reduce rows.

        Args:
            x: (N, D).

        Returns:
            (N, d) float64 of float64 rows, else float32.
        """
        dtype = np.float64 if x.dtype == np.float64 else np.float32
        out = np.empty((len(x), self.weight_.shape[1]), dtype)
        weight, start = torch.from_numpy(self.weight_.astype(dtype)), 0
        for part in blocks(x):
            rows = torch.from_numpy((part - self.mean_).astype(dtype)) @ weight
            out[start:start + len(rows)] = (F.normalize(rows, dim=1) if self.unit_ else rows).numpy()
            start += len(rows)
        return out
