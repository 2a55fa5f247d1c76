"""Clustering quality of an embedding or a head. The one place where ground truth is read."""
from __future__ import annotations

import logging
from typing import Any, NamedTuple, Optional, Sequence

import torch
from mmengine.dist import broadcast_object_list
from mmengine.evaluator import BaseMetric
from mmengine.logging import print_log
from torch import Tensor

from mmcluster.checks import require_choice, require_count, require_two_clusters
from mmcluster.functional.clustering.kmeans import METRICS as SIMILARITIES
from mmcluster.functional.clustering.kmeans import center_similarity, kmeans
from mmcluster.functional.clustering.match import contingency
from mmcluster.functional.clustering.metrics import cell_metrics, laid_out
from mmcluster.functional.finite import require_finite
from mmcluster.functional.labels.given import whole_labels
from mmcluster.models.shards import process_shards
from mmcluster.registry import METRICS
from mmcluster.structures import TEST_STREAM
from mmcluster.utils import on_main_process

from .information import adjusted_mutual_information
from .rows import share_of


def _metrics_of(*cells: Any) -> dict[str, float]:
    """Metrics of a table (C, K) of rows of each class and cluster, by its cells, see :func:`cell_metrics`."""
    ami = adjusted_mutual_information(*cells)
    if ami is None:
        print_log(f'AMI of {cells[2]} classes and {cells[3]} clusters would take too long and is left out',
                  logger='current', level=logging.WARNING)
    return cell_metrics(*cells) if ami is None else {**cell_metrics(*cells), 'ami': ami}


def _cells(place: Tensor, cluster: Tensor, num_classes: int, num_clusters: int, rows: int) -> tuple[Tensor, Tensor]:
    """Cells of the table that occur on any rank and how often, by place (n,) of the class, -1: none, and cluster (n,).

    A table of moderate size travels as it is; of a larger one the cells that each rank has.
    """
    shards = process_shards()
    if laid_out(num_classes, num_clusters, rows):
        table = shards.sum(contingency(place, cluster, num_classes, num_clusters)).flatten()
        cell = table.nonzero().flatten()
        return cell, table[cell]
    cell, count = (place * num_clusters + cluster)[place >= 0].unique(return_counts=True)
    return shards.gather(cell), shards.gather(count)


class Assignments(NamedTuple):
    """Clusters of a data set.

    Attributes:
        index: (N,) data set index.
        cluster: (N,).
        confidence: (N,) probability of the head, or cosine similarity to the centre.
        second: (N,) next best cluster.
    """
    index: Tensor  # type: ignore[assignment]  # hides tuple.index
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
        num_clusters: K of k-means; ``None``: that of the model, which its predictions tell.
        n_init: Restarts of k-means.
        seed: Seed of k-means.
        metric: ``'cosine'`` or ``'euclidean'``.
        prefix: Prefix of the names; the source by default.
        top1: Report also the share of rows whose cluster is the label itself, the accuracy of a head whose classes
            are given (semi-supervised training).
        refit: In a test, run k-means anew on the images of the test. ``False`` gives them to the centres that the
            checkpoint keeps, so that they go where they went in training, and a few images can be tested too.

    Attributes:
        names: What it reports at most, without prefix.
        kept: (K, D) centres of the checkpoint, put here before a test; ``None`` in training.
        centers: (K, D) centres of the last evaluation, ``None`` of a head.
    """

    names = ('acc', 'nmi', 'nmi_geometric', 'ari', 'ami', 'purity', 'top1', 'labelled', 'cluster_min', 'cluster_max')

    def __init__(self, source: str = 'kmeans', num_clusters: Optional[int] = None, n_init: int = 10, seed: int = 0,
                 metric: str = 'cosine', prefix: Optional[str] = None, top1: bool = False,
                 refit: bool = False):
        require_count('ClusteringMetric', n_init=n_init)
        super().__init__(prefix=prefix or source)
        require_choice('ClusteringMetric', ('kmeans', 'head'), source=source)
        require_choice('ClusteringMetric', SIMILARITIES, metric=metric)
        require_two_clusters('ClusteringMetric', num_clusters)
        self.source = source
        if top1 and source == 'kmeans':
            raise ValueError("ClusteringMetric: top1 needs source='head'; the numbers of k-means clusters mean nothing")
        self.num_clusters = num_clusters
        self.clusters = num_clusters
        self.top1 = top1
        self.refit = refit
        self.options = dict(n_init=n_init, seed=seed, metric=metric)
        self.kept: Optional[Tensor] = None
        self.centers: Optional[Tensor] = None
        self.assignments: Optional[Assignments] = None

    def process(self, data_batch: dict, data_samples: Sequence[dict]) -> None:
        """Keep the rows of one batch.

        Args:
            data_batch: stream -> Rows; ``label`` is read here and nowhere else.
            data_samples: Predictions with index (B,), embed (B, D), prob (B, K) or ``None``, and num_clusters.

        Raises:
            ValueError: Without a head where one is asked, or if nobody says how many clusters there are.
        """
        label = data_batch[TEST_STREAM].label
        for sample in data_samples:
            self.clusters = self.num_clusters or sample.get('num_clusters')
            if self.source == 'kmeans' and not self.clusters:
                raise ValueError(f'metric {self.prefix!r}: the model does not say how many clusters it has; give the '
                                 f'ClusteringMetric num_clusters')
            value = sample['embed'] if self.source == 'kmeans' else sample['prob']
            if value is None:
                raise ValueError("ClusteringMetric(source='head') needs a model with a head")
            truth = torch.full_like(sample['index'], -1) if label is None else label
            self.results.append((sample['index'].cpu(), value, truth.cpu()))

    def evaluate(self, size: int) -> dict[str, float]:
        """Metrics of the whole data set, equal on all ranks. Each keeps its rows; sums and tables travel.

        Args:
            size: N, the number of rows that must have arrived.

        Raises:
            RuntimeError: If rows are missing or came more than once.
            ValueError: If there are fewer rows than clusters, or a row is not finite.
        """
        results = list(self.results)
        self.results.clear()
        self.assignments = self.centers = None      # an evaluation that fails must not leave an older one's
        self._require_all(results, size)
        return {f'{self.prefix}/{name}': value for name, value in self.compute_metrics(results).items()}

    @staticmethod
    def _require_all(results: list, size: int) -> None:
        """Refuse any but each of N rows once."""
        shards = process_shards()
        rows = torch.cat([part[0] for part in results]) if results else torch.zeros(0, dtype=torch.long)
        known = rows[(rows >= 0) & (rows < size)]
        seen = shards.sum(torch.bincount(known, minlength=size))
        total = int(shards.sum(torch.tensor(len(rows))))
        if total != size or not bool((seen == 1).all()):
            raise RuntimeError(f'{int((seen > 0).sum())} of {size} rows were evaluated, {total} with repetitions; use '
                               f'a SweepSampler')

    def compute_metrics(self, results: list) -> dict[str, float]:
        """Cluster and compare.

        Args:
            results: (index (B,), value (B, D) or (B, K), label (B,)) of every batch of this rank.

        Returns:
            Metrics by name, as fractions, and the smallest and largest cluster.
        """
        index, value, truth = share_of(results)
        shards = process_shards()
        require_finite(value, f'metric {self.prefix!r}', shards=shards)
        score = value
        if self.source == 'kmeans':
            centers = self._centers(value)
            score = center_similarity(value, centers, self.options['metric'])
            self.centers = centers.cpu()
        best = score.topk(2, dim=1)
        cluster = best.indices[:, 0]
        self._keep(index, cluster, best.values[:, 0], best.indices[:, 1])
        sizes = shards.sum(torch.bincount(cluster, minlength=score.shape[1]))
        return {**self._compare(truth, cluster.cpu(), score.shape[1]),
                'cluster_min': int(sizes.min()), 'cluster_max': int(sizes.max())}

    def _keep(self, *columns: Tensor) -> None:
        """Keep the assignments of all ranks, (n,) each, on rank 0."""
        shards = process_shards()
        index, *others = (shards.gather(column.cpu()) for column in columns)
        if shards.rank == 0:
            order = torch.argsort(index)
            self.assignments = Assignments(index[order], *(column[order] for column in others))

    def _compare(self, truth: Tensor, cluster: Tensor, num_clusters: int) -> dict[str, float]:
        """Metrics of labels (n,), -1 where there is none, and clusters (n,)."""
        shards = process_shards()
        total, labelled = shards.sum(torch.tensor([len(truth), int((truth >= 0).sum())])).tolist()
        if not labelled:
            return {}
        classes = torch.from_numpy(whole_labels(shards.gather(truth.unique()).unique(), 'targets'))
        classes = classes[classes >= 0]
        place = torch.where(truth >= 0, torch.searchsorted(classes, truth), -1)
        cells = _cells(place, cluster, len(classes), num_clusters, labelled)
        found = [on_main_process(_metrics_of, *cells, len(classes), num_clusters)]
        broadcast_object_list(found)
        metrics = found[0]
        if len(classes) == 1:
            print_log(f'metric {self.prefix!r}: all {labelled} labelled images are of one class, with which every '
                      f'metric is perfect or without meaning', logger='current', level=logging.WARNING)
        if self.top1:
            metrics['top1'] = int(shards.sum((truth == cluster).sum())) / labelled
        if labelled < total:
            metrics['labelled'] = labelled
        return metrics

    def _centers(self, value: Tensor) -> Tensor:
        """Centres (K, D) that the checkpoint keeps, or of k-means on the rows (n, D) of all ranks."""
        shards = process_shards()
        total = sum(shards.sizes(len(value)))
        self.clusters = int(shards.max(torch.tensor(self.clusters or 0)))   # no prediction told ranks without rows
        if self.kept is not None and len(self.kept) == self.clusters and not self.refit:
            print_log(f'metric {self.prefix!r}: {total} images are given to the {len(self.kept)} centres that the '
                      f'checkpoint keeps; refit=True runs k-means on them instead', logger='current')
            return self.kept.to(value)
        if total < self.clusters:
            raise ValueError(f'{total} images cannot form {self.clusters} clusters')
        return kmeans(value, self.clusters, shards=shards, **self.options).centers
