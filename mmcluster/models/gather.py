"""Sums, rows and shuffles over all ranks. In one process nothing is sent."""
from __future__ import annotations

from typing import Any, Callable

import torch
import torch.distributed as dist
from mmengine.dist import broadcast, get_rank, get_world_size
from torch import Tensor


def gather_rows(x: Tensor) -> Tensor:
    """Rows of all ranks in rank order, without gradient.

    Args:
        x: (B, ...) with the same B on every rank.

    Returns:
        (W * B, ...).
    """
    world_size = get_world_size()
    if world_size == 1:
        return x.detach()
    parts = [torch.empty_like(x, memory_format=torch.contiguous_format) for _ in range(world_size)]
    dist.all_gather(parts, x.detach().contiguous())
    return torch.cat(parts)


def gather_rows_with_grad(x: Tensor, gradient: str = 'sum') -> Tensor:
    """Rows of all ranks in rank order, with gradient.

    With ``gradient='sum'`` every rank's loss contributes to every row; after the average that data-parallel
    training takes over ranks, this is the gradient of one process that holds the whole batch. ``'local'`` keeps
    the own rank's contribution to its own rows only, 1 / W of the true gradient (ProPos's release).

    Args:
        x: (B, D) with the same B on every rank.
        gradient: ``'sum'`` or ``'local'``.

    Returns:
        (W * B, D).
    """
    if get_world_size() == 1:
        return x
    if gradient == 'sum':
        # Its backward pass sums the gradients of all ranks; the W equal losses make that W times the gradient, and
        # the mean of data-parallel training takes the factor back.
        return _Gathered.apply(x)
    rows = gather_rows(x)
    start = get_rank() * len(x)
    return torch.cat([rows[:start], x, rows[start + len(x):]])


def reduce_sum(x: Tensor) -> Tensor:
    """Sum of ``x`` over ranks, without gradient.

    Args:
        x: Any shape, equal on every rank.
    """
    x = x.detach()
    if get_world_size() > 1:
        # gloo would send the memory of a transposed tensor in the wrong order
        x = x.clone(memory_format=torch.contiguous_format)
        dist.all_reduce(x)
    return x


def reduce_sum_with_grad(x: Tensor) -> Tensor:
    """Sum of ``x`` over ranks; the backward pass sums the gradients of all ranks.

    Args:
        x: Any shape, equal on every rank.
    """
    if get_world_size() == 1:
        return x
    return _Summed.apply(x)


class _Gathered(torch.autograd.Function):
    """Rows of all ranks; a row's gradient is the sum of those that all ranks have for it."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        """(W * B, ...) of this rank's (B, ...)."""
        ctx.rows = len(x)
        return gather_rows(x)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        """(B, ...) of this rank's (W * B, ...)."""
        return reduce_sum_with_grad(grad)[get_rank() * ctx.rows:][:ctx.rows]     # it may be differentiated again


class _Summed(torch.autograd.Function):
    """Sum over all ranks; each has the sum of the gradients of all."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        """The sum, in the shape of ``x``."""
        return reduce_sum(x)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        """The sum of the gradients, in their shape."""
        return reduce_sum_with_grad(grad)


@torch.no_grad()
def shuffled(forward: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """ShuffleBN: each rank forwards a random share of the rows of all ranks, and gets back its own rows' results.

    In one process it is ``forward(x)``.

    Args:
        forward: (B, ...) -> (B, D).
        x: (B, ...) with the same B on every rank.

    Returns:
        (B, D) without gradient.
    """
    if get_world_size() == 1:
        return forward(x)
    # MoCo, section 3.3: batch norm mixes the rows of one rank, so two views that are normalised beside the same
    # neighbours could be matched by their statistics alone.
    rows = gather_rows(x)
    order = torch.randperm(len(rows), device=x.device)
    broadcast(order)
    mine = slice(get_rank() * len(x), (get_rank() + 1) * len(x))
    return gather_rows(forward(rows[order[mine]]))[torch.argsort(order)[mine]]
