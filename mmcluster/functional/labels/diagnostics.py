"""Figures that tell why clustering by instance classes starts, or why it does not (ASD). None of them uses labels."""
from __future__ import annotations

import math

import torch
from sklearn.metrics import silhouette_score
from torch import Tensor

from ..losses.contrast import at_least_float32
from ..losses.prototype import one_hot


def perplexity(prob: Tensor) -> Tensor:
    """Return to how many classes a distribution amounts, ``exp(entropy)``.

    Args:
        prob: (..., M), rows sum to 1.

    Returns:
        (...) from 1 to M. Uniform labels have M: the transport is too smooth to tell instance classes apart.
    """
    return torch.special.entr(at_least_float32(prob)).sum(dim=-1).exp()


def mean_perplexity(label: Tensor) -> Tensor:
    """Return the mean perplexity of soft labels (L, M) -> (); 0 without rows."""
    return perplexity(label).sum() / max(len(label), 1)


def balance(share: Tensor) -> Tensor:
    """Return the entropy of a distribution as a share of the largest possible one.

    Args:
        share: (..., M), rows sum to 1, or to 0.

    Returns:
        (...) from 0, everything in one class, to 1, equally much in all; 0 for a row of zeros, 1 if M = 1.
    """
    entropy = torch.special.entr(at_least_float32(share)).sum(dim=-1)
    if share.shape[-1] == 1:
        return torch.ones_like(entropy)
    return entropy / math.log(max(share.shape[-1], 2))


def num_distinct(index: Tensor, num_classes: int) -> Tensor:
    """Return how many classes occur, without a host sync.

    Args:
        index: (L,) long; values outside [0, M) do not count.
        num_classes: M.

    Returns:
        () long.
    """
    return one_hot(index, num_classes, index).sum(dim=0).clamp(max=1).sum()


def inside_share(counts: Tensor, class_map: Tensor) -> Tensor:
    """Return the share of transitions that stay inside a cluster; it should rise.

    Args:
        counts: (M, M) transitions.
        class_map: (M,) long; -1 is in no cluster.

    Returns:
        () float64; 0 without transitions.
    """
    same = (class_map[:, None] == class_map) & (class_map >= 0)
    counts = counts.double()
    return (counts * same).sum() / counts.sum().clamp(min=1)


def silent_share(counts: Tensor) -> Tensor:
    """Return the share of instance classes without any transition from or to them: (M, M) -> () float64."""
    silent = (counts.sum(dim=0) + counts.sum(dim=1)) == 0
    return silent.double().sum() / max(len(counts), 1)


def map_churn(old: Tensor, new: Tensor) -> Tensor:
    """Return the share of instance classes that changed their cluster.

    Args:
        old: (M,) long map, -1 where there was none.
        new: (M,) long map whose names were aligned with the old ones.

    Returns:
        () float64.
    """
    return (old != new).double().sum() / max(len(new), 1)


def medoid_objective(dissimilarity: Tensor, label: Tensor, num_clusters: int) -> Tensor:
    """Return the summed dissimilarity to the best medoid of each cluster, whatever made the clusters.

    Args:
        dissimilarity: (M, M); row: object, column: medoid.
        label: (M,) long.
        num_clusters: K.

    Returns:
        () float64; an empty cluster adds nothing.
    """
    member = one_hot(label, num_clusters, dissimilarity)
    cost = (member.t() @ dissimilarity).masked_fill(member.t() == 0, float('inf'))
    return cost.amin(dim=1).nan_to_num(posinf=0.).sum() if cost.numel() else cost.sum()


def silhouette(dissimilarity: Tensor, label: Tensor) -> float:
    """Return how much nearer objects are to their own cluster than to the next.

    Args:
        dissimilarity: (M, M), zero diagonal.
        label: (M,) long.

    Returns:
        In [-1, 1]; 0 where it is not defined: one cluster, or every object a cluster of its own.
    """
    if not 1 < len(label.unique()) < len(label):
        return 0.
    return float(silhouette_score(dissimilarity.cpu().numpy(), label.cpu().numpy(), metric='precomputed'))
