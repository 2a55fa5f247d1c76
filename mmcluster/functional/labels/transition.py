"""Class transition tracking: how often the predicted instance class of an image moves from one to another (ASD eq. 9).

A transition from i to j of M instance classes is the code i M + j, so that a window of batches is a ring of codes and
only their sums are dense.
"""
from __future__ import annotations

import torch
from torch import Tensor

from ..scale import min_max

NORMS = ('minmax', 'sym_degree', 'jaccard')


def transition_codes(old: Tensor, new: Tensor, num_classes: int) -> Tensor:
    """Return the transitions of some images.

    Args:
        old: (U,) long, instance class predicted at the last visit; -1: never seen.
        new: (U,) long, predicted now; -1: unknown.
        num_classes: M.

    Returns:
        (U,) long code ``old * M + new``, -1 where the class is the same or unknown.
    """
    moved = (old >= 0) & (new >= 0) & (old != new)
    return torch.where(moved, old.long() * num_classes + new.long(), -1)


@torch.no_grad()
def record_(ring: Tensor, counts: Tensor, pointer: Tensor, codes: Tensor) -> None:
    """Let a batch enter the window of the last N_b batches and the oldest leave it, in place, without a host sync.

    A batch without transitions takes a place like any other.

    Args:
        ring: (N_b, U) integer codes of the batches in the window, -1 padding; starts at -1.
        counts: (M, M) long, transitions in the window; row: from, column: to.
        pointer: () long, place of the next batch.
        codes: (u,) long, at most U, see :func:`transition_codes`. The same on all ranks.

    Raises:
        ValueError: If there are more codes than places for them.
    """
    if len(codes) > ring.shape[1]:
        raise ValueError(f'a batch of {len(codes)} images does not fit into a ring for {ring.shape[1]} images: give '
                         'num_unlabelled of the labeller the size of the unlabelled stream')
    line = torch.full((1, ring.shape[1]), -1, dtype=ring.dtype, device=ring.device)
    line[0, :len(codes)] = codes
    place = pointer.view(1)
    # the sums move by what enters and what leaves: adding up N_b batches anew would cost N_b times as much (eq. 9)
    for batch, step in ((ring.index_select(0, place)[0], -1), (line[0], 1)):
        counts.view(-1).index_add_(0, batch.clamp(min=0).long(), (batch >= 0).to(counts) * step)
    ring.index_copy_(0, place, line)
    pointer.copy_((pointer + 1) % len(ring))


def _per(total: Tensor, of: Tensor) -> Tensor:
    """Quotient ``of / total``, 0 where the total is 0."""
    return torch.where(total > 0, of / total.where(total > 0, torch.ones_like(total)), torch.zeros_like(of))


def transition_similarity(counts: Tensor, num_batches: int = 1, norm: str = 'minmax', symmetric: bool = True) -> Tensor:
    """Turn transitions into similarities of instance classes (ASD section III-D).

    ``C' = counts / N_b``, made symmetric as ``S = (C' + C'^T) / 2``, then normalised; r and c are sums of rows and
    columns.

    Args:
        counts: (M, M), transitions in the window; row: from, column: to.
        num_batches: N_b, also while the window is not full yet. It cancels out but for rounding.
        norm: What is stretched to [0, 1]: ``'minmax'`` S itself (paper). It suits instance classes that are predicted
            about equally often. ``'sym_degree'``: S_ij / sqrt(r_i c_j). ``'jaccard'``: S_ij / (r_i + c_j - S_ij).
        symmetric: ``False`` leaves C' directed.

    Returns:
        (M, M) float64 in [0, 1]. Edge cases: zeros when all entries are equal; an instance class without transitions
        has a zero row and column.

    Raises:
        ValueError: If ``norm`` is unknown.
    """
    if norm not in NORMS:
        raise ValueError(f'the norm of transitions must be one of {NORMS}, got {norm!r}')
    s = counts.double() / num_batches
    if symmetric:
        s = (s + s.t()) / 2
    rows, columns = s.sum(dim=1, keepdim=True), s.sum(dim=0, keepdim=True)
    if norm == 'sym_degree':
        s = _per((rows * columns).sqrt(), s)
    elif norm == 'jaccard':
        s = _per(rows + columns - s, s)
    return min_max(s)


def dissimilarity(similarity: Tensor) -> Tensor:
    """Return ``1 - similarity`` (M, M) with a zero diagonal."""
    return (1 - similarity).fill_diagonal_(0)
