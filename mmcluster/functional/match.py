"""Naming clusters: tables of votes, the one-to-one match, alignment of new cluster ids to trusted labels."""
from __future__ import annotations

from typing import NamedTuple, Optional

import torch
from scipy.optimize import linear_sum_assignment
from torch import Tensor


class Alignment(NamedTuple):
    """Clusters renamed after the classes of trusted rows.

    Attributes:
        votes: (K, K) long, trusted rows of each cluster (row) in each class (column).
        mapping: (K,) long, cluster -> class, a permutation.
        aligned: (N,) long, renamed labels; -1 stays -1.
        n_agree: Trusted rows whose renamed label equals their target.
    """
    votes: Tensor
    mapping: Tensor
    aligned: Tensor
    n_agree: int


def contingency(pred: Tensor, target: Tensor, num_pred: int, num_target: int) -> Tensor:
    """Count the pairs of two labellings.

    Args:
        pred: (N,) long.
        target: (N,) long.
        num_pred: P, ids of pred are 0 .. P - 1.
        num_target: Q, ids of target are 0 .. Q - 1.

    Returns:
        (P, Q) long. Ids that do not occur keep their row or column of zeros; rows with an id outside its range (-1:
        unknown) are not counted.
    """
    valid = (pred >= 0) & (pred < num_pred) & (target >= 0) & (target < num_target)
    size = num_pred * num_target
    code = torch.where(valid, pred * num_target + target, size)
    return torch.bincount(code, minlength=size + 1)[:size].view(num_pred, num_target)


def hungarian(votes: Tensor) -> Tensor:
    """Match clusters to classes one to one with the most votes.

    Args:
        votes: (P, Q) counts; integers below 2^53 are exact.

    Returns:
        (P,) long, class of each cluster; with P > Q, the clusters left over have -1.
    """
    rows, columns = linear_sum_assignment(votes.cpu().numpy(), maximize=True)
    mapping = torch.full((votes.shape[0],), -1, dtype=torch.long)
    mapping[torch.from_numpy(rows)] = torch.from_numpy(columns)
    return mapping.to(votes.device)


def align_clusters(label: Tensor, index: Tensor, target: Tensor, num_clusters: int,
                   previous: Optional[Tensor] = None) -> Alignment:
    """Rename clusters so that trusted rows agree with their targets as often as possible (ClusMatch section 3.2).

    Votes of few or impure trusted rows often leave several best matches. Of these the one that agrees most with the
    previous labels over the whole data set is taken, so that names do not jump between E-steps; this never costs a
    trusted row.

    Args:
        label: (N,) long, new cluster ids in 0 .. K - 1.
        index: (n,) long, trusted rows.
        target: (n,) long, their labels; -1 does not vote.
        num_clusters: K; a cluster without rows keeps its row of zero votes.
        previous: (N,) long, labels before, -1 where unknown.

    Returns:
        The alignment, on the device of ``label``.
    """
    votes = contingency(label[index], target.to(label.device), num_clusters, num_clusters)
    score = votes
    if previous is not None:
        stays = contingency(label, previous.to(label.device), num_clusters, num_clusters)
        score = votes * (label.numel() + 1) + stays         # one vote outweighs the agreement of all N rows
    mapping = hungarian(score)
    clusters = torch.arange(num_clusters, device=mapping.device)
    aligned = torch.where(label >= 0, mapping[label.clamp(min=0)], -1)
    return Alignment(votes, mapping, aligned, int(votes[clusters, mapping].sum()))
