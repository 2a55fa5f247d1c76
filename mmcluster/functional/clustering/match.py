"""Matching of cluster ids with classes or with earlier ids: vote tables and the Hungarian method."""
from __future__ import annotations

from typing import NamedTuple, Optional

import numpy as np
import torch
from scipy.optimize import linear_sum_assignment
from torch import Tensor

from ..shards import WHOLE, Shards


class Alignment(NamedTuple):
    """Cluster ids renamed to classes.

    Attributes:
        votes: (K, K) long, selected rows by cluster (row) and class (column).
        mapping: (K,) long, class of each cluster.
        aligned: (n,) long, renamed labels, -1 stays.
        n_agree: Selected rows whose renamed label is their target.
    """
    votes: Tensor
    mapping: Tensor
    aligned: Tensor
    n_agree: int


def contingency(pred: Tensor, target: Tensor, num_pred: int, num_target: int) -> Tensor:
    """Count how often ids occur together.

    Args:
        pred: (N,) integer.
        target: (N,) integer.
        num_pred: P; ids outside [0, P) are dropped, -1 (unknown) among them.
        num_target: Q, likewise.

    Returns:
        (P, Q) long.
    """
    pred, target = pred.long(), target.long().to(pred.device)
    known = (pred >= 0) & (pred < num_pred) & (target >= 0) & (target < num_target)
    cell = torch.where(known, pred * num_target + target, num_pred * num_target)
    return torch.bincount(cell, minlength=num_pred * num_target + 1)[:-1].view(num_pred, num_target)


def hungarian(votes: Tensor | np.ndarray) -> Tensor:
    """Find the one-to-one mapping with the most votes.

    Args:
        votes: (P, Q), not negative.

    Returns:
        (P,) long column of each row; -1 for the P - Q rows left over when P > Q.
    """
    votes = votes.cpu().numpy() if isinstance(votes, Tensor) else votes
    mapping = torch.full((votes.shape[0],), -1, dtype=torch.long)
    row, column = linear_sum_assignment(votes, maximize=True)
    mapping[torch.from_numpy(row)] = torch.from_numpy(column).long()
    return mapping


def align_clusters(label: Tensor, index: Tensor, target: Tensor, num_clusters: int,
                   previous: Optional[Tensor] = None, shards: Shards = WHOLE) -> Alignment:
    """Rename clusters so that they agree with the targets of selected rows (ClusMatch Sec. 3.4).

    Of all mappings that agree equally well on the selected rows, the one closest to ``previous`` on the full set is
    taken: votes count first, agreement with ``previous`` only between equals.

    Args:
        label: (n,) long, cluster ids; -1 is unknown.
        index: (m,) long, selected ones of these rows.
        target: (m,) long, their classes in [0, K); others do not vote.
        num_clusters: K.
        previous: (n,) long, renamed labels of the last time, if there were any.
        shards: Who holds the N rows; all get one mapping.

    Returns:
        The alignment, on the device of ``label``. Edge cases: clusters without votes get the classes left over.
    """
    label, index = label.long(), index.long().to(label.device)
    votes = shards.sum(contingency(label[index], target.to(label.device), num_clusters, num_clusters))
    weight = votes
    if previous is not None:
        weight = votes * (sum(shards.sizes(len(label))) + 1)
        weight += shards.sum(contingency(label, previous, num_clusters, num_clusters))
    mapping = hungarian(weight).to(label.device)
    known = (label >= 0) & (label < num_clusters)
    aligned = torch.where(known, mapping[label.clamp(0, num_clusters - 1)], -1)
    agree = votes.gather(1, mapping[:, None]).sum()
    return Alignment(votes, mapping, aligned, int(agree))
