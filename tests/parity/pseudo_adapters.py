"""Adapters of the equations of ClusMatch that run inside a training step."""
from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from mmcluster.functional import schedule
from mmcluster.functional.losses import pseudo
from mmcluster.models import Labelled, SampleBank, Unlabelled
from mmcluster.models.pseudo_label_losses import ClusMatchLoss

from .registry import adapter, gradients, leaf

# absent classes, exclude the k-means class, clamp, fairness
STEP_VARIANTS = dict(released=('decay', True, True, True), paper=('keep', False, False, False),
                     default=('keep', True, False, True))


def module(num_clusters: int, decay: float, dtype: torch.dtype, **options: Any) -> ClusMatchLoss:
    """The module that trains, with buffers of the vector's precision."""
    loss = ClusMatchLoss(num_clusters, decay=decay, **options).to(dtype)
    for name in ('p_model', 'label_hist'):
        getattr(loss, name).fill_(1 / num_clusters)
    loss.negative_thresholds.copy_((1 - torch.eye(num_clusters, dtype=dtype)) / num_clusters)
    return loss.train()


def masks(loss: ClusMatchLoss, prob: Tensor) -> dict[str, Tensor]:
    """Thresholds and the rows and clusters that they choose."""
    return dict(tau_neg=loss.negative_thresholds.clone(), tau_pos=loss.thresholds(),
                neg_mask=pseudo.negative_mask(prob, loss.negative_thresholds), pos_mask=pseudo.positive_mask(prob, loss.thresholds()))


@adapter('clusmatch', 'thresholds')
def clusmatch_thresholds(inputs: dict, dtype: torch.dtype) -> dict:
    """T steps of the thresholds, with absent classes decayed (released) and kept (skip)."""
    outputs: dict[str, list[Tensor]] = {}
    for suffix, absent in (('released', 'decay'), ('skip', 'keep')):
        loss = module(inputs['logits'].shape[2], inputs['m'], dtype, absent=absent)
        for step in inputs['logits']:
            prob = step.softmax(dim=1)
            loss.update(prob)
            for name, value in masks(loss, prob).items():
                outputs.setdefault(f'{name}_{suffix}', []).append(value)
            if suffix == 'skip':
                outputs.setdefault('p_model', []).append(loss.p_model.clone())
                outputs.setdefault('label_hist', []).append(loss.label_hist.clone())
    return {name: torch.stack(values) for name, values in outputs.items()}


@adapter('clusmatch', 'ppl_kpl')
def clusmatch_ppl_kpl(inputs: dict, dtype: torch.dtype) -> dict:
    """Cross-entropy with positive and with k-means pseudo-labels."""
    logits, mask = leaf(inputs['logits_strong']), inputs['pos_mask']
    ppl = pseudo.masked_cross_entropy(logits, inputs['pseudo_labels'], mask)
    kpl = pseudo.masked_cross_entropy(logits, inputs['kmeans_labels'], mask)
    losses = dict(ppl=ppl, kpl=kpl, unsup=inputs['delta'] * ppl + inputs['gamma'] * kpl)
    outputs = {f'loss_{name}': loss for name, loss in losses.items()}
    return dict(outputs, **{f'grad_{name}': gradients(loss, logits)[0] for name, loss in losses.items()})


@adapter('clusmatch', 'npl')
def clusmatch_npl(inputs: dict, dtype: torch.dtype) -> dict:
    """Negative learning with and without clamp and exclusion of the k-means class."""
    logits, negative = leaf(inputs['logits_strong']), inputs['neg_mask']
    excluded = pseudo.exclude_class(negative, inputs['kmeans_labels'])
    variants = dict(eq14=(negative, False), clamped=(negative, True), released=(excluded, True),
                    default=(excluded, False))
    outputs = dict(neg_mask_excluded=excluded)
    for name, (mask, clamp) in variants.items():
        loss = pseudo.negative_learning(logits, mask, clamp=clamp)
        outputs[f'loss_{name}'] = loss
        outputs[f'grad_{name}'] = gradients(loss, logits)[0]
    return outputs


@adapter('clusmatch', 'fairness')
def clusmatch_fairness(inputs: dict, dtype: torch.dtype) -> dict:
    """Fairness term over the positive rows."""
    logits = leaf(inputs['logits_strong'])
    sums = pseudo.masked_sums(logits.softmax(dim=1), inputs['pos_mask'])
    loss = pseudo.fairness(*sums, inputs['p_model'], inputs['label_hist'])
    return dict(loss=loss, grad=gradients(loss, logits)[0])


@adapter('clusmatch', 'total')
def clusmatch_total(inputs: dict, dtype: torch.dtype) -> dict:
    """One whole step of the module in three variants."""
    lb, strong = leaf(inputs['logits_lb']), leaf(inputs['logits_strong'])
    weak, index = inputs['logits_weak'], inputs['idx_ulb']
    weights = dict(ppl=inputs['delta'], npl=inputs['beta'], kpl=inputs['gamma'], fair=inputs['lambda_fair'])
    outputs: dict[str, Tensor] = {}
    for suffix, (absent, exclude, clamp, fair) in STEP_VARIANTS.items():
        # of weight 1, as a term of weight 0 is not computed
        loss = module(weak.shape[1], inputs['m'], dtype, absent=absent, exclude_kmeans_from_negative=exclude,
                      clamp=clamp, ppl_weight=1., npl_weight=1., kpl_weight=1., fairness_weight=1. if fair else 0.)
        for name, given in (('negative_thresholds', 'all_tau'), ('p_model', 'p_model'), ('label_hist', 'label_hist')):
            getattr(loss, name).copy_(inputs[given])
        bank = SampleBank(len(inputs['kmeans_bank']), loss.fields)
        bank.fill(label=inputs['kmeans_bank'])
        found = loss.loss(Labelled(lb, lb, inputs['labels_lb'], torch.arange(len(lb))),
                          Unlabelled(weak, strong, weak, strong, index), bank)
        terms = {name[5:]: value for name, value in found.items() if name.startswith('loss_')}
        step = masks(loss, weak.softmax(dim=1))
        if exclude:
            step['neg_mask'] = pseudo.exclude_class(step['neg_mask'], inputs['kmeans_bank'][index])
        outputs.update(sup=terms.pop('sup'), p_model=loss.p_model, label_hist=loss.label_hist)
        step['total'] = outputs['sup'] + sum(weights[name] * value for name, value in terms.items())
        step['grad_lb'], step['grad_strong'] = gradients(step['total'], lb, strong)
        step.update(terms)
        outputs.update({f'{name}_{suffix}': value for name, value in step.items()})
    return outputs


@adapter('clusmatch', 'lr')
def clusmatch_lr(inputs: dict, dtype: torch.dtype) -> dict:
    """Learning rate at given iterations."""
    rates = [inputs['base_lr'] * schedule.fixmatch_cosine(it, inputs['total_iters'], inputs['warmup_iters'])
             for it in inputs['iters'].tolist()]
    return dict(lr=torch.tensor(rates, dtype=torch.float64))
