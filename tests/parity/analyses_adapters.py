"""Adapters of what figures plot, and of probes."""
from __future__ import annotations

import torch

from mmcluster.functional.clustering.spread import spread
from mmcluster.functional.imbalance import longtail_sizes
from mmcluster.functional.labels.knn import preservation_rate, top_accuracy, weighted_knn
from mmcluster.functional.labels.quality import label_noise, rank_purity

from .registry import adapter


@adapter('probes', 'weighted_knn')
def weighted_knn_(inputs: dict, dtype: torch.dtype) -> dict:
    """Votes, predictions and accuracies."""
    found = weighted_knn(inputs['bank'], inputs['bank_labels'], inputs['query'], inputs['num_classes'], inputs['k'],
                         inputs['temperature'])
    return dict(neighbors=found.neighbors, similarities=found.similarity, scores=found.scores, pred=found.pred,
                accuracy=top_accuracy(found, inputs['query_labels']),
                accuracy_top=top_accuracy(found, inputs['query_labels'], inputs['top']))


@adapter('probes', 'longtail_sizes')
def longtail_sizes_(inputs: dict, dtype: torch.dtype) -> dict:
    """Sizes of classes."""
    sizes = longtail_sizes(inputs['ratio'], inputs['size'], inputs['num_classes'],
                           'step' if inputs['step'] else 'exponential')
    return dict(sizes=sizes, total=int(sizes.sum()))


@adapter('analyses', 'rank_purity')
def rank_purity_(inputs: dict, dtype: torch.dtype) -> dict:
    """Purity by rank of distance."""
    return rank_purity(inputs['distance'], inputs['cluster'], inputs['true'], inputs['num_clusters'],
                       inputs['bins'])._asdict()


@adapter('analyses', 'label_noise')
def label_noise_(inputs: dict, dtype: torch.dtype) -> dict:
    """Noise over iterations."""
    return label_noise(inputs['labels'], inputs['true'], inputs['num_clusters'], inputs['num_classes'],
                       inputs['window'])._asdict()


@adapter('analyses', 'preservation_rate')
def preservation_rate_(inputs: dict, dtype: torch.dtype) -> dict:
    """Rates of all draws."""
    found = preservation_rate(inputs['bank'], inputs['bank_labels'], inputs['z'], inputs['noise'], inputs['sigma'],
                              inputs['num_classes'], inputs['k'], inputs['temperature'])
    return dict(pred=found.pred, pred_sampled=found.sampled, rate_each=found.rate, rate=found.rate.mean(),
                rate_std=found.rate.std(unbiased=False))


@adapter('analyses', 'spread')
def spread_(inputs: dict, dtype: torch.dtype) -> dict:
    """Spread and sizes."""
    return spread(inputs['z'], inputs['labels'], inputs['num_clusters'])._asdict()
