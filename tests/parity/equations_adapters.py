"""Adapters of the equations of ProPos that run inside a training step."""
from __future__ import annotations

import torch
from torch import Tensor

from mmcluster.functional import schedule
from mmcluster.functional.average import lerp_
from mmcluster.functional.losses.contrast import cosine_regression, unit_rows
from mmcluster.functional.losses.prototype import (class_prototypes, enqueue_, one_hot, prototype_scattering,
                                                   queue_labels)

from .registry import adapter, gradients, leaf

RELEASED_FILL = -10.


def presence(label: Tensor, num_clusters: int) -> Tensor:
    """Which classes occur in hard labels: (B,) -> (K,) bool."""
    return one_hot(label, num_clusters, label).sum(dim=0) > 0


def scattering(q: Tensor, k: Tensor, label: Tensor, num_clusters: int, temperature: float) -> Tensor:
    """Prototype scattering of raw online and unit target rows over the classes that occur."""
    mu, present = class_prototypes(unit_rows(q), label, num_clusters)
    mu_target, _ = class_prototypes(k, label, num_clusters)
    return prototype_scattering(mu, mu_target, present, temperature)


@adapter('propos', 'prototypes')
def propos_prototypes(inputs: dict, dtype: torch.dtype) -> dict:
    """Class means of a batch, hard or soft."""
    label = inputs['posterior'] if 'posterior' in inputs else inputs['labels']
    centers, present = class_prototypes(inputs['x'], label, inputs['num_clusters'])
    return dict(centers=centers, present=present)


@adapter('propos', 'psl')
def propos_psl(inputs: dict, dtype: torch.dtype) -> dict:
    """Scattering as released, with exact exclusion, and over all K."""
    q, label, num_clusters = leaf(inputs['q']), inputs['labels'], inputs['num_clusters']
    mu, present = class_prototypes(unit_rows(q), label, num_clusters)
    mu_target, _ = class_prototypes(inputs['k'], label, num_clusters)
    if 'mask_labels' in inputs:
        present = presence(inputs['mask_labels'], num_clusters)
    tau = inputs['tau']
    outputs = dict(mu=mu, mu_prime=mu_target, absent=~present)
    fill = inputs.get('fill', RELEASED_FILL)
    for name, options in dict(released=dict(absent_fill=fill), masked={}, masked_over_K=dict(over_all=True)).items():
        loss = prototype_scattering(mu, mu_target, present, tau, **options)
        outputs[f'loss_{name}'] = loss
        outputs[f'grad_q_{name}'] = gradients(loss, q)[0]
    return outputs


@adapter('propos', 'psl_ddp')
def propos_psl_ddp(inputs: dict, dtype: torch.dtype) -> dict:
    """Scattering over the rows of W ranks: one value for all, and what the release computes on each rank."""
    label, num_clusters, tau = inputs['labels'], inputs['num_clusters'], inputs['tau']
    q, k = leaf(inputs['q']), inputs['k'].flatten(0, 1)
    everything = label.flatten()
    loss = scattering(q.flatten(0, 1), k, everything, num_clusters, tau)
    world_size = len(q)
    mu, _ = class_prototypes(unit_rows(q.flatten(0, 1)), everything, num_clusters)
    mu_target, _ = class_prototypes(k, everything, num_clusters)
    released, slices = [], []
    for rank in range(world_size):
        mine = presence(label[rank], num_clusters)
        released.append(prototype_scattering(mu, mu_target, mine, tau, absent_fill=RELEASED_FILL))
        slices.append(gradients(released[-1], q)[0][rank] / world_size)
    return dict(loss_global=loss, grad_q_global=gradients(loss, q)[0], loss_released_per_rank=torch.stack(released),
                grad_q_released=torch.stack(slices))


@adapter('propos', 'psa')
def propos_psa(inputs: dict, dtype: torch.dtype) -> dict:
    """Alignment of a noisy online row, through the predictor, with the target row."""
    q, fc2_weight = leaf(inputs['q']), leaf(inputs['fc2_weight'])
    v = q + inputs['sigma'] * inputs['noise']
    hidden = v @ inputs['fc1_weight'].t() + inputs['fc1_bias']
    centred = hidden - hidden.mean(dim=0)
    hidden = centred / (centred.square().mean(dim=0) + inputs['bn_eps']).sqrt()
    hidden = (hidden * inputs['bn_weight'] + inputs['bn_bias']).relu()
    p = hidden @ fc2_weight.t() + inputs['fc2_bias']
    loss = cosine_regression(p, inputs['k'])
    grad_q, grad_weight = gradients(loss, q, fc2_weight)
    return dict(v=v, p=p, loss_eq10=loss, loss_released=loss - 2, grad_q=grad_q, grad_fc2_weight=grad_weight)


@adapter('propos', 'total')
def propos_total(inputs: dict, dtype: torch.dtype) -> dict:
    """The whole symmetric loss; a zero weight leaves the scattering out of the gradient."""
    q1, q2, p1, p2 = (leaf(inputs[name]) for name in ('q1', 'q2', 'p1', 'p2'))
    align = 0.5 * (cosine_regression(p1, inputs['k2']) + cosine_regression(p2, inputs['k1']))
    settings = (inputs['labels'], inputs['num_clusters'], inputs['tau'])
    psl = 0.5 * (scattering(q1, inputs['k2'], *settings) + scattering(q2, inputs['k1'], *settings))
    total = align + inputs['lambda_psl'] * psl if inputs['lambda_psl'] else align
    outputs = dict(align=align - 2, align_eq10=align, psl=psl, total=total - 2, total_eq12=total)
    grads = gradients(total, q1, q2, p1, p2)
    return dict(outputs, **dict(zip(('grad_q1', 'grad_q2', 'grad_p1', 'grad_p2'), grads)))


@adapter('propos', 'queue')
def propos_queue(inputs: dict, dtype: torch.dtype) -> dict:
    """Prototypes over batch and queue, then the queue with the batch's keys in it."""
    q, bank, index = leaf(inputs['q']), inputs['label_bank'], inputs['indices']
    queue, queue_index = inputs['queue'], inputs['queue_indices']
    label = torch.cat([bank[index], queue_labels(bank, queue_index)])
    mu, present = class_prototypes(torch.cat([unit_rows(q), queue]), label, inputs['num_clusters'])
    mu_target, _ = class_prototypes(torch.cat([inputs['k'], queue]), label, inputs['num_clusters'])
    loss = prototype_scattering(mu, mu_target, present, inputs['tau'])
    pointer = torch.tensor(inputs['queue_ptr'])
    enqueue_(queue, pointer, inputs['keys_both_views'], queue_index, index.repeat(2))
    return dict(mu=mu, mu_prime=mu_target, loss=loss, grad_q=gradients(loss, q)[0], queue=queue,
                queue_indices=queue_index, queue_ptr=pointer)


@adapter('propos', 'schedule')
def propos_schedule(inputs: dict, dtype: torch.dtype) -> dict:
    """Learning rates, decay and gated weights at given iterations."""
    iters, epochs, warmup = inputs['iter_per_epoch'], inputs['epochs'], inputs['warmup_epochs']
    outputs: dict[str, list[float]] = dict(lr=[], lr_predictor=[], m=[], lambda_psl=[], sigma=[])
    for n in inputs['n_iter'].tolist():
        factor = schedule.warmup_cosine(n, iters, warmup, epochs, inputs['eta_min_ratio'],
                                        stepwise=inputs['stepwise_variant'])
        lr = factor * inputs['base_lr'] * inputs['total_batch'] / 256
        outputs['lr'].append(lr)
        outputs['lr_predictor'].append(lr * inputs['predictor_lr_mult'])
        ramp = schedule.cosine_ramp(n, iters * epochs, inputs['m_base'], inputs['m_max'])
        outputs['m'].append(ramp if inputs['m_increase'] else inputs['m_base'])
        for name in ('lambda_psl', 'sigma'):
            outputs[name].append(schedule.step_value((n - 1) // iters, [(0, 0.), (warmup, inputs.get(name, 0.))]))
    return {name: torch.tensor(values, dtype=torch.float64) for name, values in outputs.items()}


@adapter('propos', 'ema')
def propos_ema(inputs: dict, dtype: torch.dtype) -> dict:
    """Target weights that each iteration's forward sees, for both orders of update and forward."""
    target = inputs['theta_target0'].clone()
    after, before = [], []
    for online, decay in zip(inputs['theta_online'], inputs['m'].tolist()):
        after.append(target.clone())
        lerp_([target], [online], decay)
        before.append(target.clone())
    return dict(target_used_update_after=torch.stack(after), target_used_update_before=torch.stack(before),
                target_final=target)
