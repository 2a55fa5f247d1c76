"""Adapters of k-means, label selection, alignment, resampling weights and metrics."""
from __future__ import annotations

import torch
import torch.nn.functional as F

from mmcluster.functional.clustering.kmeans import lloyd
from mmcluster.functional.clustering.match import align_clusters
from mmcluster.functional.clustering.metrics import clustering_metrics
from mmcluster.functional.clustering.seeding import Space, seed_restarts
from mmcluster.functional.imbalance import balanced_weights
from mmcluster.functional.labels.select import (num_per_cluster, probability_variance, select_by_distance,
                                                select_by_variance)

from .registry import adapter


@adapter('propos', 'kmeans_estep')
def kmeans_estep(inputs: dict, dtype: torch.dtype) -> dict:
    """Spherical k-means from given centres."""
    result = lloyd(inputs['x'], inputs['init'], 'cosine', inputs['max_iter'], inputs['tol'])
    return dict(labels=result.labels, centers=result.centers, centers_unit=F.normalize(result.centers, dim=1),
                inertia=result.inertia, n_iter=result.n_iter, counts=result.counts)


@adapter('propos', 'kmeanspp')
def kmeanspp(inputs: dict, dtype: torch.dtype) -> dict:
    """Greedy k-means++ with given randomness."""
    first, uniforms = torch.tensor([inputs['first_index']]), inputs['uniform'].double()[None]
    return dict(indices=seed_restarts(Space.of(inputs['x'], 'cosine'), first, uniforms)[0])


@adapter('propos', 'metrics')
def metrics(inputs: dict, dtype: torch.dtype) -> dict:
    """ACC, NMI, ARI, AMI and purity; the released ACC is 0 when the numbers of clusters and classes differ."""
    known = inputs['true'] != -1
    ids = inputs['true'].unique(return_inverse=True)[1]     # any integers may name the classes
    values = clustering_metrics(ids.masked_fill(~known, -1), inputs['pred'])
    same = len(inputs['true'][known].unique()) == len(inputs['pred'][known].unique())
    return dict(values, acc_released=values['acc'] if same else 0.0)


@adapter('propos', 'resample_weights')
def resample_weights(inputs: dict, dtype: torch.dtype) -> dict:
    """Weights N / count of the own label."""
    return dict(weights=balanced_weights(inputs['labels']))


@adapter('clusmatch', 'select_distance')
def select_distance(inputs: dict, dtype: torch.dtype) -> dict:
    """Three selections by distance; the released one rounds N / K before the share is taken."""
    features, labels, centers = inputs['features'], inputs['labels'], inputs['centers']
    size, k, sigma = len(features), len(centers), inputs['sigma']
    released = int(size // k * sigma)
    cosine = select_by_distance(features, labels, centers, sigma)
    euclidean = select_by_distance(features, labels, centers, sigma, 'euclidean')
    nearest = select_by_distance(features, labels, centers, released * k / size, 'euclidean', 'nearest')
    return dict(M=num_per_cluster(sigma, size, k), M_released=released,
                idx_assigned_cosine=cosine.index, targets_assigned_cosine=cosine.target,
                idx_assigned_euclidean=euclidean.index, targets_assigned_euclidean=euclidean.target,
                idx_released=nearest.index, targets_released=nearest.target)


@adapter('clusmatch', 'select_variance')
def select_variance(inputs: dict, dtype: torch.dtype) -> dict:
    """Selection by the variance of probabilities."""
    prob = inputs['probs']
    chosen = select_by_variance(prob, inputs['sigma'])
    return dict(M=num_per_cluster(inputs['sigma'], *prob.shape), labels=prob.argmax(1),
                variance=probability_variance(prob), idx=chosen.index, targets=chosen.target)


@adapter('clusmatch', 'align')
def align(inputs: dict, dtype: torch.dtype) -> dict:
    """Hungarian alignment on the labelled rows."""
    result = align_clusters(inputs['kmeans_labels'], inputs['labeled_idx'], inputs['labeled_targets'],
                            inputs['num_clusters'])
    return result._asdict()
