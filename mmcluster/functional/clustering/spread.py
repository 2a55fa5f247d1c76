"""Whether embeddings collapse: how they spread, and how even their clusters are (ProPos Fig. 3)."""
from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor

from ..losses.contrast import unit_rows


class Spread(NamedTuple):
    """Signs of a healthy embedding.

    Attributes:
        std: () mean over dimensions of the standard deviation of the unit rows.
        std_ideal: That of rows spread evenly over the sphere, 1 / sqrt(D).
        sizes: (K,) long, of the clusters, descending.
        imbalance: () smallest by largest size.
    """
    std: Tensor
    std_ideal: float
    sizes: Tensor
    imbalance: Tensor


def spread(z: Tensor, labels: Tensor, num_clusters: int) -> Spread:
    """Spread of an embedding and sizes of its clusters.

    Args:
        z: (N, D), any norm.
        labels: (N,) long clusters.
        num_clusters: K.

    Returns:
        Edge case: a single row has no spread.
    """
    rows = unit_rows(z)
    std = rows.std(dim=0).mean() if len(rows) > 1 else rows.new_zeros(())
    sizes = torch.bincount(labels.long(), minlength=num_clusters).sort(descending=True).values
    return Spread(std, 1 / math.sqrt(z.shape[1]), sizes, sizes[-1] / sizes[0].clamp_min(1))
