"""The E-step at several granularities: clusters, their prototypes and how tight they are."""
from __future__ import annotations

import torch
from mmengine.runner import Runner
from torch import Tensor, nn

from mmcluster.functional.clustering.kmeans import kmeans
from mmcluster.functional.losses.contrast import unit_rows
from mmcluster.functional.losses.granular import concentration
from mmcluster.models.clusterers.pcl import FIELD, Granularities
from mmcluster.models.shards import process_shards
from mmcluster.registry import HOOKS

from ..extract import unwrap
from .estep import EStepHook
from .kmeans import KMeansHook


@HOOKS.register_module()
class PrototypeHook(KMeansHook):
    """Clusters the embedding for every K of the model's ``granularities`` and estimates concentrations (PCL's E-step).

    It writes ``bank.granular`` (N, M) and the buffers of the model's :class:`Granularities`, which belong together.

    Args:
        interval: Epochs between E-steps, see :class:`EStepHook`.
        begin: First epoch with an E-step; the weight of the loss must not be larger than 0 before.
        n_init: Restarts of each granularity.
        batch_size: Rows a batch of the sweep.
        num_workers: Worker processes of the sweep.
    """

    def __init__(self, interval: int = 1, begin: int = 0, n_init: int = 10, batch_size: int = 512,
                 num_workers: int = 0):
        super().__init__(field=FIELD, interval=interval, begin=begin, n_init=n_init, batch_size=batch_size,
                         num_workers=num_workers)

    def _clusters(self, runner: Runner) -> int:
        """The finest granularity, which there must be enough images for."""
        return max(_part(unwrap(runner.model)).num_clusters)

    def estimate(self, runner: Runner, features: Tensor) -> dict[str, Tensor]:
        """Clusters (n, M), and prototypes, densities and sizes of all of them."""
        part, rows = _part(unwrap(runner.model)), unit_rows(features)
        shards, labels, found = process_shards(), [], []
        for clusters in part.num_clusters:
            result = kmeans(rows, clusters, seed=(runner.seed or 0) + runner.epoch, shards=shards, **self.options)
            tight = concentration(rows, result.labels, result.centers, part.temperature, shards=shards)
            labels.append(result.labels)
            found.append((tight.prototypes if part.unit else result.centers, tight.density, tight.counts))
        values = dict(zip(('prototypes', 'density', 'counts'), map(torch.cat, zip(*found))))
        return {self.field: torch.stack(labels, 1), **values}

    def buffers(self, model: nn.Module) -> dict[str, Tensor]:
        """Those of the granularities."""
        return dict(_part(model).named_buffers())

    def log(self, runner: Runner, features: Tensor) -> None:
        """Collapse watch: spread of features, and the sizes of the clusters of every granularity."""
        EStepHook.log(self, runner, features)
        part = _part(unwrap(runner.model))
        sizes = [counts.tolist() for counts in part.counts.split(part.num_clusters)]
        runner.logger.info(f'E-step at epoch {runner.epoch}: ' + '; '.join(
            f'{len(each)} clusters of {min(each)} to {max(each)}, {each.count(0)} empty' for each in sizes))


def _part(model: nn.Module) -> Granularities:
    """The part of a model that the hook writes.

    Raises:
        ValueError: If there is none.
    """
    part = getattr(model, 'granularities', None)
    if not isinstance(part, Granularities):
        raise ValueError(f'PrototypeHook: {type(model).__name__} has no clusters of several granularities; PCL and '
                         f'BYOLPCL have, for others take a KMeansHook')
    return part
