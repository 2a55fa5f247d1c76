"""Adapters of the equations of ClusMatch that run inside a training step."""
from __future__ import annotations

import torch
from torch import Tensor

from mmcluster.functional import pseudo, schedule
from mmcluster.functional.average import moving_average

from .registry import adapter, gradients, leaf


class Thresholds:
    """The state of ClusMatch's thresholds, moved step by step with both parts of eq. 8 kept apart."""

    def __init__(self, tau_local: Tensor, tau_global: Tensor, decay: float, absent: str):
        self.tau_local, self.tau_global = tau_local, tau_global
        self.decay, self.absent = decay, absent

    def step(self, prob: Tensor) -> dict[str, Tensor]:
        """Move the averages with (U, K) weak predictions and return thresholds and masks."""
        sums, counts = pseudo.threshold_sums(prob)
        rule = (counts, self.decay, self.absent)
        self.tau_local = pseudo.update_local_thresholds(self.tau_local, sums, *rule)
        self.tau_global = pseudo.update_local_thresholds(self.tau_global, sums.sum(dim=1), *rule)
        tau_neg = pseudo.negative_thresholds(self.tau_local, self.tau_global)
        tau_pos = pseudo.positive_thresholds(tau_neg)
        return dict(tau_neg=tau_neg, tau_pos=tau_pos, neg_mask=pseudo.negative_mask(prob, tau_neg),
                    pos_mask=pseudo.positive_mask(prob, tau_pos))


def label_averages(prob: Tensor, p_model: Tensor, label_hist: Tensor, decay: float) -> tuple[Tensor, Tensor]:
    """Averages of the batch mean of p and of the share of each arg-max class, one step on."""
    share = pseudo.threshold_sums(prob)[1] / len(prob)
    return moving_average(p_model, prob.mean(dim=0), decay), moving_average(label_hist, share, decay)


@adapter('clusmatch', 'thresholds')
def clusmatch_thresholds(inputs: dict, dtype: torch.dtype) -> dict:
    """T steps of the thresholds, with absent classes decayed (released) and kept (skip)."""
    logits, decay = inputs['logits'], inputs['m']
    num_clusters = logits.shape[2]
    uniform = torch.full((num_clusters,), 1 / num_clusters, dtype=dtype)
    tau_local = (1 - torch.eye(num_clusters, dtype=dtype)) / num_clusters
    outputs: dict[str, list[Tensor]] = {}
    for suffix, absent in (('released', 'decay'), ('skip', 'keep')):
        state = Thresholds(tau_local, (num_clusters - 1) * uniform, decay, absent)
        for step in logits:
            for name, value in state.step(step.softmax(dim=1)).items():
                outputs.setdefault(f'{name}_{suffix}', []).append(value)
    averages = (uniform, uniform)
    for step in logits:
        averages = label_averages(step.softmax(dim=1), *averages, decay)
        outputs.setdefault('p_model', []).append(averages[0])
        outputs.setdefault('label_hist', []).append(averages[1])
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


# absent classes, exclude the k-means class, clamp, fairness
STEP_VARIANTS = dict(released=('decay', True, True, True), paper=('keep', False, False, False),
                     default=('keep', True, False, True))


@adapter('clusmatch', 'total')
def clusmatch_total(inputs: dict, dtype: torch.dtype) -> dict:
    """One whole step in three variants."""
    lb, strong = leaf(inputs['logits_lb']), leaf(inputs['logits_strong'])
    prob = inputs['logits_weak'].softmax(dim=1)
    kmeans_label = inputs['kmeans_bank'][inputs['idx_ulb']]
    averages = label_averages(prob, inputs['p_model'], inputs['label_hist'], inputs['m'])
    sup = pseudo.masked_cross_entropy(lb, inputs['labels_lb'])
    outputs = dict(sup=sup, p_model=averages[0], label_hist=averages[1])
    for suffix, (absent, exclude, clamp, fair) in STEP_VARIANTS.items():
        step = Thresholds(inputs['all_tau'], inputs['tau'], inputs['m'], absent).step(prob)
        if exclude:
            step['neg_mask'] = pseudo.exclude_class(step['neg_mask'], kmeans_label)
        step['ppl'] = pseudo.masked_cross_entropy(strong, prob.argmax(dim=1), step['pos_mask'])
        step['npl'] = pseudo.negative_learning(strong, step['neg_mask'], clamp=clamp)
        step['kpl'] = pseudo.masked_cross_entropy(strong, kmeans_label, step['pos_mask'])
        total = sup + inputs['delta'] * step['ppl'] + inputs['beta'] * step['npl'] + inputs['gamma'] * step['kpl']
        if fair:
            step['fair'] = pseudo.fairness(*pseudo.masked_sums(strong.softmax(dim=1), step['pos_mask']), *averages)
            total = total + inputs['lambda_fair'] * step['fair']
        step['grad_lb'], step['grad_strong'] = gradients(total, lb, strong)
        step['total'] = total
        outputs.update({f'{name}_{suffix}': value for name, value in step.items()})
    return outputs


@adapter('clusmatch', 'lr')
def clusmatch_lr(inputs: dict, dtype: torch.dtype) -> dict:
    """Learning rate at given iterations."""
    rates = [inputs['base_lr'] * schedule.fixmatch_cosine(it, inputs['total_iters'], inputs['warmup_iters'])
             for it in inputs['iters'].tolist()]
    return dict(lr=torch.tensor(rates, dtype=torch.float64))
