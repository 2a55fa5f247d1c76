"""Averages over time; `decay` is always the weight of the old value."""
from __future__ import annotations

import torch
from torch import Tensor


def moving_average(old: Tensor, new: Tensor, decay: float) -> Tensor:
    """Return ``decay * old + (1 - decay) * new`` as a new tensor (ProPos eq. 11, ClusMatch eqs. 11-12).

    Args:
        old: Average so far, any shape.
        new: Same shape, the value that joins.
        decay: Weight of the old value, in [0, 1].

    Returns:
        Same shape; gradients flow to both.
    """
    return decay * old + (1 - decay) * new


@torch.no_grad()
def lerp_(targets: list[Tensor], sources: list[Tensor], decay: float) -> None:
    """Move averages towards their sources in place: ``x <- decay * x + (1 - decay) * new`` (ProPos eq. 11).

    One fused call for each floating-point type; integer and bool tensors are copied. The sources are only read, and
    no target shares memory with its source afterwards. An average keeps its own type and device, so a float32
    average of bfloat16 weights loses nothing; a bfloat16 average with decay 0.999 would hardly move.

    Args:
        targets: Averages of any shapes, each tensor listed once.
        sources: As many tensors of the same shapes.
        decay: Weight of the old value, in [0, 1]. 1 leaves the averages as they are, 0 copies.

    Raises:
        ValueError: The lists differ in length or two partners differ in shape.
    """
    if len(targets) != len(sources):
        raise ValueError(f'{len(targets)} averages but {len(sources)} sources: both lists must name the same tensors.')
    groups: dict[torch.dtype, tuple[list[Tensor], list[Tensor]]] = {}
    for own, new in zip(targets, sources):
        if own.shape != new.shape:
            raise ValueError(f'An average of shape {tuple(own.shape)} cannot follow a tensor of {tuple(new.shape)}.')
        if own.is_floating_point():
            own_list, new_list = groups.setdefault(own.dtype, ([], []))
            own_list.append(own)
            new_list.append(new.to(own))
        else:
            own.copy_(new)
    for own_list, new_list in groups.values():
        torch._foreach_lerp_(own_list, new_list, 1 - decay)
