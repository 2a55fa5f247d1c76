"""Labels of the rows whose neighbours agree and whose prediction is certain (SPICE section III-C)."""
from __future__ import annotations

from typing import NamedTuple, Optional

import torch
from torch import Tensor

from ..finite import require_finite
from ..losses.contrast import at_least_float32
from ..shards import WHOLE, Shards
from .select import Selection, to_target

SLACK = 1e-9                    # k * ratio is guarded against rounding


class Reliable(NamedTuple):
    """Labels of the rows that can be trusted.

    Attributes:
        target: (n,) long, -1 where there is none.
        reliable: (K,) long, rows of each cluster that passed the filter.
        labelled: (K,) long, rows of each cluster that keep a label.
    """
    target: Tensor
    reliable: Tensor
    labelled: Tensor


def reliable_rows(confidence: Tensor, count: Tensor, k: int, ratio: float = 0.95, threshold: Optional[float] = 0.99,
                  strict: bool = False) -> Tensor:
    """Return the rows whose neighbours agree and whose prediction is certain (SPICE eqs. 6-7).

    Args:
        confidence: (N,) largest probability.
        count: (N,) long, see :func:`~mmcluster.functional.clustering.neighbors.local_consistency`.
        k: Rows that were asked.
        ratio: Share of them that must agree (paper's lambda).
        threshold: The confidence must exceed it (authors' release); ``None`` asks for none (the paper).
        strict: The share must exceed ``ratio`` (the paper) instead of reaching it (authors' release).

    Returns:
        (N,) bool.
    """
    keep = count > k * ratio + SLACK if strict else count >= k * ratio - SLACK
    return keep if threshold is None else keep & (at_least_float32(confidence) > threshold)


def top_up(keep: Tensor, label: Tensor, confidence: Tensor, count: Tensor, floor: int) -> Tensor:
    """Give clusters with fewer than ``floor`` kept rows their next best ones.

    Args:
        keep: (N,) bool.
        label: (N,) long, predicted clusters.
        confidence: (N,).
        count: (N,) long, see ``local_consistency``; it ranks the rows, then ``confidence``, then their order.
        floor: Rows that every cluster shall have.

    Returns:
        (N,) bool. A cluster of fewer than ``floor`` rows keeps them all.
    """
    # stable sorts from the least to the most important key: confidence, agreement, kept rows first, cluster
    order = confidence.argsort(descending=True, stable=True)
    order = order[count[order].argsort(descending=True, stable=True)]
    order = order[(~keep[order]).byte().argsort(stable=True)]
    order = order[label[order].argsort(stable=True)]
    sizes = torch.bincount(label, minlength=1)
    place = torch.arange(len(label), device=label.device) - (sizes.cumsum(0) - sizes)[label[order]]
    return keep.index_fill(0, order[place < floor], True)


def balance(keep: Tensor, label: Tensor, num_clusters: int, size: Optional[int] = None,
            permutations: Optional[Tensor] = None, generator: Optional[torch.Generator] = None) -> Selection:
    """Keep equally many random rows of every cluster (authors' release of SPICE).

    Args:
        keep: (N,) bool.
        label: (N,) long, predicted clusters.
        num_clusters: K.
        size: Rows of each cluster, as far as it has them; ``None``: as many as the smallest cluster has.
        permutations: (K, n) long orders of the kept rows of each cluster, -1 padding; ``None`` draws them.
        generator: For the draws, on the host.

    Returns:
        Rows by cluster, in the order of their permutation. Edge case: without ``size`` a cluster without any kept row
        leaves none at all.
    """
    rows = [(keep & (label == cluster)).nonzero()[:, 0] for cluster in range(num_clusters)]
    if size is None:
        size = min((len(part) for part in rows), default=0)
    if permutations is None:
        orders = [torch.randperm(len(part), generator=generator).to(part.device) for part in rows]
    else:
        orders = [order[:len(part)] for order, part in zip(permutations, rows)]
    chosen = [part[order[:size]] for part, order in zip(rows, orders)]
    target = [torch.full_like(part, cluster) for cluster, part in enumerate(chosen)]
    return Selection(torch.cat(chosen), torch.cat(target))


@torch.no_grad()
def reliable_labels(prob: Tensor, count: Tensor, k: int, ratio: float = 0.95, threshold: Optional[float] = 0.99,
                    balanced: bool = True, floor: int = 0, strict: bool = False,
                    generator: Optional[torch.Generator] = None, shards: Shards = WHOLE) -> Reliable:
    """Label the rows that can be trusted (SPICE section III-C): filter, top up, balance.

    A cluster that is nobody's first choice gets no label and does not count in the balance.

    Args:
        prob: (n, K) predictions.
        count: (n,) long, see :func:`~mmcluster.functional.clustering.neighbors.local_consistency`.
        k: Rows that were asked.
        ratio: See :func:`reliable_rows`.
        threshold: See :func:`reliable_rows`.
        balanced: Cut every cluster to the size of the smallest, but not below ``floor``.
        floor: A cluster with fewer reliable rows is topped up to this many, see :func:`top_up`.
        strict: See :func:`reliable_rows`.
        generator: For the draws of the balance, on the host.
        shards: Who holds the N rows; they exchange a label, a confidence and a count for each.

    Returns:
        Targets (n,) and sizes of the clusters before and after.

    Raises:
        ValueError: If the lengths differ, a probability is not finite, or no row keeps a label.
    """
    if len(count) != len(prob):
        raise ValueError(f'There are predictions for {len(prob)} rows, but counts of {len(count)}')
    require_finite(prob, 'reliable labels: predictions', shards=shards)
    start, own = shards.start(len(prob)), len(prob)
    confidence, label = (shards.gather(value) for value in prob.max(dim=1))
    clusters = prob.shape[1]
    count = shards.gather(count).to(label.device)
    keep = reliable_rows(confidence, count, k, ratio, threshold, strict)
    reliable = torch.bincount(label[keep], minlength=clusters)
    keep = top_up(keep, label, confidence, count, floor)
    sizes, present = torch.bincount(label[keep], minlength=clusters), torch.bincount(label, minlength=clusters) > 0
    advice = 'lower ratio or threshold, train the heads longer, or set floor so that the best rows of each stand in'
    if not keep.any():
        raise ValueError(f'no row is reliable: {advice}')
    if not balanced:
        return Reliable(label.masked_fill(~keep, -1)[start:start + own], reliable, sizes)
    smallest = int(sizes[present].min())
    if smallest == 0:
        bare = (present & (sizes == 0)).nonzero()[:, 0].tolist()
        raise ValueError(f'clusters {bare} have no reliable row, and a balance would leave none for any: {advice}')
    selection = balance(keep, label, clusters, max(smallest, floor), generator=generator)
    return Reliable(to_target(selection, own, shards), reliable, torch.bincount(selection.target, minlength=clusters))
