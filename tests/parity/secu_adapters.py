"""Adapters of a whole step of SeCu: labels, their constraint, both losses."""
from __future__ import annotations

import torch
from torch import Tensor

from mmcluster.functional.labels.constrained import (cluster_counts, entropy_constrained_labels, move_dual,
                                                     size_constrained_labels)
from mmcluster.functional.losses.center_discrimination import center_loss, crossed_targets, representation_loss
from mmcluster.functional.losses.contrast import unit_rows

from .registry import adapter, gradients, leaf


def step(inputs: dict, constraint: str) -> dict:
    """All heads; an image has no label before the first epoch, whatever stands in the store."""
    x1, x2, index = leaf(inputs['x1']), leaf(inputs['x2']), inputs['index']
    z, heads, out, centers = torch.stack([unit_rows(x1), unit_rows(x2)]), inputs['num_heads'], {}, []
    loss_x = loss_c = torch.zeros(())
    for h in range(heads):
        center, old = leaf(inputs[f'center_{h}']), inputs[f'labels_{h}'][index]
        old = torch.full_like(old, -1) if inputs['epoch'] == 0 else old
        similarity = z.detach() @ unit_rows(center.t()).t()
        label = _labels(inputs, constraint, h, similarity.detach().mean(0), old, out)
        out[f'labels_{h}'] = inputs[f'labels_{h}'].index_copy(0, index, label)
        logits = z @ inputs[f'prev_center_{h}'] / inputs['tx']
        target = crossed_targets(logits, label.where(old < 0, old), inputs['tau'])
        loss_x = loss_x + representation_loss(logits, target) / (2 * heads)
        loss_c = loss_c + center_loss(similarity, label, inputs['tw']) / (2 * heads)
        centers.append(center)
    found = gradients(loss_x + loss_c, x1, x2, *centers)
    named = {'grad_x1': found[0], 'grad_x2': found[1]}
    named.update({f'grad_center_{h}': grad for h, grad in enumerate(found[2:])})
    return dict(loss_x=loss_x, loss_c=loss_c, **named, **out)


def _labels(inputs: dict, constraint: str, h: int, similarity: Tensor, old: Tensor, out: dict) -> Tensor:
    """New labels of one head; what their constraint remembers joins ``out``."""
    clusters = similarity.shape[1]
    if constraint == 'entropy':
        counts = inputs[f'counter_{h}']
        label = entropy_constrained_labels(similarity, old, counts, inputs['alpha'])
        out[f'counter_{h}'] = counts + cluster_counts(label, clusters) - cluster_counts(old, clusters)
        return label
    label = size_constrained_labels(similarity, inputs[f'dual_{h}'])
    share = cluster_counts(label, clusters).to(similarity) / len(label)
    ratio = inputs['lratio']
    out[f'dual_{h}'] = move_dual(inputs[f'dual_{h}'], share, ratio / clusters, inputs['dual_lr'], ratio < 1)
    return label


@adapter('secu', 'step_size')
def secu_step_size(inputs: dict, dtype: torch.dtype) -> dict:
    """Lower bound on the sizes."""
    return step(inputs, 'size')


@adapter('secu', 'step_entropy')
def secu_step_entropy(inputs: dict, dtype: torch.dtype) -> dict:
    """Entropy of the sizes."""
    return step(inputs, 'entropy')
