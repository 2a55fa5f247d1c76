"""The E-step of GCC: a neighbor graph of the features that training left in the bank."""
from __future__ import annotations

import torch
from mmengine.runner import Runner
from torch import Tensor

from mmcluster.checks import require_count
from mmcluster.functional.clustering.graph import undirected_degree
from mmcluster.functional.clustering.neighbors import nearest
from mmcluster.functional.losses.contrast import unit_rows
from mmcluster.models.clusterers import GCC
from mmcluster.models.shards import process_shards
from mmcluster.registry import HOOKS

from ..extract import unwrap
from .estep import ShardedEStepHook, spread

FIELD, DEGREE = 'neighbors', 'degree'
POINT = 0.03    # share of the spread of features that fill the sphere below which all are one point


@HOOKS.register_module()
class GraphHook(ShardedEStepHook):
    """Writes the k + 1 nearest rows of every row to ``bank.neighbors`` and degrees of this graph to ``bank.degree``.

    Nothing is swept: the features are those that ``GCC`` remembers of its training views. k is that of the model.

    Args:
        begin: First epoch with a graph, at least 1, the ``begin`` of the streams that draw from it.
        interval: Epochs between two graphs.
        normalize: Remembered features, which are means of unit rows, are scaled to unit length first. ``False``: by
            inner product as they are (authors' release), which makes images whose features agree neighbors of many.
        include_self: An image is compared with itself and mostly its own first neighbor (authors' release). ``False``:
            its k + 1 nearest others.

    Edge cases: an image without any feature, which no step had before ``begin``, is its own and only neighbor, and
    nobody else's.
    """

    def __init__(self, begin: int, interval: int = 5, normalize: bool = False, include_self: bool = True):
        require_count('GraphHook', begin=begin)
        super().__init__(FIELD, interval, begin)
        self.normalize = normalize
        self.include_self = include_self

    def before_train(self, runner: Runner) -> None:
        """Refuse a model without a memory, more neighbors than images, and streams that begin before the graph."""
        model, dataset = unwrap(runner.model), runner.train_dataloader.dataset
        if not isinstance(model, GCC):
            raise ValueError(f'GraphHook: {type(model).__name__} remembers no features; it is for GCC. Drop it, or let '
                             f'a NeighborHook sweep the data set')
        k = model.bank.field(FIELD).shape[1]
        if k > len(dataset) - (not self.include_self):
            raise ValueError(f'GraphHook: lists of {k} neighbors need more than {len(dataset)} images; lower '
                             f'num_neighbors of the model')
        for name, stream in runner.train_dataloader.sampler.streams.items():
            if stream.pool == FIELD and stream.begin < self.begin:
                raise ValueError(f'GraphHook: stream {name!r} begins at epoch {stream.begin}, and the graph that it '
                                 f'draws from at {self.begin}; give both one epoch')

    def fields(self) -> list[str]:
        """Neighbors and degrees."""
        return [FIELD, DEGREE]

    def sees_what_evaluation_sees(self) -> bool:
        """No: it embeds nothing."""
        return False

    def features(self, runner: Runner) -> Tensor:
        """This rank's share of the remembered features (N, D), zeros where there is none."""
        return self.own_rows(unwrap(runner.model).remembered()[0])

    def estimate(self, runner: Runner, features: Tensor) -> dict[str, Tensor]:
        """Neighbors (n, k + 1) and degrees (n,); logs the mean similarity and the largest degree, warns of a point.

        Raises:
            RuntimeError: If too few images have a feature.
        """
        bank, shards = unwrap(runner.model).bank, process_shards()
        total, width = bank.field(FIELD).shape
        seen = bank.field('seen') > 0
        rows, own = seen.nonzero().flatten(), self.own_rows(seen)
        if len(rows) < width + (not self.include_self):
            raise RuntimeError(f'GraphHook: {len(rows)} images have been in a step so far, too few for lists of '
                               f'{width} neighbors; let the graph begin later than epoch {self.begin}')
        found_spread, full = float(spread(features[own])), features.shape[1] ** -0.5
        if found_spread < POINT * full:
            runner.logger.warning(
                f'GraphHook: the features of all images are almost one point (spread {found_spread:.4f}, {full:.4f} if '
                f'they filled the sphere), so neighbors say nothing. Mostly the first steps were too large: lower the '
                f'rate, or take Adam with a small one, and start anew')
        found = unit_rows(features[own]) if self.normalize else features[own]
        similarity, index = nearest(found, width, include_self=self.include_self, shards=shards)
        place = torch.arange(len(own), device=own.device) + shards.start(len(own))
        neighbors = place[:, None].repeat(1, width)
        neighbors[own] = rows[index]
        degree = undirected_degree(neighbors, shards)
        # alone, such an image would count more than any other: it gets the degree of a list that nobody is in
        degree[~own] = width
        mean = float(shards.sum(similarity.sum(dtype=torch.float64))) / (len(rows) * width)
        ends = torch.cat([degree.new_tensor([[-total], [0]]), torch.stack([-degree, degree])], 1)   # also of no rows
        low, high = shards.max(ends.amax(1)).tolist()
        runner.message_hub.update_scalar('train/neighbor_similarity', mean)
        runner.message_hub.update_scalar('train/largest_degree', high)
        runner.logger.info(f'graph of {len(rows)} of {total} images at epoch {runner.epoch}, mean similarity '
                           f'{mean:.4f}, degrees {-low} to {high}')
        return {FIELD: neighbors, DEGREE: degree}
