"""Adapters of SimSiam, of MoCo in both directions and of PCL."""
from __future__ import annotations

import torch

from mmcluster.functional.losses.contrast import cosine_regression, mutual_prediction, unit_rows
from mmcluster.models.clusterers.byol import feature_std

from .registry import adapter, gradients, leaf


@adapter('simsiam', 'simsiam_loss')
def simsiam_loss(inputs: dict, dtype: torch.dtype) -> dict:
    """Both predictions, the same on the scale of BYOL, and the spread of both views' projections."""
    p1, p2, z1, z2 = leaf(inputs['p1']), leaf(inputs['p2']), inputs['z1'], inputs['z2']
    loss = mutual_prediction(p1, p2, z1, z2)
    spread = feature_std(unit_rows(torch.cat([z1, z2])))
    grad_p1, grad_p2 = gradients(loss, p1, p2)
    return dict(loss=loss, loss_byol_scale=0.5 * (cosine_regression(p1, z2) + cosine_regression(p2, z1)),
                grad_p1=grad_p1, grad_p2=grad_p2, feat_std=spread, feat_std_relative=spread * z1.shape[1] ** 0.5)
