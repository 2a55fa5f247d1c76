"""The rows of an evaluation that one process has seen."""
from __future__ import annotations

import torch
from mmengine.device import get_device
from mmengine.dist import all_gather_object
from torch import Tensor


def share_of(results: list) -> tuple[Tensor, Tensor, Tensor]:
    """Put the batches that this rank has seen into the order of the data set. All ranks call it together.

    Args:
        results: (index (B,), value (B, D), label (B,)) of every batch; some rank has one.

    Returns:
        index (n,), value (n, D) on the device, label (n,). A rank without rows is as wide as others.
    """
    widths = all_gather_object(results[0][1].shape[1] if results else None)
    if not results:
        none, width = torch.zeros(0, dtype=torch.long), next(filter(None, widths))
        return none, torch.zeros(0, width, device=get_device()), none
    index, value, truth = (torch.cat([part[i].to(results[0][i].device) for part in results]) for i in range(3))
    order = torch.argsort(index)
    return index[order], value[order.to(value.device)].to(get_device()), truth[order]
