"""Clustering quality of an embedding or a head. The one place where ground truth is read."""
from __future__ import annotations

from typing import NamedTuple, Optional, Sequence

import torch
from mmengine.device import get_device
from mmengine.dist import all_gather_object, broadcast_object_list, get_world_size, is_main_process
from mmengine.evaluator import BaseMetric
from torch import Tensor

from mmcluster.functional.kmeans import center_similarity, kmeans
from mmcluster.functional.metrics import clustering_metrics
from mmcluster.registry import METRICS
from mmcluster.structures import TEST_STREAM


class Assignments(NamedTuple):
    """Clusters of a data set.

    Attributes:
        index: (N,) data set index.
        cluster: (N,).
        confidence: (N,) probability of the head, or cosine similarity to the centre.
        second: (N,) next best cluster.
    """
    index: Tensor
    cluster: Tensor
    confidence: Tensor
    second: Tensor


@METRICS.register_module()
class ClusteringMetric(BaseMetric):
    """ACC (Hungarian), NMI, ARI, AMI and purity, as fractions, over the rows of all ranks.

    ``nmi`` is normalised by the arithmetic mean of the entropies, ``nmi_geometric`` by the geometric one.
    Rows without ground truth (-1) count for cluster sizes only. Where some have none, ``labelled`` says how many rows
    the comparison covers; without any ground truth only sizes are reported.

    Args:
        source: ``'kmeans'``: spherical k-means on the embedding. ``'head'``: arg-max of the head's probabilities.
        num_clusters: K of k-means.
        n_init: Restarts of k-means.
        seed: Seed of k-means.
        metric: ``'cosine'`` or ``'euclidean'``.
        prefix: Prefix of the names; the source by default.
        top1: Report also the share of rows whose cluster is the label itself, the accuracy of a head whose classes
            are given (semi-supervised training).
    """

    def __init__(self, source: str = 'kmeans', num_clusters: Optional[int] = None, n_init: int = 10, seed: int = 0,
                 metric: str = 'cosine', prefix: Optional[str] = None, top1: bool = False):
        super().__init__(prefix=prefix or source)
        if source not in ('kmeans', 'head'):
            raise ValueError(f"ClusteringMetric: source must be 'kmeans' or 'head', got {source!r}")
        if source == 'kmeans' and not (num_clusters and num_clusters > 1):
            raise ValueError(f'ClusteringMetric: k-means needs num_clusters of at least 2, got {num_clusters}')
        self.source = source
        if top1 and source == 'kmeans':
            raise ValueError("ClusteringMetric: top1 needs source='head'; the numbers of k-means clusters mean nothing")
        self.num_clusters = num_clusters
        self.top1 = top1
        self.options = dict(n_init=n_init, seed=seed, metric=metric)
        self.assignments: Optional[Assignments] = None

    def process(self, data_batch: dict, data_samples: Sequence[dict]) -> None:
        """Keep the rows of one batch.

        Args:
            data_batch: stream -> Rows; ``label`` is read here and nowhere else.
            data_samples: Predictions with index (B,), embed (B, D), prob (B, K) or ``None``.
        """
        label = data_batch[TEST_STREAM].label
        for sample in data_samples:
            value = sample['embed'] if self.source == 'kmeans' else sample['prob']
            if value is None:
                raise ValueError("ClusteringMetric(source='head') needs a model with a head")
            truth = torch.full_like(sample['index'], -1) if label is None else label
            if get_world_size() > 1:
                value = value.cpu()
            self.results.append((sample['index'].cpu(), value, truth.cpu()))

    def evaluate(self, size: int) -> dict[str, float]:
        """Metrics of the whole data set, equal on all ranks.

        Args:
            size: N, the number of rows that must have arrived.

        Raises:
            RuntimeError: If rows are missing or came more than once.
        """
        parts = [part for results in all_gather_object(self.results) for part in results]
        self.results.clear()
        holder: list = [None]
        if is_main_process():
            metrics = self.compute_metrics(parts)
            rows = self.assignments.index
            if not torch.equal(rows, torch.arange(size)):
                raise RuntimeError(f'{len(rows.unique())} of {size} rows were evaluated, {len(rows)} with repetitions; '
                                   f'use a SweepSampler')
            holder = [{f'{self.prefix}/{name}': value for name, value in metrics.items()}]
        broadcast_object_list(holder)
        return holder[0]

    def compute_metrics(self, results: list) -> dict[str, float]:
        """Cluster and compare.

        Args:
            results: (index (B,), value (B, D) or (B, K), label (B,)) of every batch.

        Returns:
            Metrics by name, as fractions, and the smallest and largest cluster.
        """
        index, value, truth = (torch.cat([part[i].to(results[0][i].device) for part in results]) for i in range(3))
        order = torch.argsort(index)
        value = value[order.to(value.device)].to(get_device())
        score = value
        if self.source == 'kmeans':
            if len(value) < self.num_clusters:
                raise ValueError(f'{len(value)} images cannot form {self.num_clusters} clusters')
            result = kmeans(value, self.num_clusters, **self.options)
            score = center_similarity(value, result.centers, self.options['metric'])
        best = score.topk(2, dim=1)
        cluster = best.indices[:, 0]
        self.assignments = Assignments(index[order], cluster.cpu(), best.values[:, 0].cpu(), best.indices[:, 1].cpu())
        sizes = torch.bincount(cluster, minlength=score.shape[1])
        labelled = int((truth >= 0).sum())
        metrics = clustering_metrics(truth[order], cluster.cpu()) if labelled else {}
        if labelled and self.top1:
            metrics['top1'] = int((truth[order] == cluster.cpu()).sum()) / labelled
        if 0 < labelled < len(truth):
            metrics['labelled'] = labelled
        return {**metrics, 'cluster_min': int(sizes.min()), 'cluster_max': int(sizes.max())}
