"""What parts of one's own return, checked where it is used: else it would spread over rows, or fail deep inside."""
from __future__ import annotations

from typing import Any

import torch
from mmengine.utils import is_list_of
from torch import Tensor


def require_targets(owner: str, shape: tuple[int, ...], given: Any) -> Any:
    """Refuse what a labeller must not return.

    Args:
        owner: The labeller; it begins the message.
        shape: (L, K) of the labelled rows.
        given: What it returned, which is passed on.

    Raises:
        ValueError: If it is no pair of targets, (L,) whole numbers or soft (L, K) or ``None``, and a dict.
    """
    got = type(given).__name__
    if isinstance(given, tuple) and len(given) == 2 and isinstance(given[1], dict):
        target = given[0]
        if target is None or target.shape == shape or (target.shape == shape[:1] and not target.is_floating_point()):
            return given
        got = f'{target.dtype} {tuple(target.shape)}'
    raise ValueError(f'{owner} must return targets, whole numbers {shape[:1]} or soft {shape}, or None, and a dict '
                     f'of losses and logs; got {got}')


def require_losses(owner: str, losses: Any) -> None:
    """Refuse what is no dict of losses.

    Args:
        owner: Who returned it.
        losses: What it returned.

    Raises:
        ValueError: If it is no dict, nothing in it is to be minimised, so that a step would train nothing, or a value
            is no tensor.
    """
    if not isinstance(losses, dict) or not any('loss' in key for key in losses):
        given = list(losses) if isinstance(losses, dict) else type(losses).__name__
        raise ValueError(f'{owner} must return a dict with a tensor under a key that starts with loss_, which is '
                         f'minimised; got {given}')
    wrong = {key: type(value).__name__ for key, value in losses.items()
             if not isinstance(value, Tensor) and not is_list_of(value, Tensor)}
    if wrong:
        raise ValueError(f'{owner} must return tensors, also what is only logged, as torch.tensor(0.5); got {wrong}')


def require_gradient(owner: str, total: Tensor) -> None:
    """Refuse a sum of losses on which no weight depends.

    Args:
        owner: Who returned the losses.
        total: () their sum.

    Raises:
        ValueError: If it has no gradient where gradients are recorded.
    """
    if torch.is_grad_enabled() and not total.requires_grad:
        raise ValueError(f'the losses of {owner} depend on no weight that trains: they were detached, or computed '
                         f'under torch.no_grad(), or every part that they pass through is frozen')
