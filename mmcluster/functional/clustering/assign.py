"""One pass of k-means: give the rows of several restarts to their nearest centres and sum them by cluster."""
from __future__ import annotations

from itertools import repeat
from typing import Iterator, NamedTuple, Optional

import torch
from torch import Tensor

from .decide import FEW, ScoringCenters
from .seeding import Space

SCORES_PER_CHUNK = 1 << 26      # scores of one chunk on an accelerator
HOST_CHUNK = 1024               # rows of one chunk on the host: rows, scores and centres stay in cache
COARSE_CHUNK = 4096             # the same where one restart after the other makes coarse scores
PRUNED_SHARE = 0.3              # share of doubtful rows from which a pass over all of them is cheaper


class State(NamedTuple):
    """Result of a pass of A restarts.

    Attributes:
        labels: (A, n) long.
        gap: (A, n), by how much the row's own centre is certainly nearer than the others (in scores).
        inertia: (A,) float64.
        counts: (A, K) float64.
        centers: (A, K, D) float64, those the labels belong to.
        sums: (A, K, D) float64, summed rows of each cluster: the next centres come from them.
        own: (A, K, D) float64, the part of the sums that the rows here make.
    """
    labels: Tensor
    gap: Tensor
    inertia: Tensor
    counts: Tensor
    centers: Tensor
    sums: Tensor
    own: Tensor

    def rows(self, index: Tensor | int) -> State:
        """Keep some restarts."""
        return State(*(value[index] for value in self))

    def or_better(self, new: State) -> State:
        """Per restart the state with the smaller inertia, the older one on equality."""
        better = ~(self.inertia <= new.inertia)
        return State(*(torch.where(better.view(-1, *[1] * (b.dim() - 1)), b, a) for a, b in zip(self, new)))


def chunks(rows: Tensor, width: int, chunk_size: Optional[int]) -> Iterator[Tensor]:
    """Cut rows (N, ...) into chunks that suit the device when each row makes ``width`` scores."""
    if chunk_size is None:
        chunk_size = HOST_CHUNK if rows.device.type == 'cpu' else max(HOST_CHUNK, SCORES_PER_CHUNK // max(width, 1))
    return (rows[start:start + chunk_size] for start in range(0, len(rows), max(chunk_size, 1)))


def means(state: State, metric: str) -> Tensor:
    """Centres (A, K, D) from the sums of a state; an empty cluster is zero (cosine) or stays (Euclidean)."""
    mean = state.sums / state.counts.clamp(min=1)[..., None]
    # the sum of a cluster that has lost its last row is what rounding left of it, which would be a direction
    without = torch.zeros_like(mean) if metric == 'cosine' else state.centers
    return torch.where(state.counts[..., None] > 0, mean, without)


def assign(space: Space, centers: Tensor, chunk_size: Optional[int]) -> State:
    """Give every row to its nearest centre, the first one on ties.

    Args:
        space: n rows.
        centers: (A, K, D) float64 of A restarts.
        chunk_size: Rows scored at once.
    """
    num, k, _ = centers.shape
    ready = ScoringCenters.of(*space.weight_bias(centers), space.tie)
    counts, sums = centers.new_zeros(num, k), torch.zeros_like(centers)
    labels, gaps = [torch.zeros(num, 0, dtype=torch.int32, device=centers.device)], [space.rows.new_zeros(num, 0)]
    if chunk_size is None and ready.coarse is not None:
        chunk_size = COARSE_CHUNK
    halves = repeat(None) if space.half_square is None else chunks(space.half_square, num * k, chunk_size)
    for rows, half in zip(chunks(space.rows, num * k, chunk_size), halves):
        label, gap = ready.choose(rows, half)
        labels.append(label.int())
        gaps.append(gap)
        _add_up(rows, label, counts, sums)
    return _state(space, torch.cat(labels, 1).long(), torch.cat(gaps, 1), counts, centers, sums)


def _state(space: Space, labels: Tensor, gap: Tensor, counts: Tensor, centers: Tensor, own: Tensor) -> State:
    """Add up counts (A, K) and sums (A, K, D) of all holders."""
    counts, sums = space.shards.sum(counts), space.shards.sum(own)
    return State(labels, gap, space.total_cost(centers, sums, counts), counts, centers, sums, own)


def _add_up(rows: Tensor, label: Tensor, counts: Tensor, sums: Tensor) -> None:
    """Add rows (B, D) by label (A, B) to counts (A, K) and sums (A, K, D).

    A product with the memberships is fastest for few clusters and repeatable on every device; for many clusters a
    scattered sum costs less on the host, where it is repeatable too.
    """
    num, k = counts.shape
    if k > FEW and rows.device.type == 'cpu':
        zero = rows.new_zeros(k, rows.shape[1])
        for one, count, total in zip(label, counts, sums):
            count += torch.bincount(one, minlength=k)
            total += zero.index_add(0, one, rows)
        return
    member = label[:, None] == torch.arange(k, device=label.device, dtype=label.dtype)[:, None]
    counts += member.sum(2)
    sums += (member.view(num * k, -1).to(rows.dtype) @ rows).view(num, k, -1)


def reassign(space: Space, old: State, centers: Tensor, chunk_size: Optional[int]) -> State:
    """Assign to moved centres (A, K, D), with the labels that :func:`assign` gives.

    On the host, rows whose gap is wider than what the movement can close are left alone; where an accelerator would
    have to wait for the list of the others, all rows are scored.
    """
    if space.rows.device.type == 'cpu':
        gap = _remaining_gap(space, old, centers)
        doubt = ~(gap > 0)
        if int(doubt.sum()) <= PRUNED_SHARE * doubt.numel():
            return _reassign_doubtful(space, old, centers, gap, doubt, chunk_size)
    return assign(space, centers, chunk_size)


def _remaining_gap(space: Space, old: State, centers: Tensor) -> Tensor:
    """Lower bound (A, N) of the gap after the centres have moved (as Hamerly 2010, in scores).

    The score of row x for centre k changes by at most |x| |move of its weight| plus the change of its bias.
    """
    (before, bias_before), (after, bias_after) = space.weight_bias(old.centers), space.weight_bias(centers)
    move = (after - before).norm(dim=-1)
    slope = (move + move.amax(1, keepdim=True)).gather(1, old.labels)
    if bias_before is None or bias_after is None or space.half_square is None:
        return old.gap - slope
    lift = bias_after - bias_before
    length = (2 * space.half_square).sqrt().to(slope.dtype)
    return old.gap - slope * length - (lift.amax(1, keepdim=True) - lift).gather(1, old.labels)


def _reassign_doubtful(space: Space, old: State, centers: Tensor, gap: Tensor, doubt: Tensor,
                       chunk_size: Optional[int]) -> State:
    """Score only the doubtful rows (A, N) and move those that change their cluster from sum to sum."""
    ready = ScoringCenters.of(*space.weight_bias(centers), space.tie)
    labels, own = old.labels.clone(), old.own.clone()
    for a, rows_in_doubt in enumerate(doubt):
        for index in chunks(rows_in_doubt.nonzero().flatten(), 1, chunk_size):
            rows = space.rows[index]
            half = None if space.half_square is None else space.half_square[index]
            label, wide = ready.restart(a).choose(rows, half)
            gap[a, index] = wide[0]
            changed = (label[0] != labels[a, index]).nonzero().flatten()
            moved, come = rows[changed].double(), label[0, changed].long()
            own[a].index_add_(0, come, moved).index_add_(0, labels[a, index[changed]], moved, alpha=-1)
            labels[a, index[changed]] = come
    counts = torch.zeros_like(old.counts).scatter_add_(1, labels, old.counts.new_ones(()).expand_as(labels))
    return _state(space, labels, gap, counts, centers, own)
