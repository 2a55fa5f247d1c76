"""DEC and IDEC: soft assignments by Student's t, sharpened targets, their divergence (ICML 2016, IJCAI 2017)."""
from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from ..shards import WHOLE, Shards
from .contrast import at_least_float32


class TargetDistribution(NamedTuple):
    """Outcome of :func:`target_distribution`.

    Attributes:
        target: (n, K), rows add up to 1.
        frequency: (K,), soft sizes of the clusters.
    """
    target: Tensor
    frequency: Tensor


def student_logits(z: Tensor, centers: Tensor, alpha: float = 1.) -> Tensor:
    """Return the log of Student's t kernel, whose softmax over the centres is DEC's soft assignment q (eq. 1).

    Args:
        z: (B, D) embedding.
        centers: (K, D).
        alpha: Degrees of freedom.

    Returns:
        (B, K), at most 0, in float32 or wider.
    """
    z, centers = at_least_float32(z), at_least_float32(centers)
    # by differences: expanded squares lose their digits near a centre, where the kernel is steepest
    squared = (z[:, None] - centers).square().sum(dim=2)
    return -(alpha + 1) / 2 * torch.log1p(squared / alpha)


@torch.no_grad()
def target_distribution(prob: Tensor, shards: Shards = WHOLE) -> TargetDistribution:
    """Sharpen soft assignments of a whole data set: p_ij ~ q_ij^2 / f_j, f_j = sum_i q_ij (DEC eq. 3).

    The square favours what is sure already, the division keeps large clusters from growing.

    Args:
        prob: (n, K), q of all rows; of a mini-batch alone f would be another, and small clusters would die out.
        shards: Who holds the N rows.

    Returns:
        Targets and f. Edge case: a cluster that no row is in at all is nobody's target.
    """
    prob = at_least_float32(prob)
    frequency = shards.sum(prob.sum(dim=0))
    weight = torch.where(frequency > 0, prob.square() / frequency, torch.zeros_like(prob))
    return TargetDistribution(weight / weight.sum(dim=1, keepdim=True), frequency)


def target_divergence(logits: Tensor, target: Tensor) -> Tensor:
    """Return KL(p || q), the mean over the rows (DEC eq. 2, whose sum both releases divide by the batch).

    Args:
        logits: (B, K) of :func:`student_logits`.
        target: (B, K), p; 0 log 0 = 0.

    Returns:
        Scalar.
    """
    logits = at_least_float32(logits)
    target = target.to(logits)
    return (torch.xlogy(target, target) - target * logits.log_softmax(dim=1)).sum(dim=1).mean()


def reconstruction_loss(recon: Tensor, x: Tensor, summed: bool = False) -> Tensor:
    """Return the squared error of a reconstruction (IDEC eq. 3).

    Args:
        recon: (B, F).
        x: (B, F).
        summed: The mean over the rows of the squared norms (paper), F times as much as the mean over all entries
            (released).

    Returns:
        Scalar.
    """
    squared = (at_least_float32(recon) - at_least_float32(x)).square()
    return squared.sum(dim=1).mean() if summed else squared.mean()


def label_change(labels: Tensor, last: Tensor) -> Tensor:
    """Return the share of rows whose label is another one than before.

    Args:
        labels: (N,) long.
        last: (N,) long.

    Returns:
        Scalar double.
    """
    return (labels != last).double().mean()
