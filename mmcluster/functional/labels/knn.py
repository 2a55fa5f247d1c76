"""Classes by a vote of the nearest labelled rows, and how noise moves them."""
from __future__ import annotations

from typing import NamedTuple, Optional

import torch
from torch import Tensor

from ..finite import require_finite
from ..losses.contrast import unit_rows

CHUNK_BYTES = 1 << 28           # similarities that are held at once


class Votes(NamedTuple):
    """What the neighbours of Q rows say.

    Attributes:
        neighbors: (Q, k) long rows of the bank, by descending similarity.
        similarity: (Q, k) cosines.
        scores: (Q, C) sums of exp(cosine / temperature) by class; below a temperature of 0.012 they overflow float32.
        pred: (Q,) long, the class with the largest score.
        voted: (Q, C) bool, classes that some neighbour has.
    """
    neighbors: Tensor
    similarity: Tensor
    scores: Tensor
    pred: Tensor
    voted: Tensor


class Preservation(NamedTuple):
    """How often a row keeps its class when noise is added to it.

    Attributes:
        pred: (Q,) long classes without noise.
        sampled: (R, Q) long classes of each draw.
        rate: (R,) shares of rows that keep theirs.
    """
    pred: Tensor
    sampled: Tensor
    rate: Tensor


@torch.no_grad()
def weighted_knn(bank: Tensor, labels: Tensor, query: Tensor, num_classes: int, k: int = 20, temperature: float = 0.07,
                 own: Optional[Tensor] = None, chunk: Optional[int] = None) -> Votes:
    """Classify rows by their k nearest labelled rows, weighted by exp(cosine / temperature) (InstDisc; ProPos 5.1).

    Args:
        bank: (M, D) labelled rows, any norm; a row of zeros has similarity 0 to all.
        labels: (M,) long in [0, C).
        query: (Q, D).
        num_classes: C.
        k: Neighbours that vote; all of the bank if it has fewer.
        temperature: Divides the cosines.
        own: (Q,) long, the row of the bank that is the query itself and has no vote, where both are one set.
        chunk: Queries whose similarities are held at once; ``None`` suits the memory.

    Returns:
        Neighbours and votes.

    Raises:
        ValueError: If there is no row to ask, a label lies outside [0, C), or a feature is not finite.
    """
    k = min(k, len(bank) - (own is not None))
    if k < 1:
        raise ValueError(f'{len(bank)} labelled rows leave no neighbour to ask')
    if int(labels.min()) < 0 or int(labels.max()) >= num_classes:
        raise ValueError(f'labels must lie in 0..{num_classes - 1}; leave rows without a label out')
    require_finite(bank, 'k-NN: labelled rows')
    require_finite(query, 'k-NN: queries')
    bank, query, labels = unit_rows(bank), unit_rows(query), labels.to(bank.device)
    chunk = chunk or max(1, CHUNK_BYTES // max(1, len(bank) * bank.element_size()))
    parts = []
    for start in range(0, len(query), chunk):
        score = query[start:start + chunk] @ bank.t()
        if own is not None:
            score.scatter_(1, own[start:start + chunk, None].to(score.device), -torch.inf)
        parts.append(score.topk(k, dim=1))
    similarity = torch.cat([part.values for part in parts])
    neighbors = torch.cat([part.indices for part in parts])
    return vote(neighbors, similarity, labels, num_classes, temperature)


def vote(neighbors: Tensor, similarity: Tensor, labels: Tensor, num_classes: int, temperature: float = 0.07) -> Votes:
    """Let the neighbours of rows vote for their classes, see :func:`weighted_knn`.

    Args:
        neighbors: (Q, k) long, by descending similarity.
        similarity: (Q, k).
        labels: (M,) long in [0, C).
        num_classes: C.
        temperature: Divides the cosines.
    """
    classes, zeros = labels[neighbors], similarity.new_zeros(len(neighbors), num_classes)
    # the decision needs no more than differences, which cannot overflow
    weight = ((similarity - similarity[:, :1]) / temperature).exp()
    pred = zeros.scatter_add(1, classes, weight).argmax(dim=1)
    scores = zeros.scatter_add(1, classes, (similarity / temperature).exp())
    voted = zeros.scatter_add(1, classes, torch.ones_like(similarity)) > 0
    return Votes(neighbors, similarity, scores, pred, voted)


def top_accuracy(votes: Votes, labels: Tensor, top: int = 1) -> float:
    """Share of rows whose class is among those with the largest scores, and has a vote.

    Args:
        votes: Of :func:`weighted_knn`.
        labels: (Q,) long.
        top: How many classes count.
    """
    best = votes.scores.masked_fill(~votes.voted, -torch.inf).topk(min(top, votes.scores.shape[1]), dim=1)
    hit = (best.indices == labels[:, None].to(best.indices.device)) & (best.values > -torch.inf)
    return float(hit.any(dim=1).double().mean())


@torch.no_grad()
def preservation_rate(bank: Tensor, labels: Tensor, z: Tensor, noise: Tensor, sigma: float, num_classes: int,
                      k: int = 20, temperature: float = 0.07) -> Preservation:
    """Share of rows that keep their class when Gaussian noise is added to their embedding (ProPos Fig. 4a).

    Args:
        bank: (M, D) labelled rows.
        labels: (M,) long.
        z: (Q, D) embeddings, not normalised: the noise is relative to their norm.
        noise: (R, Q, D) standard normal draws.
        sigma: Factor of the noise.
        num_classes: C.
        k: See :func:`weighted_knn`.
        temperature: See :func:`weighted_knn`.
    """
    pred = weighted_knn(bank, labels, z, num_classes, k, temperature).pred
    sampled = torch.stack([weighted_knn(bank, labels, z + sigma * draw, num_classes, k, temperature).pred
                           for draw in noise])
    return Preservation(pred, sampled, (sampled == pred).double().mean(dim=1))
