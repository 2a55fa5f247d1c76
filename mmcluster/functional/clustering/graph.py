"""The neighbor graph of GCC: degrees, weights, and the memory of features that it is built from."""
from __future__ import annotations

from typing import Optional

import torch
from torch import Tensor

from ..average import moving_average
from ..shards import WHOLE, Shards, neighbor_pairs

CHUNK_PAIRS = 1 << 24           # entries of neighbours' lists that are looked at at once


@torch.no_grad()
def undirected_degree(neighbors: Tensor, shards: Shards = WHOLE) -> Tensor:
    """Return how many rows are neighbors of a row, or have it as theirs: ``|{j : j in I_i or i in I_j}|``.

    A row counts itself if it is in its own list.

    Args:
        neighbors: (n, k) long, places among all N rows; -1 is left out.
        shards: Who holds the N rows; their lists travel once round the ring, and a count for each row.

    Returns:
        (n,) long.
    """
    lists = neighbors.sort(dim=1).values
    lists[:, 1:] = torch.where(lists[:, 1:] == lists[:, :-1], -1, lists[:, 1:])     # what is there twice counts once
    start, total = shards.start(len(lists)), sum(shards.sizes(len(lists)))
    listed = shards.sum(torch.bincount(lists[lists >= 0], minlength=total))[start:start + len(lists)]
    mutual = torch.zeros_like(listed)
    for own, other in neighbor_pairs(lists, lists, max(1, CHUNK_PAIRS // max(1, lists.shape[1] ** 2)), shards):
        mutual.index_add_(0, own, (other == (own + start)[:, None]).any(dim=1).long())
    return (lists >= 0).sum(dim=1) + listed - mutual


def graph_weights(degree: Tensor, used: int, own_degree: Optional[Tensor] = None) -> Tensor:
    """Return the weight of neighbors by their degrees, ``sqrt(M / d_j)`` (authors' release).

    Args:
        degree: (...) long or float, degrees of the neighbors, at least 1.
        used: M, neighbors of a row that a loss takes.
        own_degree: (...), broadcast against ``degree``, of the rows whose neighbors these are. With it the weight
            is ``M / sqrt(d_i d_j)``, entries of the normalised adjacency D^-1/2 A D^-1/2 (paper) times M.

    Returns:
        (...) float; 1 in a graph in which every row has M neighbors.
    """
    weight = (used / degree).sqrt()
    return weight if own_degree is None else weight * (used / own_degree).sqrt()


@torch.no_grad()
def remember(memory: Tensor, count: Tensor, new: Tensor, decay: Optional[float] = None) -> Tensor:
    """Return memories that a feature joins: it takes the place of the oldest of S, or moves the average of one.

    Args:
        memory: (B, S, D) features so far.
        count: (B,) long, features that joined before.
        new: (B, D).
        decay: ``None``: the last S features stand side by side (authors' release). Else S = 1, and this is the weight
            of the old value in a moving average (paper), which starts with the first feature.

    Returns:
        (B, S, D).
    """
    new = new.to(memory)
    if decay is not None:
        seen = (count > 0)[:, None, None]
        return torch.where(seen, moving_average(memory, new[:, None], decay), new[:, None])
    place = (count % memory.shape[1])[:, None, None].expand(-1, 1, memory.shape[2])
    return memory.scatter(1, place, new[:, None])


@torch.no_grad()
def recall(memory: Tensor, count: Tensor) -> Tensor:
    """Return the plain mean of the features in a memory, not normalised.

    Args:
        memory: (N, S, D), zeros in places that were never filled.
        count: (N,) long, features that joined.

    Returns:
        (N, D); zeros where none did.
    """
    return memory.sum(dim=1) / count.clamp(1, memory.shape[1])[:, None]
