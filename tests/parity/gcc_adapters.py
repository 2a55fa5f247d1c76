"""Adapters of the equations of GCC."""
from __future__ import annotations

import torch

from mmcluster.functional.clustering.graph import graph_weights, recall, remember, undirected_degree
from mmcluster.functional.clustering.neighbors import nearest
from mmcluster.functional.losses.graph_contrast import assignment_contrast, graph_contrast

from .registry import adapter, gradients, leaf


@adapter('gcc', 'memory_mean')
def gcc_memory_mean(inputs: dict, dtype: torch.dtype) -> dict:
    """One feature a row and epoch joins; the mean of the last few."""
    rows, size = inputs['indices'].shape[1], inputs['size']
    memory, count = torch.zeros(rows, size, inputs['features'].shape[2], dtype=dtype), torch.zeros(rows).long()
    for index, features in zip(inputs['indices'], inputs['features']):
        memory[index] = remember(memory[index], count[index], features)
        count[index] += 1
    return dict(bank=recall(memory, count))


@adapter('gcc', 'knn_graph')
def gcc_knn_graph(inputs: dict, dtype: torch.dtype) -> dict:
    """Nearest rows by inner product, degrees of the undirected graph, weights of three neighbors."""
    index = nearest(inputs['features'], inputs['topk'] + 1).index
    degree = undirected_degree(index)
    return dict(indices=index, degree=degree, weight=graph_weights(degree.to(dtype), 3))


@adapter('gcc', 'rgc_loss')
def gcc_rgc_loss(inputs: dict, dtype: torch.dtype) -> dict:
    """Contrast of features, of the pretext stage or along the graph."""
    features, near = leaf(inputs['features']), inputs.get('neighbour_features')
    near = None if near is None else leaf(near)
    anchor, other = features.unbind(1)
    loss = graph_contrast(anchor, other, inputs['temperature'], near, inputs.get('neighbour_weights'))
    if near is None:
        return dict(loss=loss, grad_features=gradients(loss, features)[0])
    grad_features, grad_near = gradients(loss, features, near)
    return dict(loss=loss, grad_features=grad_features, grad_neighbour_features=grad_near)


@adapter('gcc', 'agc_loss')
def gcc_agc_loss(inputs: dict, dtype: torch.dtype) -> dict:
    """Contrast of assignments and what the sizes lack in entropy."""
    logits, near = leaf(inputs['logits']), leaf(inputs['neighbour_logits'])
    parts = assignment_contrast(logits.softmax(1), near.softmax(1))
    loss = parts.contrast + inputs['entropy_weight'] * parts.entropy_gap
    grad_logits, grad_near = gradients(loss, logits, near)
    return dict(loss=loss, ce=parts.contrast, entropy_term=parts.entropy_gap, grad_logits=grad_logits,
                grad_neighbour_logits=grad_near)
