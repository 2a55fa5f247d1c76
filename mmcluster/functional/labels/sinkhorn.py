"""Entropic optimal transport by Sinkhorn's sweeps: batched, on any device, in kernel form or in the log domain."""
from __future__ import annotations

import math
from typing import Callable, NamedTuple, Optional

import torch
from torch import Tensor

from ..finite import require_finite

KERNEL_LIMIT = 500.     # largest cost / reg of the kernel form; exp(-745) is the smallest number of float64
CHECK = 20              # sweeps between two looks at the error
DOMAINS = ('kernel', 'log')
MOST_RELAX = 1.8        # up to here the dual cannot fall,
LEAP = 2.               # because a factor that grows more goes no further beyond its new value than one that doubles


class Transport(NamedTuple):
    """A transport plan.

    Attributes:
        plan: (..., n, m), its rows sum to their masses.
        label: (..., n, m), every row of the plan divided by its mass.
        error: (...) largest deviation of a column from its mass, in units of 1 / m; 0 is converged.
    """
    plan: Tensor
    label: Tensor
    error: Tensor


class _Form(NamedTuple):
    """How factors (kernel form) or potentials (log domain) of rows and columns follow from each other."""
    start: Tensor
    of_rows: Callable[[Tensor], Tensor]
    of_columns: Callable[[Tensor], Tensor]
    beyond: Callable[[Tensor, Tensor], Tensor]
    label: Callable[[Tensor], Tensor]


def sinkhorn_domain(ratio: float) -> str:
    """Return the form that suits the largest cost divided by the regularisation: ``'kernel'`` (fast) or ``'log'``."""
    return 'kernel' if ratio < KERNEL_LIMIT else 'log'


@torch.no_grad()
def sinkhorn(cost: Tensor, reg: float | Tensor, row_mass: Optional[Tensor] = None,
             column_mass: Optional[Tensor] = None, sweeps: int = 100, tol: Optional[float] = None,
             domain: str = 'kernel', relax: float = 1.) -> Transport:
    """Minimise ``<P, cost> + reg sum P log P`` over the plans P whose rows and columns have given sums (ASD eq. 7).

    Solved in float64, without gradient. Without ``tol`` the number of sweeps is fixed and nothing waits for the
    device; the error tells how far they led.

    Args:
        cost: (..., n, m) finite.
        reg: Positive weight of the entropy; or (...), one of each problem. Small ones need many sweeps.
        row_mass: (..., n), sums to 1; ``None`` is uniform. A row of mass 0 has a label all the same.
        column_mass: (..., m), likewise.
        sweeps: Most sweeps; each one meets the rows, then the columns.
        tol: Stop as soon as no error is larger, looked at every 20 sweeps.
        domain: ``'kernel'`` scales exp(-cost / reg): a sweep is two products of matrix and vector. By how much a cost
            exceeds the least of its row and column is cut at 500 ``reg``. ``'log'`` moves potentials, for any ``reg``.
        relax: 1: Sinkhorn's sweeps. Up to 1.8: over-relaxed ones, whose factors go beyond what their masses ask for by
            the power ``relax - 1`` of the change. They lead to the same plan, in many times fewer sweeps where ``reg``
            is small.

    Returns:
        The transport, in the type of the costs. Edge cases: equal costs give the product of the masses, one column
        gives the labels 1.

    Raises:
        ValueError: If ``domain`` is unknown or ``relax`` is outside [1, 1.8]; with ``tol``, which waits for the device
            anyway, if a cost is not finite.
    """
    if domain not in DOMAINS:
        raise ValueError(f'domain must be one of {DOMAINS}, got {domain!r}: sinkhorn_domain(cost / reg) chooses')
    require_relax(relax)
    if tol is not None:
        require_finite(cost, 'optimal transport: costs')
    n, m = cost.shape[-2:]
    score = -cost.double() / torch.as_tensor(reg, dtype=torch.float64, device=cost.device)[..., None, None]
    if cost.numel():
        # factors of rows and columns take up any such shift; now exp(score) has a 1 in every row and column and
        # cannot vanish as a whole
        score = score - score.amax(dim=-1, keepdim=True)
        score = score - score.amax(dim=-2, keepdim=True)
    rows, columns = (
        score.new_full((), 1 / max(size, 1)).expand(*score.shape[:-2], size) if mass is None
        else mass.double().expand(*score.shape[:-2], size) for mass, size in ((row_mass, n), (column_mass, m)))
    form = (_kernel_form if domain == 'kernel' else _log_form)(score, rows, columns, relax - 1)
    left, right = None, form.start
    for sweep in range(1, sweeps + 1 if cost.numel() else 1):
        # Over-relaxation (SOR; Thibault et al., 2021): near the plan a sweep shrinks the error by a fixed share, and
        # going beyond each new factor shrinks it by more. The first rows have nothing to go beyond.
        new = form.of_rows(right)
        left = new if left is None or relax == 1 else form.beyond(new, left)
        new = form.of_columns(left)
        right = new if relax == 1 else form.beyond(new, right)
        if tol is not None and sweep % CHECK == 0 and \
                bool((_transport(form.label(right), rows, columns).error <= tol).all()):
            break
    return Transport(*(value.to(cost.dtype) for value in _transport(form.label(right), rows, columns)))


def require_relax(relax: float) -> None:
    """Refuse an over-relaxation that could lead away from the plan.

    Raises:
        ValueError: If ``relax`` is outside [1, 1.8].
    """
    if not 1 <= relax <= MOST_RELAX:
        raise ValueError(f"relax must be from 1 (Sinkhorn's sweeps) to {MOST_RELAX}, got {relax}")


def _transport(label: Tensor, rows: Tensor, columns: Tensor) -> Transport:
    """Transport with given labels (..., n, m) and masses (..., n), (..., m)."""
    plan = rows[..., None] * label
    off = (plan.sum(dim=-2) - columns).abs() * columns.shape[-1]
    return Transport(plan, label, off.amax(dim=-1) if columns.shape[-1] else columns.sum(dim=-1))


def _times(matrix: Tensor, vector: Tensor) -> Tensor:
    """Products of matrices (..., n, m) and vectors (..., m) -> (..., n)."""
    return torch.mv(matrix, vector) if matrix.dim() == 2 else (matrix @ vector[..., None])[..., 0]


def _kernel_form(score: Tensor, rows: Tensor, columns: Tensor, extra: float) -> _Form:
    """Factors of the kernel exp(score) (..., n, m), which has an entry 1 in every row and column."""
    kernel = score.clamp(min=-KERNEL_LIMIT).exp()
    flipped = kernel.mT.contiguous()
    leap = score.new_full((), LEAP)

    def beyond(new: Tensor, old: Tensor) -> Tensor:
        """Over-relaxed factors; ``fmin`` leaves factors of mass 0 at 0."""
        change = new / old
        return new.mul_(torch.fmin(change, leap, out=change).pow_(extra))

    def label(right: Tensor) -> Tensor:
        """Plan with rows that sum to 1, from the factors of the columns."""
        share = kernel * right[..., None, :]
        return share / share.sum(dim=-1, keepdim=True)

    return _Form(torch.ones_like(columns), lambda right: rows / _times(kernel, right),
                 lambda left: columns / _times(flipped, left), beyond, label)


def _log_form(score: Tensor, rows: Tensor, columns: Tensor, extra: float) -> _Form:
    """Potentials of the scores (..., n, m), in units of the regularisation."""
    rows, columns, leap = rows.log(), columns.log(), score.new_full((), math.log(LEAP))
    return _Form(torch.zeros_like(columns), lambda right: rows - (score + right[..., None, :]).logsumexp(dim=-1),
                 lambda left: columns - (score + left[..., None]).logsumexp(dim=-2),
                 lambda new, old: new + extra * torch.fmin(new - old, leap),
                 lambda right: (score + right[..., None, :]).softmax(dim=-1))
