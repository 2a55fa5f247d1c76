"""Losses that ask predictions to agree: with pseudo-labels (SPICE), with neighbours and with themselves (SCAN)."""
from __future__ import annotations

from typing import NamedTuple, Optional

import torch
from torch import Tensor
from torch.nn import functional as F

from ..shards import WHOLE, Shards, mean_of_rows, neighbor_pairs
from .contrast import at_least_float32
from .prototype import one_hot

LOG_FLOOR = -100.
SLOPE_EPS = 1e-12               # floor of the denominator of the gradient of -log s
ENTROPY_EPS = 1e-8              # floor of a cluster's share in the entropy (SCAN)
PAIR_BYTES = 1 << 25            # gathered neighbours that are held at once


class ScanLoss(NamedTuple):
    """Parts of the loss of SCAN's clustering step.

    Attributes:
        total: (...), consistency + weight * inequality.
        consistency: (...), mean -log of the agreement of the pairs.
        inequality: (...), minus the entropy of the mean prediction; with a prior their relative entropy.
        entropy: (...), entropy of the mean prediction of the anchors.
    """
    total: Tensor
    consistency: Tensor
    inequality: Tensor
    entropy: Tensor


def probability_ce(prob: Tensor, target: Tensor) -> Tensor:
    """Cross-entropy with a softmax over probabilities, ``-log softmax(p)[y]`` (SPICE eq. 5).

    Args:
        prob: (..., B, K).
        target: (..., B) long; -1 is left out.

    Returns:
        (...) mean over the rows with a target, 0 where there is none.
    """
    known = target >= 0
    rows = -at_least_float32(prob).log_softmax(dim=-1).gather(-1, target.clamp(min=0)[..., None])[..., 0]
    return rows.masked_fill(~known, 0).sum(dim=-1) / known.sum(dim=-1).clamp(min=1)


def double_softmax_ce(logits: Tensor, target: Tensor) -> Tensor:
    """Cross-entropy behind two softmaxes, so that unsure rows are learned slowly (SPICE eq. 5).

    ``-log softmax(softmax(z))[y]``, in [log(e + K - 1) - 1, log(e + K - 1)].

    Args:
        logits: (..., B, K), such as (H, B, K) of H heads.
        target: (..., B) long; -1 is left out.

    Returns:
        (...) mean over the rows with a target, 0 with a zero gradient where there is none.
    """
    return probability_ce(at_least_float32(logits).softmax(dim=-1), target)


def negative_entropy(mean_prob: Tensor, eps: float = ENTROPY_EPS) -> Tensor:
    """Return ``sum m log m`` with m clamped from below (SPICE section IV-F, SCAN eq. 2).

    Args:
        mean_prob: (..., K) mean prediction of a batch.
        eps: Smallest m; a clamped entry passes no gradient.

    Returns:
        (...) at most 0 for probabilities; to be minimised.
    """
    m = at_least_float32(mean_prob).clamp_min(eps)
    return (m * m.log()).sum(dim=-1)


def agreement(p: Tensor, q: Tensor) -> Tensor:
    """Return ``-log(p q)`` of pairs of predictions, as a binary cross-entropy with target 1 (SCAN eq. 2).

    The logarithm is floored at -100 and the denominator (1 - s) s of the gradient at 1e-12, so that a pair without
    any common cluster has a finite value and hardly a gradient.

    Args:
        p: (..., K) probabilities.
        q: (..., K), broadcast against ``p``.

    Returns:
        (...) in [0, 100].
    """
    s = (at_least_float32(p) * at_least_float32(q)).sum(dim=-1).clamp(max=1)
    fixed = s.detach()
    slope = (fixed - 1) / ((1 - fixed) * fixed).clamp_min(SLOPE_EPS)
    return slope * (s - fixed) - fixed.log().clamp_min(LOG_FLOOR)


def log_agreement(log_p: Tensor, log_q: Tensor) -> Tensor:
    """Return :func:`agreement` of predictions in log-space, exact where a product of probabilities underflows.

    Args:
        log_p: (..., K) log-probabilities.
        log_q: (..., K), broadcast against ``log_p``.

    Returns:
        (...) in [0, 100].
    """
    log_s = (at_least_float32(log_p) + at_least_float32(log_q)).logsumexp(dim=-1).clamp(max=0)
    fixed = log_s.detach()      # the gradient is that of the binary cross-entropy, floored; the value stays exact
    slope = -(-fixed.expm1() * fixed.exp() / SLOPE_EPS).clamp(max=1)
    return slope * (log_s - fixed) - fixed.clamp_min(LOG_FLOOR)


def expected_log(mean_prob: Tensor, log_prior: Optional[Tensor]) -> Tensor:
    """Return ``sum m log prior`` (...) of mean predictions (..., K) and a prior (K,); 0 without a prior."""
    return (mean_prob * (0 if log_prior is None else log_prior)).sum(-1)    # autocast would round a matrix product


def scan_loss(log_p: Tensor, log_q: Tensor, entropy_weight: float, mean: Optional[Tensor] = None,
              log_prior: Optional[Tensor] = None) -> ScanLoss:
    """Ask an image and a neighbour for the same cluster, and all clusters for their shares (SCAN eq. 2).

    Args:
        log_p: (..., B, K) log-probabilities of the anchors.
        log_q: (..., B, K) of one neighbour of each anchor.
        entropy_weight: Weight of the entropy of the anchors' mean prediction (paper's lambda).
        mean: (..., K) mean prediction of the anchors of all processes; ``None``: these are all.
        log_prior: (K,) logarithm of the expected shares; ``None``: equal ones.

    Returns:
        Four (...). Both sides receive a gradient.

    Edge cases: no row at all gives 0 everywhere.
    """
    rows = log_p.shape[-2]
    consistency = log_agreement(log_p, log_q).sum(dim=-1) / max(rows, 1)
    mean = log_p.exp().sum(dim=-2) / max(rows, 1) if mean is None else mean
    negative = negative_entropy(mean) * min(rows, 1)
    inequality = negative - expected_log(mean, log_prior)
    return ScanLoss(consistency + entropy_weight * inequality, consistency, inequality, -negative)


@torch.no_grad()
def pair_agreement(prob: Tensor, neighbors: Tensor, chunk: Optional[int] = None, shards: Shards = WHOLE) -> Tensor:
    """Return the mean ``-log(p_i p_j)`` over all samples i and their neighbours j (SCAN's validation).

    Args:
        prob: (H, n, K) predictions of H heads.
        neighbors: (n, m) long, places among all N samples; the sample itself may be one of them.
        chunk: Samples that are handled at once; ``None`` suits the memory.
        shards: Who holds the N samples.

    Returns:
        (H,); 0 without any pair.
    """
    samples = prob.transpose(0, 1).contiguous()         # what is looked up of a sample lies side by side
    chunk = chunk or max(1, PAIR_BYTES // max(1, samples[:1].numel() * neighbors.shape[1] * prob.element_size()))
    total = torch.zeros(len(prob), dtype=torch.float64, device=prob.device)
    for own, other in neighbor_pairs(samples, neighbors, chunk, shards):
        total += agreement(samples[own], other).sum(dim=0, dtype=torch.float64)
    total = shards.sum(total) / max(1, sum(shards.sizes(len(neighbors))) * neighbors.shape[1])
    return total.to(at_least_float32(prob).dtype)


@torch.no_grad()
def pair_selection_loss(prob: Tensor, neighbors: Tensor, entropy_weight: float = 1., chunk: Optional[int] = None,
                        log_prior: Optional[Tensor] = None, shards: Shards = WHOLE) -> Tensor:
    """Return the label-free statistic by which SCAN keeps a head and an epoch: the loss over all pairs.

    Args:
        prob: (H, n, K) predictions of H heads for the whole set.
        neighbors: (n, m) long, places among all N samples.
        entropy_weight: Weight of the entropy of the mean prediction; always 1 in the authors' release.
        chunk: Samples that are handled at once; ``None`` suits the memory.
        log_prior: See :func:`scan_loss`.
        shards: Who holds the N samples; their predictions travel once round the ring.

    Returns:
        (H,), lower is better.
    """
    mean = mean_of_rows(at_least_float32(prob), 1, shards)
    inequality = entropy_weight * (negative_entropy(mean) - expected_log(mean, log_prior))
    return pair_agreement(prob, neighbors, chunk, shards) + inequality


@torch.no_grad()
def confidence_targets(logits: Tensor, threshold: float) -> tuple[Tensor, Tensor]:
    """Return the predicted cluster of every row, and where it is certain enough to learn from (SCAN section 2.3).

    Args:
        logits: (B, K) of the plain view.
        threshold: A masked row is more probable than this, strictly.

    Returns:
        Target (B,) long, first cluster on ties, and mask (B,) bool.
    """
    confidence, target = at_least_float32(logits).softmax(dim=1).max(dim=1)
    return target, confidence > threshold


def confidence_counts(target: Tensor, mask: Tensor, num_clusters: int) -> Tensor:
    """Count the masked rows of every cluster; the counts of several ranks add up.

    Args:
        target: (B,) long.
        mask: (B,) bool.
        num_clusters: K.

    Returns:
        (K,) float32.
    """
    return one_hot(target.masked_fill(~mask, -1), num_clusters, torch.empty(0, device=target.device)).sum(dim=0)


def confidence_weights(counts: Tensor) -> Tensor:
    """Return weights with which every cluster that occurs counts the same (SCAN's release).

    Args:
        counts: (K,) masked rows of every cluster, of all ranks.

    Returns:
        (K,) float64, number of masked rows over the cluster's own; 1 for a cluster without any.
    """
    counts = counts.double()
    return torch.where(counts > 0, counts.sum() / counts.clamp(min=1), 1)


def self_label_loss(logits: Tensor, target: Tensor, mask: Tensor, counts: Tensor,
                    class_balance: bool = True) -> Tensor:
    """Learn the strong view of the rows that are predicted with confidence (SCAN section 2.3).

    Args:
        logits: (B, K) of the strong view.
        target: (B,) long, of :func:`confidence_targets`.
        mask: (B,) bool.
        counts: (K,) masked rows of every cluster, of all processes.
        class_balance: Weigh the clusters so that each that occurs counts the same.

    Returns:
        () what these rows add to the weighted mean cross-entropy over the masked rows of all processes; of one process
        alone, that mean.

    Edge cases: no masked row gives 0 with a zero gradient.
    """
    # of all processes, also the denominator: a mean of the processes' means would count rows of a sparse one more
    weights = confidence_weights(counts) if class_balance else torch.ones_like(counts)
    rows = F.cross_entropy(at_least_float32(logits), target, reduction='none')
    total = (weights.to(rows)[target] * mask * rows).sum()
    whole = (weights * counts).sum().to(total)
    return total / whole.where(whole > 0, torch.ones_like(whole))
