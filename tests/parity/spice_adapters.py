"""Adapters of the equations of SPICE."""
from __future__ import annotations

import numpy as np
import torch

from mmcluster.functional import schedule
from mmcluster.functional.clustering import neighbors
from mmcluster.functional.clustering.attention import prototype_indices, prototype_maps
from mmcluster.functional.imbalance import imbalance_sizes
from mmcluster.functional.labels import reliable
from mmcluster.functional.labels.estep import EStep, head_selection_losses, prototype_estep
from mmcluster.functional.labels.select import to_target
from mmcluster.functional.losses.consistency import double_softmax_ce, negative_entropy
from mmcluster.functional.losses.contrast import info_nce, unit_rows
from mmcluster.functional.losses.prototype import enqueue_
from mmcluster.functional.losses.pseudo import masked_cross_entropy

from .registry import adapter, gradients, leaf, order_of

NO_LABEL = -100


@adapter('spice', 'moco_infonce')
def spice_moco_infonce(inputs: dict, dtype: torch.dtype) -> dict:
    """Contrast with a queue, then the queue with the batch's keys in it."""
    q, queue = leaf(inputs['q']), inputs['queue']
    loss, logits = info_nce(q, inputs['k'], queue, inputs['temperature'])
    ring, pointer = queue.clone(), torch.tensor(inputs['queue_ptr'])
    enqueue_(ring.t(), pointer, unit_rows(inputs['k']))
    return dict(loss=loss, logits=logits, grad_q=gradients(loss, q)[0], queue=ring, queue_ptr=pointer)


def entries(result: EStep) -> tuple[torch.Tensor, torch.Tensor]:
    """(index, label) pairs of one head, by cluster, without padding."""
    index = result.index[0]
    label = torch.arange(len(index))[:, None].expand_as(index)
    return index[index >= 0], label[index >= 0]


@adapter('spice', 'proto_estep')
def spice_proto_estep(inputs: dict, dtype: torch.dtype) -> dict:
    """Prototypes and pseudo-labels with and without overlap, by dot product and by cosine."""
    outputs = {}
    prob = inputs['probs'][None]
    for mode, overlap in (('overlap', True), ('nonoverlap', False)):
        for suffix, normalize in (('', False), ('_cosine', True)):
            result = prototype_estep(prob, inputs['feats'], inputs['center_ratio'], overlap, normalize)
            outputs[f'{mode}_idx{suffix}'], outputs[f'{mode}_labels{suffix}'] = entries(result)
            outputs[f'{mode}_centers{suffix}'] = result.centers[0]
            outputs[f'{mode}_center_members{suffix}'] = result.members[0]
    return outputs


@order_of('spice', 'proto_estep')
def spice_proto_estep_sets(arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Rows ascending within their cluster."""
    ordered = dict(arrays)
    for name, value in arrays.items():
        if '_idx' in name:
            ordered[name] = value[np.lexsort((value, arrays[name.replace('_idx', '_labels')]))]
        elif 'center_members' in name:
            ordered[name] = np.sort(value, axis=1)
    return ordered


@adapter('spice', 'double_softmax_ce')
def spice_double_softmax_ce(inputs: dict, dtype: torch.dtype) -> dict:
    """Cross-entropy behind two softmaxes."""
    logits = leaf(inputs['logits'])
    loss = double_softmax_ce(logits, inputs['labels'])
    return dict(probs=logits.softmax(dim=1), loss=loss, grad_logits=gradients(loss, logits)[0])


@adapter('spice', 'double_softmax_ce_entropy')
def spice_double_softmax_ce_entropy(inputs: dict, dtype: torch.dtype) -> dict:
    """The same with the entropy of the batch's mean prediction."""
    logits = leaf(inputs['logits'])
    prob = logits.softmax(dim=1)
    entropy = negative_entropy(prob.mean(dim=0), inputs['eps'])
    loss = double_softmax_ce(logits, inputs['labels']) + inputs['entropy_weight'] * entropy
    return dict(probs=prob, loss=loss, neg_entropy=entropy, grad_logits=gradients(loss, logits)[0])


@adapter('spice', 'head_selection')
def spice_head_selection(inputs: dict, dtype: torch.dtype) -> dict:
    """The statistic of every head over the whole set, and the best head."""
    losses = head_selection_losses(inputs['probs'], inputs['feats'], inputs['center_ratio'],
                                   inputs['eval_entropy_weight'], normalize=False)
    return dict(losses=losses, best_head=losses.argmin())


@adapter('spice', 'local_consistency')
def spice_local_consistency(inputs: dict, dtype: torch.dtype) -> dict:
    """Reliable labels as released, and the paper's rule."""
    feats, prob = inputs['feats'], inputs['probs']
    k, ratio = inputs['num_neighbors'], inputs['ratio']
    confidence, label = prob.max(dim=1)
    count = neighbors.local_consistency(feats, label, k)
    others = neighbors.local_consistency(feats, label, k, include_self=False)
    keep = reliable.reliable_rows(confidence, count, k, ratio, inputs['score_threshold'])
    sizes = torch.bincount(label[keep], minlength=prob.shape[1])
    chosen = reliable.balance(keep, label, prob.shape[1], permutations=inputs['balance_permutations'])
    target = to_target(chosen, len(label))
    return dict(pred_labels=label, neighbors=neighbors.nearest(feats, k).index.sort(dim=1).values,
                num_consistent=count, keep_before_balancing=keep, min_cluster=sizes.min(), selected_idx=chosen.index,
                selected_labels=chosen.target, label_file=target.where(target >= 0, NO_LABEL),
                paper_ratio=others.double() / k,
                paper_keep=reliable.reliable_rows(confidence, others, k, ratio, None, strict=True))


@adapter('spice', 'fixmatch_loss')
def spice_fixmatch_loss(inputs: dict, dtype: torch.dtype) -> dict:
    """Labelled cross-entropy and that of confident weak predictions on the strong view."""
    labelled, strong = leaf(inputs['logits_labelled']), leaf(inputs['logits_strong'])
    confidence, pseudo_label = inputs['logits_weak'].softmax(dim=1).max(dim=1)
    mask = confidence >= inputs['threshold']
    sup = masked_cross_entropy(labelled, inputs['labels'])
    unsup = masked_cross_entropy(strong, pseudo_label, mask)
    total = sup + inputs['lambda_u'] * unsup
    grad_labelled, grad_strong = gradients(total, labelled, strong)
    return dict(mask=mask, pseudo_labels=pseudo_label, sup_loss=sup, unsup_loss=unsup, total_loss=total,
                grad_logits_labelled=grad_labelled, grad_logits_strong=grad_strong,
                mask_ratio=mask.double().sum() / max(len(mask), 1))


@adapter('spice', 'cosine_7_16_lr')
def spice_cosine_7_16_lr(inputs: dict, dtype: torch.dtype) -> dict:
    """Learning rate at given iterations."""
    rates = [inputs['base_lr'] * schedule.fixmatch_cosine(it, inputs['total_steps']) for it in inputs['steps'].tolist()]
    return dict(lr=torch.tensor(rates, dtype=torch.float64))


@adapter('spice', 'prototype_attention')
def spice_prototype_attention(inputs: dict, dtype: torch.dtype) -> dict:
    """Prototypes of the whole set, their nearest samples and their maps."""
    feats, conv_map = inputs['feats'], inputs['conv_map']
    centers = prototype_estep(inputs['probs'][None], feats, inputs['center_ratio'], normalize=False).centers[0]
    return dict(centers=centers, prototype_indices=prototype_indices(centers, feats, inputs['top_n']),
                maps_dot=prototype_maps(centers, conv_map, 'dot'), maps_cosine=prototype_maps(centers, conv_map))


@order_of('spice', 'prototype_attention')
def spice_prototype_attention_sets(arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Samples of a prototype ascending."""
    return {name: np.sort(value, axis=1) if name == 'prototype_indices' else value for name, value in arrays.items()}


@adapter('spice', 'imbalance')
def spice_imbalance(inputs: dict, dtype: torch.dtype) -> dict:
    """Shares and sizes of the classes."""
    ratios, sizes = imbalance_sizes(inputs['zeta'], inputs['class_sizes'].numpy(), len(inputs['class_sizes']))
    return dict(ratios=ratios, sizes=sizes)
