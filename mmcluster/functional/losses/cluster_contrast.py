"""Contrast between clusters: the columns of two views' assignments (CC, PICI)."""
from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor

from .contrast import at_least_float32, nt_xent


class ClusterContrast(NamedTuple):
    """Two parts of the loss between clusters, whose sum is minimised.

    Attributes:
        contrast: () NT-Xent over the columns.
        entropy_gap: () log K minus the entropy of the cluster sizes, summed over the two views; at least 0.
    """
    contrast: Tensor
    entropy_gap: Tensor


def entropy_gap(prob: Tensor) -> Tensor:
    """How far the cluster sizes are from equal, ``log K - H(P)`` (PICI eqs. 10, 11).

    P is the share of each cluster in all assignments, the column's sum over the total.

    Args:
        prob: (B, K) probabilities.

    Returns:
        () at least 0.

    Edge cases: an empty cluster counts 0 (P log P at 0) and its gradient, infinite in the limit, stays finite; an
    empty batch gives 0 with a zero gradient.
    """
    size = at_least_float32(prob).sum(dim=0)
    share = size / size.sum().clamp_min(torch.finfo(size.dtype).tiny)
    # at P = 0 the gradient of P log P is infinite and would break the step of all clusters for an empty one
    log = share.clamp_min(torch.finfo(share.dtype).tiny).log()
    return (math.log(max(len(share), 1)) + (share * log).sum()) * min(len(prob), 1)


def cluster_contrast(c1: Tensor, c2: Tensor, temperature: float) -> ClusterContrast:
    """Tell every cluster of one view, as the images it holds, from all other clusters of both views (PICI eqs. 7-11).

    The 2K columns are compared by their cosine; a column's positive is the same cluster of the other view, and a
    column is not compared with itself.

    Args:
        c1: (B, K) probabilities of the first view.
        c2: (B, K) probabilities of the second view.
        temperature: Divides the cosines (paper's tau_C).

    Returns:
        Two (); both views receive a gradient from each.

    Edge cases: a column of zeros has cosine 0 to every column and no gradient from the contrast; fewer rows than
    clusters and a single row are defined; an empty batch gives 0.
    """
    contrast = nt_xent(at_least_float32(c1).t(), at_least_float32(c2).t(), temperature) * min(len(c1), 1)
    return ClusterContrast(contrast, entropy_gap(c1) + entropy_gap(c2))
