"""The neighbor graph of GCC: degrees, weights, and the memory of features that it is built from."""
from __future__ import annotations

from typing import Optional

import torch
from torch import Tensor

from ..average import moving_average


@torch.no_grad()
def undirected_degree(neighbors: Tensor) -> Tensor:
    """Return how many rows are neighbors of a row, or have it as theirs: ``|{j : j in I_i or i in I_j}|``.

    A row counts itself if it is in its own list.

    Args:
        neighbors: (N, k) long, rows of the same N; -1 is left out.

    Returns:
        (N,) long.
    """
    rows = len(neighbors)
    source = torch.arange(rows, device=neighbors.device)[:, None].expand_as(neighbors)[neighbors >= 0]
    target = neighbors[neighbors >= 0]
    edges = torch.cat([source * rows + target, target * rows + source]).unique()
    return torch.bincount(edges // max(rows, 1), minlength=rows)


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
