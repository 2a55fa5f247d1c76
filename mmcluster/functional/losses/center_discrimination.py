"""Stable cluster discrimination: a classification whose classes are centres on the sphere (SeCu, ICCV 2023)."""
from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F

from .contrast import at_least_float32
from .prototype import one_hot


def center_loss(similarity: Tensor, label: Tensor, temperature: float) -> Tensor:
    """Cross-entropy by which a centre learns from its own members alone.

    A centre without a member in the batch would only be pushed away by cross-entropy. Here the logits of all classes
    but the own are constants, so that the gradient of centre k is that of its members, ``-(1 - p_ik) x_i / (tau B)``:
    the less sure a member is, the harder it pulls.

    Args:
        similarity: (V, B, K) cosine similarities of V views to the centres; the rows are constants, centres are not.
        label: (B,) long, in [0, K).
        temperature: Divides the similarities (paper's lambda; the release's tw).

    Returns:
        () mean over rows, sum over views.
    """
    similarity = at_least_float32(similarity)
    own = one_hot(label, similarity.shape[-1], similarity).bool()
    logits = similarity.where(own, similarity.detach()) / temperature
    views = len(logits)
    return F.cross_entropy(logits.flatten(0, 1), label.repeat(views)) * views


def crossed_targets(logits: Tensor, label: Tensor, weight: float) -> Tensor:
    """Targets of two views: the label, mixed with what the other view is seen as.

    Args:
        logits: (2, B, K) of both views; constants.
        label: (B,) long, in [0, K).
        weight: Share of the label (the release's tau).

    Returns:
        (2, B, K) rows that sum to 1, without gradient: ``weight onehot + (1 - weight) softmax(other view)``.
    """
    prob = at_least_float32(logits.detach()).softmax(dim=-1).flip(0)
    return weight * one_hot(label, prob.shape[-1], prob) + (1 - weight) * prob


def representation_loss(logits: Tensor, target: Tensor) -> Tensor:
    """Cross-entropy with soft targets.

    Args:
        logits: (V, B, K).
        target: (V, B, K), or of a shape that broadcasts; constants.

    Returns:
        () mean over rows, sum over the others.
    """
    entropy = -(target * at_least_float32(logits).log_softmax(dim=-1)).sum(dim=-1)
    return entropy.mean(dim=-1).sum()
