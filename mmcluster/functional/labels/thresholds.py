"""Confidence thresholds and weights that follow the predictions (FlexMatch, FreeMatch, SoftMatch, AdaMatch)."""
from __future__ import annotations

import math

import torch
from torch import Tensor

from ..average import moving_average
from ..losses.contrast import at_least_float32
from ..losses.prototype import one_hot

ALIGN_EPS = 1e-6


def moving_mean(old: Tensor, total: Tensor, count: Tensor, decay: float) -> Tensor:
    """Move an average by the mean of some rows; no row leaves it alone.

    Args:
        old: Average so far, any shape.
        total: Same shape, sum over the rows.
        count: How many rows; () or of a shape that broadcasts.
        decay: Weight of the old value.

    Returns:
        Same shape.
    """
    return torch.where(count > 0, moving_average(old, total / count.clamp(min=1), decay), old)


# ---- FlexMatch

def curriculum_thresholds(progress: Tensor, threshold: float) -> Tensor:
    """Return the confidence that each class needs (FlexMatch): ``threshold * b / (2 - b)``.

    Args:
        progress: (K,) learning status b of each class in [0, 1], see :func:`curriculum_progress`.
        threshold: What a class needs that is learned best.

    Returns:
        (K,).
    """
    return threshold * progress / (2 - progress)


def curriculum_progress(progress: Tensor, selected: Tensor, warmup: bool = True) -> Tensor:
    """Return how well each class is learned: its share of confident images (FlexMatch).

    Args:
        progress: (K,) old value, kept while one value fills ``selected``.
        selected: (N,) long, the class that each image was last predicted as with confidence, -1 for none yet.
        warmup: Divide by the number of images without a class while that is larger than any class.

    Returns:
        (K,) in [0, 1].
    """
    size = len(progress)
    counts = torch.zeros(size + 1, dtype=torch.long, device=selected.device)
    counts = counts.scatter_add(0, selected + 1, torch.ones_like(selected))             # the unused come first
    # FlexMatch's warm-up: while most images have no class, counts are small and noisy; they count as a class
    largest = (counts if warmup else counts[1:]).max().clamp(min=1)
    return torch.where(counts.max() < len(selected), counts[1:].to(progress) / largest, progress)


# ---- FreeMatch

def adaptive_thresholds(confidence: Tensor, p_model: Tensor) -> Tensor:
    """Return the confidence that each class needs (FreeMatch eqs. 5-7).

    Args:
        confidence: () average confidence, the global threshold.
        p_model: (K,) average prediction.

    Returns:
        (K,) ``confidence * p_model / max p_model``.
    """
    return confidence * p_model / p_model.max().clamp(min=torch.finfo(p_model.dtype).tiny)


def linear_quantile(x: Tensor, q: float) -> Tensor:
    """Return a quantile with linear interpolation, without a host sync.

    Args:
        x: (n,).
        q: In [0, 1].

    Returns:
        () value; 0 when n = 0.
    """
    if not len(x):
        return x.new_zeros(())
    place = q * (len(x) - 1)
    low = math.floor(place)
    ordered = x.sort().values
    return torch.lerp(ordered[low], ordered[min(low + 1, len(x) - 1)], place - low)


# ---- SoftMatch and AdaMatch

def align_distribution(prob: Tensor, p_target: Tensor, p_model: Tensor) -> Tensor:
    """Rescale predictions so that their average moves from ``p_model`` to ``p_target`` (AdaMatch, SoftMatch).

    Args:
        prob: (U, K) softmax of the weak view.
        p_target: (K,) wanted average; the uniform one in SoftMatch.
        p_model: (K,) average prediction.

    Returns:
        (U, K), rows sum to 1. Nothing changes where both averages are constant.
    """
    # the constant keeps a class that is hardly predicted from being multiplied without bound
    scaled = at_least_float32(prob) * ((p_target + ALIGN_EPS) / (p_model + ALIGN_EPS))
    return scaled / scaled.sum(dim=1, keepdim=True)


def group_moments(confidence: Tensor, group: Tensor, num_groups: int) -> tuple[Tensor, Tensor, Tensor]:
    """Return size, mean and unbiased variance of the confidence in each group of rows.

    Args:
        confidence: (U,).
        group: (U,) long, group of each row.
        num_groups: G.

    Returns:
        counts, mean and variance, (G,) each, in the type of the confidence. An empty group has mean 0; a group of
        less than two rows has variance 0.
    """
    member = one_hot(group, num_groups, confidence)
    counts = member.sum(dim=0)
    mean = (member * confidence[:, None]).sum(dim=0) / counts.clamp(min=1)
    squares = (member * (confidence[:, None] - mean).square()).sum(dim=0)
    return counts, mean, squares / (counts - 1).clamp(min=1)


def gaussian_weight(confidence: Tensor, mean: Tensor, variance: Tensor, n_sigma: float) -> Tensor:
    """Weigh rows by a Gaussian that is cut off above its mean (SoftMatch).

    Args:
        confidence: (U,).
        mean: () or (U,) centre of the Gaussian, paper's mu.
        variance: () or (U,), paper's sigma^2. 0 makes it a threshold at the mean.
        n_sigma: Divides the standard deviation.

    Returns:
        (U,) in [0, 1]; 1 at and above the mean.
    """
    width = (2 * variance / n_sigma ** 2).clamp(min=torch.finfo(confidence.dtype).tiny)
    return torch.exp(-(confidence - mean).clamp(max=0).square() / width)
