"""Adapters of TCL: CC's two losses in one tensor, and those of its boosting."""
from __future__ import annotations

import torch

from mmcluster.functional.labels.confident import confident_labels
from mmcluster.functional.losses.cluster_contrast import cluster_contrast
from mmcluster.functional.losses.contrast import nt_xent
from mmcluster.functional.losses.pseudo import class_balanced_cross_entropy

from .registry import adapter, gradients, leaf


@adapter('tcl', 'instance_loss')
@adapter('tcl', 'instance_loss_boost')
def tcl_instance_loss(inputs: dict, dtype: torch.dtype) -> dict:
    """Contrast of images, in boosting without those of the same label; the rows are unit already."""
    z = leaf(inputs['z'])
    loss = nt_xent(*z.chunk(2), inputs['temperature'], normalize=False, label=inputs.get('pseudo_labels'))
    return dict(loss=loss, grad_z=gradients(loss, z)[0])


@adapter('tcl', 'cluster_loss')
def tcl_cluster_loss(inputs: dict, dtype: torch.dtype) -> dict:
    """Contrast of clusters and what their sizes lack in entropy."""
    c = leaf(inputs['c'])
    loss = sum(cluster_contrast(*c.chunk(2), inputs['temperature']))
    return dict(loss=loss, grad_c=gradients(loss, c)[0])


@adapter('tcl', 'pseudo_labels')
def tcl_pseudo_labels(inputs: dict, dtype: torch.dtype) -> dict:
    """Labels of a batch; a quota among other than its columns is a larger or smaller share of theirs."""
    columns = inputs['probs'].shape[1]
    share = inputs['gamma'] * (columns / inputs.get('num_clusters', columns))
    return dict(labels=confident_labels(inputs['probs'], inputs['current'], inputs['alpha'], share))


@adapter('tcl', 'cluster_loss_boost')
def tcl_cluster_loss_boost(inputs: dict, dtype: torch.dtype) -> dict:
    """Cross-entropy in which classes weigh alike."""
    logits = leaf(inputs['logits'])
    loss = class_balanced_cross_entropy(logits, inputs['pseudo_labels'])
    return dict(loss=loss, grad_logits=gradients(loss, logits)[0])
