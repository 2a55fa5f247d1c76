"""Adapter of IDFD's two losses and its memory."""
from __future__ import annotations

import torch

from mmcluster.functional.losses.instance_memory import feature_decorrelation, instance_discrimination, remembered

from .registry import adapter, gradients, leaf


@adapter('idfd', 'idfd_loss')
def idfd_loss(inputs: dict, dtype: torch.dtype) -> dict:
    """Each loss with its own gradient, and the whole memory after the step."""
    feat, memory, index = leaf(inputs['features']), inputs['memory'], inputs['index']
    loss_id = instance_discrimination(feat, memory, index, inputs['tau'])
    loss_fd = feature_decorrelation(feat, inputs['tau2'])
    after = memory.clone()
    after[index] = remembered(memory[index], feat, inputs['momentum'])
    return dict(loss_id=loss_id, loss_fd=loss_fd, grad_id=gradients(loss_id, feat)[0],
                grad_fd=gradients(loss_fd, feat)[0], memory=after)
