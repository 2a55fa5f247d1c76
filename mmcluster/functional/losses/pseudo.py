"""Positive and negative pseudo-labels with adaptive thresholds (ClusMatch)."""
from __future__ import annotations

import math
from typing import Optional

import torch
from torch import Tensor
from torch.nn import functional as F

from ..average import moving_average
from ..finite import require_rows
from .contrast import at_least_float32
from .prototype import one_hot

LOG_EPS = 1e-12
CLAMP_LOG = math.log(1e-8)


def threshold_sums(prob: Tensor) -> tuple[Tensor, Tensor]:
    """Return the sums behind the batch statistics of ClusMatch eqs. 9-10; those of several ranks add up.

    Args:
        prob: (U, K) softmax of the weak view.

    Returns:
        Sums (K, K): row a adds the probabilities of the rows predicted as a, their maximum set to 0 (so the sum of
        row a is the sum of 1 - max p). Counts (K,) of those rows, in the type of the sums.
    """
    prob = at_least_float32(prob)
    predicted = one_hot(prob.argmax(dim=1), prob.shape[1], prob)
    with torch.autocast(prob.device.type, enabled=False):
        return predicted.t() @ (prob * (1 - predicted)), predicted.sum(dim=0)


def update_negative_thresholds(negative_thresholds: Tensor, sums: Tensor, counts: Tensor, decay: float,
                            absent: str = 'keep') -> Tensor:
    """Move the averages of the other classes' probability by one step (ClusMatch eqs. 9-12).

    The result is eq. 8's negative threshold itself: its rows sum to tau_global, the average of 1 - max p, as long as
    both start and move together, so tau_global times the row's shares gives the row back.

    Args:
        negative_thresholds: (K, K) old value, zero diagonal; row a belongs to the rows predicted as a.
        sums: (K, K), see :func:`threshold_sums`.
        counts: (K,).
        decay: Weight of the old value (paper's m).
        absent: Rows of classes that nothing is predicted as: ``'keep'`` them, or ``'decay'`` them towards 0 as the
            authors' release does.

    Returns:
        (K, K) new value.
    """
    if absent not in ('keep', 'decay'):
        raise ValueError(f"absent must be 'keep' or 'decay', got {absent!r}.")
    counts = counts[:, None]
    new = moving_average(negative_thresholds, sums / counts.clamp(min=1), decay)
    return new if absent == 'decay' else torch.where(counts > 0, new, negative_thresholds)


def positive_thresholds(tau_neg: Tensor) -> Tensor:
    """Return the confidence that a positive label needs, per predicted class (ClusMatch eq. 15).

    Args:
        tau_neg: (K, K).

    Returns:
        (K,) one minus the row sums.
    """
    return 1 - tau_neg.sum(dim=1)


def positive_mask(prob: Tensor, tau_pos: Tensor) -> Tensor:
    """Return the rows whose confidence reaches the threshold of their class (ClusMatch eq. 16).

    Args:
        prob: (U, K) softmax of the weak view.
        tau_pos: (K,).

    Returns:
        (U,) bool.
    """
    confidence, predicted = at_least_float32(prob).max(dim=1)
    return confidence >= tau_pos[predicted]


def negative_mask(prob: Tensor, tau_neg: Tensor) -> Tensor:
    """Return the classes that each row excludes (ClusMatch eq. 14), never its own prediction.

    Args:
        prob: (U, K) softmax of the weak view.
        tau_neg: (K, K).

    Returns:
        (U, K) bool.
    """
    prob = at_least_float32(prob)
    predicted = prob.argmax(dim=1)
    return exclude_class(prob < tau_neg[predicted], predicted)


def exclude_class(negative: Tensor, label: Tensor) -> Tensor:
    """Take one class of every row out of its negative set (ClusMatch: the k-means class).

    Args:
        negative: (U, K) bool.
        label: (U,) long; -1 takes nothing out.

    Returns:
        (U, K) bool.
    """
    return negative & (label[:, None] != torch.arange(negative.shape[1], device=negative.device))


def negative_learning(logits: Tensor, negative: Tensor, clamp: bool = False) -> Tensor:
    """Push the summed probability of the excluded classes to zero (ClusMatch eqs. 7, 14).

    One minus the sum over the excluded classes is the sum over the kept ones, here evaluated in log-space: a row
    whose kept probability underflows still has a gradient.

    Args:
        logits: (U, K) strong view.
        negative: (U, K) bool, True where the row excludes the class.
        clamp: Clamp the argument of the logarithm to [1e-8, 1], as the authors' release does; a row below has no
            gradient.

    Returns:
        () mean over all U rows, 0 when U = 0.

    Edge cases: a row that excludes nothing contributes 0. A row that excludes every class keeps nothing to move
    towards and contributes 0 too, or -log(1e-8) with ``clamp``; neither has a gradient.
    """
    log_prob = at_least_float32(logits).log_softmax(dim=1)
    # half of the least number: -inf would make NaN of the gradient of a row that excludes every class
    log_kept = log_prob.masked_fill(negative, torch.finfo(log_prob.dtype).min / 2).logsumexp(dim=1)
    silent = ~negative.any(dim=1)
    if clamp:
        log_kept = log_kept.clamp(CLAMP_LOG, 0)
    else:
        silent = silent | negative.all(dim=1)
    return -log_kept.masked_fill(silent, 0).sum() / max(len(logits), 1)


def known_rows(target: Tensor) -> Tensor:
    """Return which rows have a label.

    Args:
        target: (L,) long, or soft (L, K); negative is unknown.

    Returns:
        (L,) bool.
    """
    return (target >= 0) if target.dim() == 1 else (target >= 0).all(dim=1)


def masked_cross_entropy(logits: Tensor, target: Tensor, mask: Optional[Tensor] = None) -> Tensor:
    """Return the cross-entropy of the masked rows, over the number of all rows (ClusMatch eqs. 1, 3, 16).

    Args:
        logits: (U, K).
        target: (U,) long; -1 counts 0. Or soft (U, K), constants; a row with a negative entry counts 0.
        mask: (U,) bool, or weights of the rows; ``None`` takes all rows.

    Returns:
        () sum over the masked rows over U; 0 when no row is masked in or U = 0.
    """
    logits = at_least_float32(logits)
    hard = None if target.shape == logits.shape else target
    require_rows('masked_cross_entropy', len(logits), target=hard, mask=mask)
    if target.dim() == 1:
        rows = F.cross_entropy(logits, target, ignore_index=-1, reduction='none')
    else:
        target = target.detach().to(logits).masked_fill(~known_rows(target)[:, None], 0)
        rows = -(target * logits.log_softmax(dim=1)).sum(dim=1)
    if mask is not None:
        rows = rows * mask.to(rows)
    return rows.sum() / max(len(logits), 1)


def class_balanced_cross_entropy(logits: Tensor, target: Tensor) -> Tensor:
    """Return the cross-entropy to which every class that occurs contributes equally (TCL's boosting).

    A row weighs the number of known rows over that of its class, and the mean is over the weights: it is the mean over
    the classes of the mean over their rows.

    Args:
        logits: (B, K).
        target: (B,) long; -1 is left out.

    Returns:
        () mean over the classes that occur; 0 with a zero gradient if none does.
    """
    logits = at_least_float32(logits)
    rows = F.cross_entropy(logits, target, ignore_index=-1, reduction='none')
    member = one_hot(target, logits.shape[1], rows)
    size = member.sum(dim=0)
    means = (rows[:, None] * member).sum(dim=0) / size.clamp(min=1)
    return means.sum() / (size > 0).sum().clamp(min=1)


def masked_sums(prob: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    """Return the sums that :func:`fairness` needs; those of several ranks add up.

    Args:
        prob: (U, K) softmax of the strong view.
        mask: (U,) bool, the positive rows.

    Returns:
        Summed probabilities (K,) of the masked rows, with gradient; and how many of them have each class as their
        arg-max (K,), in the same type.
    """
    prob = at_least_float32(prob)
    mask = mask.to(prob)[:, None]
    return (prob * mask).sum(dim=0), (one_hot(prob.argmax(dim=1), prob.shape[1], prob) * mask).sum(dim=0)


def fairness(prob_sum: Tensor, hist: Tensor, p_model: Tensor, label_hist: Tensor) -> Tensor:
    """Keep the positive rows spread over the classes (ClusMatch's release, after FreeMatch).

    With u = p_model / label_hist and v = prob_sum / hist, each scaled to sum 1 and x/0 counted as 0:
    ``sum_k u_k log(v_k + 1e-12)``. Scaling makes sums as good as means.

    Args:
        prob_sum: (K,) summed softmax of the strong view over the positive rows of all ranks.
        hist: (K,) how many of those rows have each class as their arg-max.
        p_model: (K,) average of the weak view's softmax.
        label_hist: (K,) average histogram of the weak view's arg-max.

    Returns:
        () negative, to be minimised; only ``prob_sum`` receives a gradient. 0 when no row is positive.
    """
    weight = _unit_sum(_ratio(at_least_float32(p_model).detach(), at_least_float32(label_hist).detach()))
    share = _unit_sum(_ratio(at_least_float32(prob_sum), at_least_float32(hist).detach()))
    return (weight * (share + LOG_EPS).log()).sum().where(hist.sum() > 0, 0)


def _ratio(numerator: Tensor, denominator: Tensor) -> Tensor:
    """Quotient (K,), 0 where the denominator is 0."""
    usable = denominator > 0
    return (numerator / denominator.where(usable, torch.ones_like(denominator))).masked_fill(~usable, 0)


def _unit_sum(x: Tensor) -> Tensor:
    """Non-negative (K,) scaled to sum 1; zeros stay zeros."""
    total = x.sum()
    return x / total.where(total > 0, torch.ones_like(total))
