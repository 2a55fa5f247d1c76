"""Adapters of the two losses of CC, which are also PICI's."""
from __future__ import annotations

import torch

from mmcluster.functional.losses.cluster_contrast import cluster_contrast
from mmcluster.functional.losses.contrast import nt_xent

from .registry import adapter, gradients, leaf


@adapter('pici', 'instance_loss')
@adapter('cc', 'instance_loss')
def cc_instance_loss(inputs: dict, dtype: torch.dtype) -> dict:
    """Contrast of images; the rows are unit already."""
    z_i, z_j = leaf(inputs['z_i']), leaf(inputs['z_j'])
    loss = nt_xent(z_i, z_j, inputs['temperature'], normalize=False)
    grad_i, grad_j = gradients(loss, z_i, z_j)
    return dict(loss=loss, grad_z_i=grad_i, grad_z_j=grad_j)


@adapter('pici', 'cluster_loss')
@adapter('cc', 'cluster_loss')
def cc_cluster_loss(inputs: dict, dtype: torch.dtype) -> dict:
    """Contrast of clusters and what their sizes lack in entropy."""
    c_i, c_j = leaf(inputs['c_i']), leaf(inputs['c_j'])
    parts = cluster_contrast(c_i, c_j, inputs['temperature'])
    loss = parts.contrast + parts.entropy_gap
    grad_i, grad_j = gradients(loss, c_i, c_j)
    return dict(loss=loss, contrast=parts.contrast, entropy_term=parts.entropy_gap, grad_c_i=grad_i, grad_c_j=grad_j)
