"""Cross-level interaction of PICI: clusters of the instance features teach the cluster head (eq. 12-15)."""
from __future__ import annotations

from typing import Optional

import torch
from torch import Tensor

from ..clustering.match import contingency, hungarian
from ..shards import WHOLE, Shards
from .consistency import probability_ce
from .contrast import at_least_float32


def scale_features(z: Tensor, scale: Optional[str], batch: int = 96, order: Optional[Tensor] = None,
                   shards: Shards = WHOLE) -> Tensor:
    """Stretch every dimension to [0, 1] before k-means.

    Args:
        z: (n, D).
        scale: ``'set'``: by the range of all rows. ``'batch'``: by the ranges of consecutive rows in a given order, as
            released, which mixes scales. ``None``: as they are.
        batch: Rows of a batch; the last one may be shorter.
        order: (N,) long, for ``'batch'``; ``None``: as they come.
        shards: Who holds the N rows.

    Returns:
        (n, D). Edge cases: a dimension without a range becomes 0.
    """
    if scale is None:
        return z
    z, size, start = at_least_float32(z), sum(shards.sizes(len(z))), shards.start(len(z))
    group = torch.zeros(len(z), dtype=torch.long, device=z.device)
    if scale == 'batch':
        # the release scales by batches in the loader's random order, so that one place means several things (eq. 12)
        place = torch.arange(size) if order is None else order.argsort()
        group = (place // batch)[start:start + len(z)].to(z.device)
    groups = -(-size // batch) if scale == 'batch' else 1
    ends = torch.cat([z, -z], 1)
    ends = ends.new_full((groups, ends.shape[1]), -torch.inf).scatter_reduce_(0, group[:, None].expand_as(ends), ends,
                                                                             'amax')
    high, low = shards.max(ends).chunk(2, 1)
    low = -low
    span = high - low
    return (z - low[group]) / span.where(span > 0, torch.ones_like(span))[group]


def relabel_map(votes: Tensor) -> Tensor:
    """Find the cluster of the head that every k-means label stands for.

    Args:
        votes: (..., M, M) rows of cluster q (row) with label p (column), on the host.

    Returns:
        (..., M) long, column p -> cluster, one-to-one with the most votes.
    """
    shape = votes.shape
    tables = votes.reshape(-1, *shape[-2:]) if votes.numel() else votes.new_zeros(0, *shape[-2:])
    maps = [hungarian(table.t()) for table in tables]
    return torch.stack(maps).view(shape[:-1]) if maps else votes.new_zeros(shape[:-1]).long()


def label_votes(label: Tensor, cluster: Tensor, num_clusters: int) -> Tensor:
    """Count how often each k-means label falls on each cluster of the head (eq. 14), view by view.

    Args:
        label: (N, V) long, k-means labels p of V views; -1 is unknown.
        cluster: (N, V) long, the head's clusters q.
        num_clusters: M.

    Returns:
        (V, M, M), see :func:`relabel_map`.
    """
    return torch.stack([contingency(q, p, num_clusters, num_clusters)
                        for p, q in zip(label.unbind(1), cluster.unbind(1))])


def match_labels(label: Tensor, votes: Tensor) -> Tensor:
    """Rename k-means labels to cluster indices so that they agree with the head's clusters as often as possible.

    Args:
        label: (N, V) long, k-means labels p of V views, each with names of its own; -1 is unknown and stays.
        votes: (V, M, M) of :func:`label_votes`, on the host.

    Returns:
        (N, V) long, p renamed. Edge cases: a label that does not occur with any cluster gets one of those left over.
    """
    num_clusters = votes.shape[-1]
    maps, view = relabel_map(votes).to(label.device), torch.arange(len(votes), device=label.device)
    known = (label >= 0) & (label < num_clusters)       # no boolean index, which would wait for the device
    return torch.where(known, maps[view, label.clamp(0, num_clusters - 1)], -1)


def cross_level_loss(logits: Tensor, label: Tensor, double_softmax: bool = False) -> Tensor:
    """Cross-entropy of the cluster head with renamed k-means labels (eq. 15, one view, batch mean).

    Args:
        logits: (B, M), before the softmax.
        label: (B,) long, cluster indices; -1 is left out.
        double_softmax: Take a second softmax over the probabilities, as released; the loss then cannot fall below
            ``log(1 + (M - 1) / e)``.

    Returns:
        () mean over the labelled rows, 0 with a zero gradient where there is none.
    """
    return probability_ce(at_least_float32(logits).softmax(dim=1) if double_softmax else logits, label)
