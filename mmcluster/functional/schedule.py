"""Schedules as functions of the iteration. They return Python floats, so that a resumed run needs no state."""
from __future__ import annotations

import math


def half_cosine(share: float, end: float = 0.) -> float:
    """Return the half cosine that falls from 1 at share 0 to ``end`` at share 1."""
    return end + 0.5 * (1 - end) * (1 + math.cos(math.pi * share))


def warmup_cosine(n: float, iters_per_epoch: int, warmup_epochs: float, total_epochs: float,
                  eta_min_ratio: float = 0., denominator: str = 'total', stepwise: bool = False,
                  rest_epochs: float = 0.) -> float:
    """Return the factor of the base learning rate: linear warm-up, then half a cosine (ProPos's runs).

    Args:
        n: Iteration, counted from 1.
        iters_per_epoch: Iterations of an epoch.
        warmup_epochs: W, the epoch in which linear warm-up ends; 0 for none.
        total_epochs: E.
        eta_min_ratio: Factor at the end of the cosine.
        denominator: Length of the cosine: ``'total'``, E epochs, so that the run ends before it does (authors'
            release), or ``'rest'``, E - W epochs, so that the run ends with ``eta_min_ratio``.
        stepwise: CIFAR-20 ResNet-34 variant: the cosine over E epochs moves once an epoch, starts at epoch 0 and
            falls to 0; the warm-up rises to its value at epoch W. The other options have no part.
        rest_epochs: First epochs at rate 0, part of the warm-up (SeCu).

    Returns:
        Factor in [0, 1].
    """
    if denominator not in ('total', 'rest'):
        raise ValueError(f"denominator must be 'total' or 'rest', got {denominator!r}.")
    if stepwise:
        epoch = (n - 1) // iters_per_epoch
        if epoch < warmup_epochs:
            return n / (warmup_epochs * iters_per_epoch) * half_cosine(warmup_epochs / total_epochs)
        return half_cosine(epoch / total_epochs)
    epoch = n / iters_per_epoch
    if epoch < warmup_epochs:
        return max(0., epoch - rest_epochs) / (warmup_epochs - rest_epochs)
    span = total_epochs if denominator == 'total' else total_epochs - warmup_epochs
    return half_cosine((epoch - warmup_epochs) / span if span > 0 else 0., eta_min_ratio)


def cosine_ramp(n: float, total: float, start: float, end: float) -> float:
    """Return the value of a half cosine from ``start`` to ``end`` (ProPos's increasing m).

    Args:
        n: Iteration, counted from 1.
        total: Iterations of the run; ``end`` is reached at n = total.
        start: Value at n = 0.
        end: Value at n = ``total``.

    Returns:
        ``end - (end - start) (cos(pi n / total) + 1) / 2``.
    """
    return end - (end - start) * (math.cos(math.pi * n / total) + 1) / 2


def linear_ramp(it: float, total: float, start: float, end: float, until: float = 1.,
                least: float = -math.inf) -> float:
    """Return the value of a straight line that then stays (MixMatch's and RUC's weight lambda_U).

    Args:
        it: Iteration, counted from 0.
        total: Iterations of the run.
        start: Value at ``it`` = 0.
        end: Value from iteration ``until * total`` on.
        until: Share of the run that the line takes, in (0, 1].
        least: Lower bound of the value (RUC: a tenth of ``end``).

    Returns:
        ``max(least, start + (end - start) min(1, it / (until total)))``.
    """
    return max(least, start + (end - start) * min(1., it / (until * total)))


def step_value(epoch: int, steps: list[tuple[int, float]]) -> float:
    """Return the value of a staircase (ProPos section 4: lambda_psl and sigma are 0 in the warm-up).

    Args:
        epoch: Epoch, counted from 0.
        steps: (epoch, value) pairs in ascending order, the first of epoch 0; a value holds from its epoch on.

    Returns:
        The last value that has begun.
    """
    return [value for begin, value in steps if epoch >= begin][-1]


def fixmatch_cosine(it: float, total: float, warmup: float = 0) -> float:
    """Return FixMatch's factor of the base learning rate: linear warm-up, then cos(7 pi / 16 of the progress).

    Args:
        it: Iteration, counted from 0.
        total: Iterations of the run.
        warmup: Iterations of linear warm-up; 0 for none.

    Returns:
        Factor in [0, 1]; 0.195 at the end.
    """
    if it < warmup:
        return it / warmup
    return max(0., math.cos(7 * math.pi / 16 * (it - warmup) / max(1, total - warmup)))
