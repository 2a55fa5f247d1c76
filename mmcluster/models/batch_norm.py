"""Running statistics of batch norm: standing still, and equal on all ranks."""
from __future__ import annotations

from contextlib import contextmanager
from typing import Iterator

import torch
from mmengine.dist import broadcast, get_world_size
from torch import nn
from torch.nn import SyncBatchNorm
from torch.nn.modules.batchnorm import _BatchNorm


@contextmanager
def frozen_statistics(model: nn.Module) -> Iterator[None]:
    """Leave the running statistics alone in a forward pass; layers in training mode still normalise by their batch.

    Args:
        model: Whose batch-norm layers are meant.
    """
    tracking = [module for module in model.modules() if isinstance(module, _BatchNorm) and module.track_running_stats]
    for module in tracking:     # not eval(): the layers shall still normalise by this batch, and only not remember it
        module.track_running_stats = False
    try:
        yield
    finally:
        for module in tracking:
            module.track_running_stats = True


@torch.no_grad()
def broadcast_statistics(model: nn.Module) -> None:
    """Give all ranks rank 0's running means, variances and counters of batch norm, in place.

    Synchronised layers are left out, since theirs are equal.

    Args:
        model: Whose batch-norm layers are meant; equal on all ranks but for these buffers.
    """
    if get_world_size() == 1:
        return
    layers = [module for module in model.modules() if isinstance(module, _BatchNorm) and module.track_running_stats]
    buffers = [buffer for layer in layers if not isinstance(layer, SyncBatchNorm) for buffer in layer.buffers()]
    for dtype in dict.fromkeys(buffer.dtype for buffer in buffers):
        own = [buffer for buffer in buffers if buffer.dtype == dtype]
        # one message for all layers of a type; hundreds of small ones would cost more than the sweep they precede
        joined = torch.cat([buffer.flatten() for buffer in own])
        broadcast(joined)
        for buffer, value in zip(own, joined.split([buffer.numel() for buffer in own])):
            buffer.copy_(value.view_as(buffer))
