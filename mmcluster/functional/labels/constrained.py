"""Cluster labels of a mini-batch under a constraint on the sizes of the clusters (SeCu)."""
from __future__ import annotations

import torch
from torch import Tensor

from ..losses.contrast import at_least_float32


def size_constrained_labels(similarity: Tensor, dual: Tensor) -> Tensor:
    """Nearest centre after the dual variables of a lower bound on the sizes helped the small clusters.

    ``y_i = argmin_k (o_ik - rho_k)`` with the cost ``o = -similarity``.

    Args:
        similarity: (B, K) cosine similarities to the centres, mean over the views.
        dual: (K,) dual variables rho.

    Returns:
        (B,) long. Of equally good centres the first.
    """
    return (at_least_float32(similarity) + dual).argmax(dim=1)


def move_dual(dual: Tensor, share: Tensor, least: Tensor | float, rate: float, bounded: bool = True) -> Tensor:
    """Dual variables after one mini-batch: they rise for clusters that got less than their least share.

    ``rho_k <- rho_k - eta n_k / B + eta r / K``. The order of SeCu's release: labels first, then this step.

    Args:
        dual: (K,) dual variables rho.
        share: (K,) shares n_k / B of the clusters in the batch of all ranks.
        least: Least share of a cluster, the ratio r / K; one number or (K,).
        rate: Step eta.
        bounded: Keep them at 0 or above, as a lower bound asks for. Without it the shares are drawn to ``least`` from
            both sides: the release does so where r is 1.

    Returns:
        (K,).
    """
    dual = dual - rate * (share - least)
    return dual.clamp(min=0) if bounded else dual


def entropy_constrained_labels(similarity: Tensor, label: Tensor, counts: Tensor, alpha: float) -> Tensor:
    """Nearest centre when moving to a large cluster costs the entropy that the cluster sizes lose.

    ``y_i = argmin_k (o_ik + alpha (change of sum_j p_j log p_j))`` with ``p = counts / T``, as if image i alone moved.
    Terms that are the same for all k are left out: with the image taken out of its old cluster, n others in cluster k
    make joining it cost ``((n + 1) log(n + 1) - n log n) / T``.

    Args:
        similarity: (B, K) cosine similarities to the centres, mean over the views.
        label: (B,) long, present cluster of each image; -1 has none yet, and makes T larger by one.
        counts: (K,) images of all clusters, the same for all rows of the batch.
        alpha: Weight of the entropy.

    Returns:
        (B,) long. Of equally good centres the first.

    Edge cases: an empty cluster costs nothing (0 log 0 = 0); without any image in a cluster the nearest centre wins.
    """
    similarity = at_least_float32(similarity)
    place = torch.arange(similarity.shape[1], device=label.device)
    others = (counts.to(similarity) - (label[:, None] == place).to(similarity)).clamp(min=0)
    # log1p: the difference of two large x log x would lose what it is about
    cost = torch.log1p(others) + others * torch.log1p(1 / others.clamp(min=1)).where(others > 0, others)
    total = (counts.sum() + (label < 0)).clamp(min=1)
    return (similarity - alpha * cost / total[:, None]).argmax(dim=1)


def cluster_counts(label: Tensor, num_clusters: int) -> Tensor:
    """Count the rows of each cluster without waiting for the device.

    Args:
        label: (B,) long, -1 is no cluster.
        num_clusters: K.

    Returns:
        (K,) float32.
    """
    counts = torch.zeros(num_clusters + 1, device=label.device)
    return counts.scatter_add(0, label + 1, torch.ones_like(label, dtype=counts.dtype))[1:]
