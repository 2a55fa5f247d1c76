"""Which images a picture shows: members of clusters, and neighbours of queries."""
from __future__ import annotations

from typing import Optional

import torch
from torch import Tensor

from mmcluster.functional.losses.contrast import unit_rows

CHUNK = 256     # queries at a time
HOW = ('nearest', 'farthest', 'random')


def members(embed: Tensor, label: Tensor, num_clusters: int, count: int, how: str = 'nearest',
            seed: int = 0) -> Tensor:
    """Images of each cluster (ASD Figs. 8 and 10, ProPos Fig. 11).

    Args:
        embed: (N, D); the centre of a cluster is the mean of its unit rows.
        label: (N,) long, -1 is in none, so labels that were selected show the selected images.
        num_clusters: K.
        count: Images of each.
        how: ``'nearest'`` or ``'farthest'`` from the centre, or ``'random'``.
        seed: Of random ones.

    Returns:
        (K, count) long, -1 where a cluster has fewer.

    Raises:
        ValueError: If ``how`` is another one.
    """
    if how not in HOW:
        raise ValueError(f'how must be one of {HOW}, got {how!r}')
    rows, label = unit_rows(embed).cpu(), label.cpu()
    found = torch.full((num_clusters, count), -1)
    generator = torch.Generator().manual_seed(seed)
    for one in range(num_clusters):
        own = (label == one).nonzero().flatten()
        if how == 'random':
            chosen = own[torch.randperm(len(own), generator=generator)]
        else:
            cosine = rows[own] @ rows[own].mean(0) if len(own) else rows.new_zeros(0)
            chosen = own[cosine.argsort(descending=how == 'nearest', stable=True)]
        found[one, :min(count, len(own))] = chosen[:count]
    return found


def neighbors_of(embed: Tensor, query: Tensor, count: int, noise: Optional[Tensor] = None) -> Tensor:
    """Nearest images of queries by cosine, without themselves (SPICE Fig. 1a, ProPos Fig. 4b).

    Args:
        embed: (N, D).
        query: (q,) long rows.
        count: Neighbours of each.
        noise: (N, D), what is added to the raw embedding of a query.

    Returns:
        (q, count) long, nearest first.
    """
    rows = unit_rows(embed)
    query = query.to(rows.device)
    asked = rows[query] if noise is None else unit_rows(embed[query] + noise[query])
    score = asked @ rows.t()
    score[torch.arange(len(query)), query] = -torch.inf     # by place: a copy may be as near as the row itself
    return score.topk(min(count, len(rows) - 1), dim=1).indices.cpu()


def odd_queries(embed: Tensor, truth: Optional[Tensor], count: int, k: int = 5, seed: int = 0) -> Tensor:
    """Images to look at: those with a neighbour of another class, or any without ground truth.

    Args:
        embed: (N, D).
        truth: (N,) long, -1 where unknown, or ``None``.
        count: How many.
        k: Neighbours that are asked.
        seed: Of the order.

    Returns:
        (at most count,) long.
    """
    order = torch.randperm(len(embed), generator=torch.Generator().manual_seed(seed))
    if truth is None or not bool((truth >= 0).any()):
        return order[:count]
    order, found = order[truth[order] >= 0], []
    for rows in order.split(CHUNK):         # most sets have enough of them soon
        found.append(rows[(truth[neighbors_of(embed, rows, k)] != truth[rows, None]).any(1)])
        if sum(map(len, found)) >= count:
            break
    return torch.cat(found)[:count]
