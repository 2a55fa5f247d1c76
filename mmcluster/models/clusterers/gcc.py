"""GCC: graph contrastive clustering, of features and of assignments (ICCV 2021)."""
from __future__ import annotations

from typing import Any, Optional

import torch
from torch import Tensor

from mmcluster.checks import require_count, require_not_negative, require_positive, require_share, require_two_clusters
from mmcluster.functional.clustering.graph import graph_weights, recall, remember
from mmcluster.functional.losses.contrast import at_least_float32, unit_rows
from mmcluster.functional.losses.graph_contrast import assignment_contrast, graph_contrast
from mmcluster.registry import MODELS
from mmcluster.structures import Batch

from ..bank import SampleBank
from ..gather import gather_rows, gather_rows_with_grad
from ..head_parts import build_head
from ..heads import ClusterHead
from .base import pooled
from .byol import feature_std
from .contrastive import ContrastiveClusterer


@MODELS.register_module()
class GCC(ContrastiveClusterer):
    """An image is drawn to its other view and to its neighbors in a graph, and shares its cluster with them.

    Every step the projection of the second view joins ``bank.memory`` (N, S, D); a ``GraphHook`` builds from it
    ``bank.neighbors`` (N, k + 1) and ``bank.degree`` (N,). A step without neighbors is one of the pretext stage, in
    which the head rests, so several processes need ``find_unused_parameters=True``. With the graph there are the
    streams ``near=dict(of='batch', pool='neighbors', entries=M)`` and ``neighbor=dict(of='batch', pool='neighbors')``.

    Args:
        backbone: Config of a network (B, C, H, W) -> (B, F).
        projector: Config of a module (B, F) -> (B, D) with ``out_channels``.
        head: Config of a module (B, F) -> (B, K).
        temperature: Divides the similarities of images (paper's tau); clusters are compared at 1.
        num_neighbors: k of the graph; the lists have a place more, which an image itself may take.
        rgc_weight: Weight of the contrast of features, 1 / lambda of the paper.
        entropy_weight: Weight of the entropy of the cluster sizes, eta / lambda of the paper.
        memory_size: S, features of an image whose mean the graph compares (release).
        memory_decay: A moving average with this weight of the old value takes the place of the mean (paper).
        symmetric_weights: Weights ``M / sqrt(d_i d_j)`` on the neighbors' exponentials alone (paper's Laplacian).
            ``False``: ``sqrt(M / d_j)`` on their features and on their exponentials (release).
        both_anchors: The rows of both views are anchors of the contrast of features (paper), or those of the first
            alone (release).
        self_contrast: An anchor is compared with itself, too (release).
        kwargs: See :class:`BaseClusterer`; the bank needs nothing but ``num_samples``.

    Raises:
        ValueError: Without a bank, or with a head of fewer than two clusters.
    """

    head: ClusterHead
    bank: SampleBank

    def __init__(self, backbone: dict, projector: dict, head: dict, temperature: float = 0.1, num_neighbors: int = 5,
                 rgc_weight: float = 2., entropy_weight: float = 2., memory_size: int = 4,
                 memory_decay: Optional[float] = None, symmetric_weights: bool = False, both_anchors: bool = False,
                 self_contrast: bool = True, **kwargs: Any):
        require_positive('GCC', temperature=temperature)
        require_count('GCC', num_neighbors=num_neighbors, memory_size=memory_size)
        require_not_negative('GCC', rgc_weight=rgc_weight, entropy_weight=entropy_weight)
        require_share('GCC', memory_decay=memory_decay)
        super().__init__(backbone, projector, **kwargs)
        if self.bank is None:
            raise ValueError('GCC keeps features and neighbors of every image: give it bank=dict(num_samples=None)')
        self.head = build_head(head, self.backbone, self.neck)
        require_two_clusters('GCC', self.head.num_clusters)
        self.temperature = temperature
        self.rgc_weight = rgc_weight
        self.entropy_weight = entropy_weight
        self.memory_decay = memory_decay
        self.symmetric_weights = symmetric_weights
        self.both_anchors = both_anchors
        self.self_contrast = self_contrast
        places = memory_size if memory_decay is None else 1
        self.bank.add_field('memory', shape=(places, self.projector.out_channels), dtype='float32', fill=0)
        self.bank.add_field('seen', fill=0)
        self.bank.add_field('neighbors', shape=(num_neighbors + 1,))
        self.bank.add_field('degree')

    @property
    def num_clusters(self) -> int:
        """K."""
        return self.head.num_clusters

    def remembered(self) -> tuple[Tensor, Tensor]:
        """What the graph compares: features (N, D), and whether an image has one, (N,) bool."""
        seen = self.bank.field('seen')
        return recall(self.bank.field('memory'), seen), seen > 0

    def loss(self, batch: Batch, near: Optional[Batch] = None, neighbor: Optional[Batch] = None) -> dict[str, Tensor]:
        """Losses of the pretext stage, or of the graph; all rows are those of all ranks.

        Both views pass the network as one batch, every set of neighbors as a batch of its own.

        Args:
            batch: Two views (B, C, H, W).
            near: One view of M neighbors of each image, (B * M, C, H, W), image by image.
            neighbor: One view of a neighbor of each image.

        Returns:
            ``loss_features`` and the spread of the projections; with the graph also ``loss_assignments`` and its part
            that asks for equal cluster sizes.

        Raises:
            ValueError: If one of ``near`` and ``neighbor`` is missing, or there is one view alone.
        """
        if (near is None) != (neighbor is None):
            raise ValueError("GCC: the streams 'near' and 'neighbor' come together, from one epoch on; give both one "
                             '`begin`, or none of them')
        h1, h2 = pooled(self.backbone(torch.cat(self.pair(batch))), self.backbone).chunk(2)
        z1, z2 = (unit_rows(self.projector(h)) for h in (h1, h2))
        self._remember(batch.index, z2)
        losses = dict(loss_features=self.rgc_weight * self._features(z1, z2, *self._near(batch, near)),
                      feat_std=feature_std(z1))
        if neighbor is not None:
            other = pooled(self.backbone(neighbor.views[0]), self.backbone)
            p, q = (gather_rows_with_grad(at_least_float32(self.head(h)).softmax(dim=1)) for h in (h1, other))
            contrast, gap = assignment_contrast(p, q)
            losses.update(loss_assignments=contrast + self.entropy_weight * gap, entropy_gap=gap.detach())
        return losses

    def _near(self, batch: Batch, near: Optional[Batch]) -> tuple[Optional[Tensor], Optional[Tensor]]:
        """Unit projections (M, W * B, D) of neighbors of all ranks, and their weights (M, W * B)."""
        if near is None:
            return None, None
        size = len(batch.index)
        used = len(near.index) // max(size, 1)
        z = torch.stack([self.project(near.views[0][place::used]) for place in range(used)], 1)
        own = self.bank.read('degree', batch.index)[:, None] if self.symmetric_weights else None
        weight = graph_weights(self.bank.read('degree', near.index).view(size, used), used, own)
        return gather_rows_with_grad(z).transpose(0, 1), gather_rows(weight).t()

    def _features(self, z1: Tensor, z2: Tensor, near: Optional[Tensor], weight: Optional[Tensor]) -> Tensor:
        """Contrast () of features (B, D) of both views, gathered here, with neighbors that are gathered already."""
        views = gather_rows_with_grad(z1), gather_rows_with_grad(z2)
        pairs = [views, views[::-1]] if self.both_anchors else [views]
        losses = [graph_contrast(anchor, other, self.temperature, near, weight, not self.symmetric_weights,
                                 self.self_contrast) for anchor, other in pairs]
        return torch.stack(losses).mean()

    @torch.no_grad()
    def _remember(self, index: Tensor, z: Tensor) -> None:
        """Let projections (B, D) join the memories of their images (B,)."""
        seen = self.bank.read('seen', index)
        memory = remember(self.bank.read('memory', index), seen, z, self.memory_decay)
        self.bank.write(index, memory=memory, seen=seen + 1)
