"""Guessing labels and mixing rows (MixMatch)."""
from __future__ import annotations

from functools import reduce
from typing import Sequence

import torch
from torch import Tensor
from torch.distributions import Beta

from .contrast import at_least_float32
from .prototype import one_hot


def sharpen(prob: Tensor, temperature: float) -> Tensor:
    """Raise probabilities to the power 1 / temperature and scale every row to sum 1 (MixMatch eq. 7).

    Args:
        prob: (B, K).
        temperature: Below 1 sharpens, 1 changes nothing, towards 0 only the largest entry is left.

    Returns:
        (B, K).
    """
    return (at_least_float32(prob).log() / temperature).softmax(dim=1)


def guess(logits: Sequence[Tensor], temperature: float) -> Tensor:
    """Guess soft labels from several weak views, without gradient (MixMatch eqs. 6-7).

    Args:
        logits: (U, K) of each view.
        temperature: See :func:`sharpen`.

    Returns:
        (U, K) sharpened mean of the views' softmax.
    """
    prob = reduce(torch.add, (at_least_float32(view.detach()).softmax(dim=1) for view in logits)) / len(logits)
    return sharpen(prob, temperature)


def soft_rows(label: Tensor, like: Tensor) -> Tensor:
    """Return labels as rows of probabilities.

    Args:
        label: (B,) long, or soft (B, K) already.
        like: (B, K), tensor whose width, type and device the result takes.

    Returns:
        (B, K). Edge cases: -1 gives a zero row.
    """
    return label.to(like) if label.dim() == 2 else one_hot(label, like.shape[1], like)


def draw_mixing(num_rows: int, alpha: float, device: torch.device) -> tuple[Tensor, Tensor]:
    """Draw how the rows of a batch are mixed, from torch's global generators (MixMatch eqs. 8-9).

    Args:
        num_rows: B.
        alpha: Both parameters of the Beta distribution of lambda.
        device: Where the rows are.

    Returns:
        lambda' = max(lambda, 1 - lambda), () on the host, and the partner (B,) long of each row.
    """
    both = torch.tensor(float(alpha))
    share = Beta(both, both, validate_args=False).sample()
    # eq. 9: a row stays mostly itself, so that the first rows of a mix are the labelled ones
    return torch.maximum(share, 1 - share), torch.randperm(num_rows, device=device)


def mix(x: Tensor, order: Tensor, share: float | Tensor) -> Tensor:
    """Mix every row with a partner (MixMatch eq. 10).

    Args:
        x: (B, ...).
        order: (B,) long, the partner of each row.
        share: lambda', at least 1/2, so that a row stays mostly itself; a number, or () on the host.

    Returns:
        (B, ...) ``share * x + (1 - share) * x[order]``.
    """
    return share * x + (1 - share) * x.index_select(0, order)


def squared_error(logits: Tensor, target: Tensor) -> Tensor:
    """Return the mean squared difference of probabilities, over rows and classes (MixMatch eq. 4).

    Args:
        logits: (U, K).
        target: (U, K) soft labels; constants.

    Returns:
        (); 0 when U = 0.
    """
    error = (at_least_float32(logits).softmax(dim=1) - target.detach()).square()
    return error.sum() / max(error.numel(), 1)
