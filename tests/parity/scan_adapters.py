"""Adapters of the equations of SCAN."""
from __future__ import annotations

import numpy as np
import torch

from mmcluster.functional import consistency
from mmcluster.functional.contrast import nt_xent
from mmcluster.functional.neighbours import nearest, neighbour_accuracy

from .registry import adapter, gradients, leaf, order_of


@adapter('scan', 'scan_loss')
def scan_scan_loss(inputs: dict, dtype: torch.dtype) -> dict:
    """Consistency of pairs and entropy of the anchors."""
    anchors, neighbours = leaf(inputs['logits_anchors']), leaf(inputs['logits_neighbors'])
    loss = consistency.scan_loss(anchors, neighbours, inputs['entropy_weight'])
    grad_anchors, grad_neighbours = gradients(loss.total, anchors, neighbours)
    return dict(total_loss=loss.total, consistency_loss=loss.consistency, entropy=loss.entropy,
                grad_logits_anchors=grad_anchors, grad_logits_neighbors=grad_neighbours)


@adapter('scan', 'selflabel_loss')
def scan_selflabel_loss(inputs: dict, dtype: torch.dtype) -> dict:
    """Cross-entropy of confident rows, with clusters balanced or not."""
    weak, strong = inputs['logits_weak'], leaf(inputs['logits_strong'])
    balanced = inputs['class_balancing']
    target, mask = consistency.confidence_targets(weak, inputs['threshold'])
    weights = consistency.confidence_weights(consistency.confidence_counts(target, mask, weak.shape[1]))
    loss, same_mask = consistency.self_label_loss(weak, strong, inputs['threshold'], balanced)
    return dict(loss=loss, mask=same_mask, targets=target, class_weights=weights if balanced else weights * 0 + 1,
                grad_logits_strong=gradients(loss, strong)[0])


@adapter('scan', 'neighbors')
def scan_neighbors(inputs: dict, dtype: torch.dtype) -> dict:
    """Nearest rows, themselves included, and how often they share the class."""
    similarity, index = nearest(inputs['features'], inputs['topk'] + 1)
    return dict(indices=index, similarities=similarity, neighbor_accuracy=neighbour_accuracy(index, inputs['targets']))


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
    prob, neighbours = inputs['probs'], inputs['neighbors']
    total = consistency.pair_selection_loss(prob, neighbours)
    return dict(entropy=-consistency.negative_entropy(prob.mean(dim=1)), total=total,
                consistency=consistency.pair_agreement(prob, neighbours), best_head=total.argmin())


@adapter('scan', 'simclr_loss')
def scan_simclr_loss(inputs: dict, dtype: torch.dtype) -> dict:
    """Contrast of two views, with the first or both as anchors; the rows are unit already."""
    features = leaf(inputs['features'])
    one, both = (nt_xent(*features.unbind(dim=1), inputs['temperature'], symmetric, normalize=False)
                 for symmetric in (False, True))
    return dict(loss=one, symmetric_loss=both, grad_features=gradients(one, features)[0])
