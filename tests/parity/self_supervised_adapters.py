"""Adapters of SimSiam, of MoCo in both directions and of PCL."""
from __future__ import annotations

import torch

from mmcluster.functional.losses.contrast import cosine_regression, info_nce, mutual_prediction, unit_rows
from mmcluster.functional.losses.granular import concentration, prototype_nce
from mmcluster.functional.losses.prototype import enqueue_
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


@adapter('moco', 'symmetric_loss')
def moco_symmetric_loss(inputs: dict, dtype: torch.dtype) -> dict:
    """Two directions against one queue, then the queue with the keys of both views in it."""
    q1, q2, queue = leaf(inputs['q1']), leaf(inputs['q2']), inputs['queue']
    loss_12, logits_12 = info_nce(q1, inputs['k2'], queue, inputs['temperature'])
    loss_21, logits_21 = info_nce(q2, inputs['k1'], queue, inputs['temperature'])
    loss = (loss_12 + loss_21) / 2
    grad_q1, grad_q2 = gradients(loss, q1, q2)
    return dict(loss=loss, loss_released=loss_12 + loss_21, logits_12=logits_12, logits_21=logits_21, grad_q1=grad_q1,
                grad_q2=grad_q2, **after(inputs, 'k1', 'k2'))


def after(inputs: dict, *keys: str) -> dict:
    """The queue once keys have joined it."""
    ring, pointer = inputs['queue'].clone(), torch.tensor(inputs['queue_ptr'])
    enqueue_(ring.t(), pointer, unit_rows(torch.cat([inputs[key] for key in keys])))
    return dict(queue=ring, queue_ptr=pointer)


@adapter('pcl', 'concentration')
def pcl_concentration(inputs: dict, dtype: torch.dtype) -> dict:
    """Densities and prototypes of one granularity."""
    found = concentration(inputs['features'], inputs['assign'], inputs['centers'], inputs['temperature'],
                          inputs['offset'], inputs['low'], inputs['high'])
    return found._asdict()


def prototype_losses(inputs: dict, q: torch.Tensor, mode: str, negatives: str = 'negatives') -> torch.Tensor:
    """Mean over the granularities, with the columns of one mode."""
    losses = []
    for n in range(inputs['num_granularities']):
        label, counts = inputs[f'assign_{n}'], inputs[f'counts_{n}']
        drawn = torch.bincount(inputs.get(f'{negatives}_{n}', label[:0]), minlength=len(counts))
        columns = dict(all=(counts > 0).long(), sampled=drawn,
                       released=drawn + torch.bincount(label, minlength=len(counts)))[mode]
        losses.append(prototype_nce(q, label, inputs[f'prototypes_{n}'], inputs[f'density_{n}'], columns))
    return torch.stack(losses).mean()


@adapter('pcl', 'proto_nce')
def pcl_proto_nce(inputs: dict, dtype: torch.dtype) -> dict:
    """All prototypes; the release's columns; ProPos' draws."""
    q, outputs = leaf(inputs['q']), {}
    for mode in ('all', 'released', 'sampled'):
        outputs[f'loss_{mode}'] = prototype_losses(inputs, q, mode)
        outputs[f'grad_q_{mode}'], = gradients(outputs[f'loss_{mode}'], q)
    return outputs


@adapter('pcl', 'total')
def pcl_total(inputs: dict, dtype: torch.dtype) -> dict:
    """One step on MoCo, as a mean over the directions and as released."""
    q, both = [leaf(inputs['q1']), leaf(inputs['q2'])], inputs['symmetric']
    pairs, outputs = [(q[0], 'k2', 'negatives1'), (q[1], 'k1', 'negatives2')][:2 if both else 1], {}
    found = {'': 'all', '_released': 'sampled' if both else 'released'}
    for suffix, mode in found.items():
        info = torch.stack([info_nce(a, inputs[k], inputs['queue'], inputs['temperature'])[0] for a, k, _ in pairs])
        proto = torch.stack([prototype_losses(inputs, a, mode, drawn) for a, _, drawn in pairs])
        info, proto = (info.sum(), proto.sum()) if suffix else (info.mean(), proto.mean())
        total = info + inputs['proto_weight'] * proto
        grads = gradients(total, *q)
        outputs.update({f'info_nce{suffix}': info, f'proto{suffix}': proto, f'total{suffix}': total,
                        f'grad_q1{suffix}': grads[0], f'grad_q2{suffix}': grads[1]})
    return {**outputs, **after(inputs, *(['k1', 'k2'] if both else ['k2']))}


@adapter('pcl', 'byol_total')
def pcl_byol_total(inputs: dict, dtype: torch.dtype) -> dict:
    """One step on BYOL."""
    p1, p2, q1, q2 = (leaf(inputs[name]) for name in ('p1', 'p2', 'q1', 'q2'))
    align = 0.5 * (cosine_regression(p1, inputs['k2']) + cosine_regression(p2, inputs['k1']))
    proto = 0.5 * (prototype_losses(inputs, q1, 'all') + prototype_losses(inputs, q2, 'all'))
    total = align + inputs['proto_weight'] * proto
    names = ('grad_p1', 'grad_p2', 'grad_q1', 'grad_q2')
    return dict(align=align, proto=proto, total=total, **dict(zip(names, gradients(total, p1, p2, q1, q2))))
