"""Adapters of the equations of SCAN."""
from __future__ import annotations

import numpy as np
import torch

from mmcluster.functional.clustering.neighbors import nearest
from mmcluster.functional.losses import consistency
from mmcluster.functional.losses.contrast import at_least_float32, nt_xent

from .registry import adapter, gradients, leaf, order_of


@adapter('scan', 'scan_loss')
def scan_scan_loss(inputs: dict, dtype: torch.dtype) -> dict:
    """Consistency of pairs and entropy of the anchors."""
    anchors, neighbors = leaf(inputs['logits_anchors']), leaf(inputs['logits_neighbors'])
    log_p, log_q = (at_least_float32(logits).log_softmax(dim=-1) for logits in (anchors, neighbors))
    loss = consistency.scan_loss(log_p, log_q, inputs['entropy_weight'])
    grad_anchors, grad_neighbors = gradients(loss.total, anchors, neighbors)
    return dict(total_loss=loss.total, consistency_loss=loss.consistency, entropy=loss.entropy,
                grad_logits_anchors=grad_anchors, grad_logits_neighbors=grad_neighbors)


@adapter('scan', 'selflabel_loss')
def scan_selflabel_loss(inputs: dict, dtype: torch.dtype) -> dict:
    """Cross-entropy of confident rows, with clusters balanced or not."""
    weak, strong = inputs['logits_weak'], leaf(inputs['logits_strong'])
    balanced = inputs['class_balancing']
    target, mask = consistency.confidence_targets(weak, inputs['threshold'])
    counts = consistency.confidence_counts(target, mask, weak.shape[1])
    loss, weights = consistency.self_label_loss(strong, target, mask, counts, balanced), torch.ones_like(counts)
    return dict(loss=loss, mask=mask, targets=target,
                class_weights=consistency.confidence_weights(counts) if balanced else weights,
                grad_logits_strong=gradients(loss, strong)[0])


@adapter('scan', 'neighbors')
def scan_neighbors(inputs: dict, dtype: torch.dtype) -> dict:
    """Nearest rows, themselves included, and how often they share the class."""
    similarity, index = nearest(inputs['features'], inputs['topk'] + 1)
    same = inputs['targets'][index[:, 1:]] == inputs['targets'][:, None]
    return dict(indices=index, similarities=similarity, neighbor_accuracy=same.double().mean())


@order_of('scan', 'neighbors')
def scan_neighbors_sets(arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Neighbours after the first ascending."""
    if 'indices' not in arrays:
        return arrays
    first, others = np.split(arrays['indices'], [1], axis=1)
    return {**arrays, 'indices': np.concatenate([first, np.sort(others, axis=1)], axis=1)}


@adapter('scan', 'validation_loss')
def scan_validation_loss(inputs: dict, dtype: torch.dtype) -> dict:
    """The statistic of every head over all pairs, and the best head."""
    prob, neighbors = inputs['probs'], inputs['neighbors']
    total = consistency.pair_selection_loss(prob, neighbors)
    return dict(entropy=-consistency.negative_entropy(prob.mean(dim=1)), total=total,
                consistency=consistency.pair_agreement(prob, neighbors), best_head=total.argmin())


@adapter('scan', 'simclr_loss')
def scan_simclr_loss(inputs: dict, dtype: torch.dtype) -> dict:
    """Contrast of two views, with the first or both as anchors; the rows are unit already."""
    features = leaf(inputs['features'])
    one, both = (nt_xent(*features.unbind(dim=1), inputs['temperature'], symmetric, normalize=False)
                 for symmetric in (False, True))
    return dict(loss=one, symmetric_loss=both, grad_features=gradients(one, features)[0])
