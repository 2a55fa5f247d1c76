"""TEMI: heads on frozen features that agree on neighbours, by pointwise mutual information (Adaloglou et al., 2023)."""
from __future__ import annotations

from typing import NamedTuple, Optional

import torch
from torch import Tensor

from ..shards import WHOLE, Shards, mean_of_rows, neighbor_pairs
from .consistency import PAIR_BYTES
from .contrast import at_least_float32

PRIOR_FLOOR = 1e-12             # a cluster that nobody predicts must not divide by zero


class TemiLoss(NamedTuple):
    """Outcome of :func:`temi_loss`.

    Attributes:
        total: (), mean over the heads.
        heads: (H,), loss of each head.
        weight: (B,), how far the teachers of all heads see a pair in one cluster.
        prior: (H, K), shares of the clusters after this batch.
    """
    total: Tensor
    heads: Tensor
    weight: Tensor
    prior: Tensor


@torch.no_grad()
def update_prior(prior: Tensor, mean: Tensor, decay: float) -> Tensor:
    """Move the running shares of the clusters towards a batch.

    Args:
        prior: (H, K) before.
        mean: (H, K) mean prediction of the teacher for all views, of all ranks.
        decay: Part of ``prior`` that stays.

    Returns:
        (H, K).
    """
    return decay * prior + (1 - decay) * mean.to(prior)


@torch.no_grad()
def pair_weight(first: Tensor, second: Tensor) -> Tensor:
    """Return how probable it is that both rows of a pair lie in one cluster, as a mean over the heads.

    Args:
        first: (H, B, K) probabilities.
        second: (H, B, K).

    Returns:
        (B,) in [0, 1].
    """
    return (first * second).sum(dim=-1).mean(dim=0)


def pointwise_mutual_information(log_student: Tensor, log_teacher: Tensor, prior: Tensor, beta: float) -> Tensor:
    """Return ``log sum_k (p_s(k|x') p_t(k|x))^beta / p_k`` of pairs.

    Args:
        log_student: (H, B, K) log-probabilities of one row of each pair.
        log_teacher: (H, B, K) of the other.
        prior: (H, K) shares of the clusters.
        beta: 1 is the mutual information; less keeps the clusters from collapsing.

    Returns:
        (H, B).
    """
    log_prior = prior.clamp_min(PRIOR_FLOOR).log()[:, None]
    return (beta * (log_student + log_teacher) - log_prior).logsumexp(dim=-1)


def temi_loss(student: Tensor, teacher: Tensor, prior: Tensor, beta: float = 0.6, student_temperature: float = 0.1,
              teacher_temperature: float = 0.1, decay: float = 0.9, weighted: bool = True,
              mean: Optional[Tensor] = None) -> TemiLoss:
    """Ask a row and its neighbour for one cluster, pair by pair as far as the teachers of all heads trust the pair.

    The prior takes in the batch before it is used. No gradient reaches the teacher, the prior or the weights.

    Args:
        student: (H, 2, B, K) logits of the rows and of one neighbour of each.
        teacher: (H, 2, B, K), of the averaged heads.
        prior: (H, K), 1 / K at the start.
        beta: See :func:`pointwise_mutual_information`.
        student_temperature: Divides the student's logits.
        teacher_temperature: Divides the teacher's logits.
        decay: See :func:`update_prior`.
        weighted: Weigh the pairs; ``False`` is the plain PMI loss.
        mean: (H, K) shares of the clusters in the batch of all ranks; ``None``: in this one.

    Returns:
        The loss and the new prior.
    """
    log_student = (at_least_float32(student) / student_temperature).log_softmax(dim=-1)
    log_teacher = (at_least_float32(teacher).detach() / teacher_temperature).log_softmax(dim=-1)
    prob = log_teacher.exp()
    prior = update_prior(prior, prob.mean(dim=(1, 2)) if mean is None else mean, decay)
    weight = pair_weight(prob[:, 0], prob[:, 1]) if weighted else prob.new_ones(prob.shape[2])
    crossed = [pointwise_mutual_information(log_student[:, 1 - view], log_teacher[:, view], prior, beta)
               for view in (0, 1)]
    heads = -(weight * torch.stack(crossed)).mean(dim=(0, 2))
    return TemiLoss(heads.mean(), heads, weight, prior)


@torch.no_grad()
def pair_losses(log_prob: Tensor, neighbors: Tensor, beta: float = 0.6, weighted: bool = True,
                shards: Shards = WHOLE) -> Tensor:
    """Loss of every head over all rows and all their neighbours, by which heads are compared.

    Args:
        log_prob: (H, n, K) log-probabilities, one network in the place of student and teacher; their mean is the prior.
        neighbors: (n, k), places among all N rows.
        beta: See :func:`pointwise_mutual_information`.
        weighted: See :func:`temi_loss`.
        shards: Who holds the N rows; their log-probabilities travel once round the ring.

    Returns:
        (H,).
    """
    heads, rows, clusters = log_prob.shape
    prior = mean_of_rows(log_prob.exp(), 1, shards)
    total = torch.zeros(heads, dtype=torch.float64, device=log_prob.device)
    chunk = PAIR_BYTES // max(1, heads * neighbors.shape[1] * clusters * log_prob.element_size())
    samples = log_prob.transpose(0, 1).contiguous()     # what is looked up of a row lies side by side
    for own, found in neighbor_pairs(samples, neighbors, max(chunk, 1), shards):
        first, second = samples[own].transpose(0, 1), found.transpose(0, 1)
        information = pointwise_mutual_information(first, second, prior, beta)
        # pair_weight of the probabilities, by one exponential for both
        weight = (first + second).exp().sum(dim=-1).mean(dim=0) if weighted else torch.ones_like(information[0])
        total -= (weight * information).sum(dim=1, dtype=torch.float64)
    return (shards.sum(total) / (sum(shards.sizes(rows)) * neighbors.shape[1])).to(log_prob.dtype)
