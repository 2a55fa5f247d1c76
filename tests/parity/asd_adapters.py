"""Adapters of the equations of ASD."""
from __future__ import annotations

import torch

from mmcluster.functional.clustering.kmedoids import pam
from mmcluster.functional.labels.coverage import coverage_probability
from mmcluster.functional.labels.instance import align_instances
from mmcluster.functional.labels.select import accompanied_prototypes, centroid_distances
from mmcluster.functional.labels.transition import (align_map, class_votes, dissimilarity, first_seen, record_,
                                                    transition_codes, transition_similarity)
from mmcluster.functional.losses.pseudo import masked_cross_entropy
from mmcluster.models import SampleBank

from .registry import adapter, gradients, leaf

CONVERGED = dict(sweeps=200_000, tol=1e-11, relax=1.8)


@adapter('asd', 'ot_alignment')
def asd_ot_alignment(inputs: dict, dtype: torch.dtype) -> dict:
    """Costs, plan and labels of a batch against the anchors."""
    found = align_instances(inputs['feat'], inputs['anchor_feat'], inputs['reg'], 'absolute', inputs['a'], inputs['b'],
                            **CONVERGED)
    return dict(cost=found.cost, plan=found.plan, labels=found.label, instance_class=found.index)


@adapter('asd', 'class_transition')
def asd_class_transition(inputs: dict, dtype: torch.dtype) -> dict:
    """The bank and the window after a series of batches."""
    classes, window = inputs['num_instance_classes'], inputs['num_batches']
    bank = SampleBank(inputs['num_unlabeled'], dict(pred=dict()))
    ring = torch.full((window, inputs['idx'].shape[1]), -1, dtype=torch.int32)
    counts, pointer = torch.zeros(classes, classes, dtype=torch.long), torch.zeros((), dtype=torch.long)
    for index, pred in zip(inputs['idx'], inputs['pred']):
        real = index >= 0
        record_(ring, counts, pointer, transition_codes(*bank.exchange('pred', index[real], pred[real]), classes))
    similarity = transition_similarity(counts, window)
    return dict(last_pred=bank.pred, count_sum=counts, transition=counts.to(dtype) / window, norm_sym=similarity,
                norm=transition_similarity(counts, window, symmetric=False), dissimilarity=dissimilarity(similarity))


@adapter('asd', 'kmedoids_mapping')
def asd_kmedoids_mapping(inputs: dict, dtype: torch.dtype) -> dict:
    """Similarities, dissimilarities and their k-medoids."""
    similarity = transition_similarity(inputs['transition'])
    far = dissimilarity(similarity)
    found = pam(far.numpy(), inputs['k'])
    return dict(norm_sym=similarity, dissimilarity=far, objective=found.objective, medoids=found.medoids,
                assignment=first_seen(torch.from_numpy(found.label)))


@adapter('asd', 'hungarian_alignment')
def asd_hungarian_alignment(inputs: dict, dtype: torch.dtype) -> dict:
    """Names of the clusters of a new map."""
    found = align_map(inputs['new'], class_votes(inputs['old'], inputs['k']), inputs['k'])
    return dict(overlap_matrix=found.overlap, overlap=found.total, relabel=found.relabel, aligned=found.class_map)


@adapter('asd', 'coverage_probability')
def asd_coverage_probability(inputs: dict, dtype: torch.dtype) -> dict:
    """P_all of every case."""
    cases = zip(inputs['n_l'].tolist(), inputs['k'].tolist(), inputs['n'].tolist())
    return dict(p_all=torch.tensor([coverage_probability(*case) for case in cases], dtype=torch.float64))


@adapter('asd', 'prototype_sampling')
def asd_prototype_sampling(inputs: dict, dtype: torch.dtype) -> dict:
    """Samples nearest to every centroid: all, their union, and distinct ones."""
    features, centroids, share = inputs['features'], inputs['centroids'], inputs['neighbors_per_centroid']
    near = centroid_distances(features, centroids).argsort(dim=1, stable=True)[:, :share]
    distinct = accompanied_prototypes(features, centroids, share)
    return dict(neighbors=near, union=near.unique(), distinct_index=distinct.index, distinct_centroid=distinct.target)


@adapter('asd', 'instance_loss')
def asd_instance_loss(inputs: dict, dtype: torch.dtype) -> dict:
    """Cross-entropy with soft instance labels."""
    logits = leaf(inputs['logits'])
    loss = masked_cross_entropy(logits, inputs['targets'])
    return dict(loss=loss, grad_logits=gradients(loss, logits)[0])
