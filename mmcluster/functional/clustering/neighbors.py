"""Nearest rows (SCAN) and how many of them share a row's label (SPICE); similarities come in chunks."""
from __future__ import annotations

import math
from typing import Callable, NamedTuple, Optional

import torch
from torch import Tensor

from ..finite import require_finite
from ..losses.contrast import at_least_float32, unit_rows
from ..shards import WHOLE, Shards

CHUNK_BYTES = 1 << 28           # similarities that are held at once


class Neighbors(NamedTuple):
    """The k rows with the largest inner products, in descending order.

    Attributes:
        similarity: (n, k).
        index: (n, k) long, places among all N rows.
    """
    similarity: Tensor
    index: Tensor  # type: ignore[assignment]  # hides tuple.index


# (queries (n, D), rows (M, D), k, which row of these is each query itself: (n,) long, or None) -> the nearest rows
Search = Callable[[Tensor, Tensor, int, Optional[Tensor]], Neighbors]


def exact(queries: Tensor, rows: Tensor, k: int, own: Optional[Tensor], chunk: Optional[int] = None) -> Neighbors:
    """Find the k rows with the largest inner products by computing them all.

    Args:
        queries: (n, D).
        rows: (M, D), at least k beside a query's own.
        k: Neighbours of a query.
        own: (n,) long, the place of each query among the rows, where it does not count; ``None``: it is not there, or
            counts.
        chunk: Queries whose similarities to all rows are held at once; ``None`` suits the memory.
    """
    chunk = min(len(queries), chunk or max(1, CHUNK_BYTES // max(1, len(rows) * rows.element_size())))
    buffer = rows.new_empty(chunk, len(rows))
    found = Neighbors(rows.new_empty(len(queries), k), torch.empty(len(queries), k, dtype=torch.long,
                                                                  device=rows.device))
    for start in range(0, len(queries), max(chunk, 1)):
        part = queries[start:start + chunk]
        with torch.autocast(rows.device.type, enabled=False):
            score = torch.mm(part, rows.t(), out=buffer[:len(part)])
        if own is not None:         # by place, not by similarity: a copy of the row may be as near as itself
            score.scatter_(1, own[start:start + len(part), None], -math.inf)
        torch.topk(score, k, dim=1, out=tuple(value[start:start + len(part)] for value in found))
    return found


@torch.no_grad()
def nearest(features: Tensor, k: int, chunk: Optional[int] = None, include_self: bool = True, shards: Shards = WHOLE,
            search: Optional[Search] = None) -> Neighbors:
    """Return the k rows with the largest inner product for every row (SCAN section 2.1, neighbour mining).

    Rows of other holders come by in turn, and the best k so far are kept, so that no holder has more than two holders'
    rows at a time.

    Args:
        features: (n, D), compared as they are; unit rows give the cosine.
        k: Neighbours of a row.
        chunk: Rows whose similarities to all rows of a holder are held at once; ``None`` suits the memory.
        include_self: The row itself counts, and comes first among unit rows without duplicates.
        shards: Who holds the N rows.
        search: Finds neighbours among the rows of one holder; ``None``: :func:`exact`.

    Returns:
        Similarities and indices (n, k) among all N. The order of equal similarities is open.

    Raises:
        ValueError: With fewer than k rows to choose from, or a feature that is not finite.
    """
    features, sizes = at_least_float32(features), shards.sizes(len(features))
    rows, limit = sum(sizes), sum(sizes) - (not include_self)
    if k > limit:
        raise ValueError(f'{k} neighbours are asked of {rows} rows, which have {limit} each: lower k')
    require_finite(features, 'neighbours: features', shards=shards)
    width = 0 if len(features) else k
    found = Neighbors(features.new_empty(len(features), width), torch.empty(len(features), width, dtype=torch.long,
                                                                            device=features.device))
    for owner, block in shards.turns(features):
        own = None
        if owner == shards.rank and not include_self:
            own = torch.arange(len(features), device=features.device)
        count = min(k, len(block) - (own is not None))
        if count > 0 and len(features):
            new = exact(features, block, count, own, chunk) if search is None else search(features, block, count, own)
            found = _best(found, Neighbors(new.similarity, new.index + sum(sizes[:owner])), k)
    return found


def _best(first: Neighbors, second: Neighbors, k: int) -> Neighbors:
    """The k best of two lists (n, j) and (n, i), all where there are fewer."""
    if not first.index.shape[1]:
        return second
    similarity, index = (torch.cat(pair, 1) for pair in zip(first, second))
    similarity, place = similarity.topk(min(k, similarity.shape[1]), dim=1)
    return Neighbors(similarity, index.gather(1, place))


@torch.no_grad()
def local_consistency(feats: Tensor, label: Tensor, k: int, chunk: Optional[int] = None,
                      include_self: bool = True, shards: Shards = WHOLE) -> Tensor:
    """Count how many of the k most similar rows have the label of a row (SPICE eq. 6), by cosine.

    Args:
        feats: (n, D), any norm.
        label: (n,) long.
        k: Rows that are asked (paper's N_s).
        chunk: See :func:`nearest`.
        include_self: The row itself is one of the k, even among its copies (authors' release). ``False`` asks the k
            nearest others (the paper as printed).
        shards: Who holds the N rows.

    Returns:
        (n,) long, from 1 (from 0 without itself) to k.

    Raises:
        ValueError: If the lengths differ, with fewer than k rows to ask, or a feature that is not finite.
    """
    if len(label) != len(feats):
        raise ValueError(f'There are features of {len(feats)} rows, but labels of {len(label)}')
    rows = sum(shards.sizes(len(feats)))
    if include_self and k > rows:
        raise ValueError(f'{k} neighbours are asked of {rows} rows: lower k')
    feats, label = unit_rows(feats), label.to(feats.device)
    index = nearest(feats, k - int(include_self), chunk, False, shards).index
    labels, count = shards.gather(label), torch.full_like(label, int(include_self))
    for column in index.unbind(1):
        count += labels[column] == label
    return count
