"""SeCu: classification by centres that stay stable because only their members move them (ICCV 2023)."""
from __future__ import annotations

from itertools import accumulate
from typing import Any, Optional, Sequence, Union

import torch
from torch import Tensor, nn

from mmcluster.checks import require_count, require_not_negative, require_positive, require_share
from mmcluster.functional.labels.constrained import (cluster_counts, entropy_constrained_labels, move_dual,
                                                     size_constrained_labels)
from mmcluster.functional.losses.center_discrimination import center_loss, crossed_targets, representation_loss
from mmcluster.functional.losses.contrast import unit_rows
from mmcluster.registry import MODELS
from mmcluster.structures import Batch

from ..bank import SampleBank
from ..head_parts import build, require_width_of
from ..heads import CenterHead
from .base import BaseClusterer, forward_parts
from .byol import feature_std


@MODELS.register_module()
class SeCu(BaseClusterer):
    """Stable cluster discrimination with several heads, of which the one with K clusters is deployed.

    Each step labels its rows by their nearest centres under a constraint on the sizes of clusters. Centres learn from
    the new labels; the representation learns from the labels of the epoch before (``bank.head_label``, (N, H)) and the
    centres that a ``PreviousCentersHook`` kept when the epoch began. An image without a label takes the new one.

    Args:
        backbone: Config of a network (B, C, H, W) -> (B, F).
        neck: Config of a projector (B, F) -> (B, D).
        num_clusters: K.
        heads: H heads, of K, 2 K, ..., H K clusters, as in all runs of the release; or the number of clusters of each,
            with K among them.
        predictor: Config of a module (B, D) -> (B, D), whose outputs are clustered, too (the release on ImageNet).
        temperature: Divides the similarities to the kept centres (the release's tx), and those of the heads.
        center_temperature: Divides the similarities to the present centres (tw).
        label_weight: Weight of the label in the target of a view; the rest is what the other view is seen as (tau).
        size_ratio: Least size of a cluster, as a share of N / K (lratio). 1 asks for equal sizes.
        dual_rate: Step of the dual variables that see to it (dual_lr).
        entropy_weight: Weight of the entropy of the sizes (alpha), which takes the place of the least size.
        in_channels: D, where the neck does not say its ``out_channels``.
        kwargs: See :class:`BaseClusterer`; no head. The bank needs nothing but ``num_samples``.

    Raises:
        ValueError: Without a bank, or if no head has K clusters.
    """

    required_hooks = ('PreviousCentersHook',)

    bank: SampleBank
    neck: nn.Module
    previous: Tensor
    dual: Optional[Tensor]
    counts: Optional[Tensor]
    least: Tensor
    first: Tensor

    def __init__(self, backbone: dict, neck: dict, num_clusters: int,
                 heads: Union[int, Sequence[int]] = 10, predictor: Optional[dict] = None, temperature: float = 0.05,
                 center_temperature: float = 0.05, label_weight: float = 0.2, size_ratio: float = 0.9,
                 dual_rate: float = 0.1, entropy_weight: Optional[float] = None, in_channels: Optional[int] = None,
                 **kwargs: Any):
        require_positive('SeCu', center_temperature=center_temperature, size_ratio=size_ratio, dual_rate=dual_rate)
        require_share('SeCu', label_weight=label_weight, size_ratio=size_ratio)
        require_not_negative('SeCu', entropy_weight=entropy_weight)
        super().__init__(backbone, neck, **kwargs)
        if self.bank is None:
            raise ValueError('SeCu keeps the clusters of every image: give it bank=dict(num_samples=None)')
        self.predictor = build(predictor)
        self.sizes = _sizes(heads, num_clusters)
        width = in_channels or require_width_of('SeCu', self.backbone, self.neck)
        self.heads = nn.ModuleList(CenterHead(width, size, temperature) for size in self.sizes)
        self.num_clusters = num_clusters
        self.temperature = temperature
        self.center_temperature = center_temperature
        self.label_weight = label_weight
        self.bounded = size_ratio < 1
        self.dual_rate = dual_rate
        self.entropy_weight = entropy_weight
        self.bank.add_field('head_label', shape=(len(self.sizes),), dtype='int32')
        total = sum(self.sizes)
        self.register_buffer('previous', self.centers().detach().clone())
        self.register_buffer('dual', torch.zeros(total) if entropy_weight is None else None)
        self.register_buffer('counts', None if entropy_weight is None else torch.zeros(total))
        self.register_buffer('least', torch.cat([torch.full((size,), size_ratio / size) for size in self.sizes]), False)
        self.register_buffer('first', torch.tensor([0, *accumulate(self.sizes)][:-1]), False)

    @property
    def deployed_head(self) -> int:
        """Number of the head with K clusters."""
        return self.sizes.index(self.num_clusters)

    def deployed(self) -> tuple[nn.Module, nn.Module, nn.Module]:
        """Backbone, projector and the head with K clusters."""
        return self.backbone, self.neck, self.heads[self.deployed_head]

    def centers(self) -> Tensor:
        """Centres of all heads, one after the other, (sum of K, D) unit rows."""
        return torch.cat([unit_rows(weight) for weight in self.heads.parameters()])

    @torch.no_grad()
    def keep_centers(self) -> None:
        """From now on the representation learns from the present centres."""
        self.previous.copy_(self.centers())

    def rows(self, batch: Batch) -> Tensor:
        """Unit rows of both views: projections, then predictions if there is a predictor.

        Args:
            batch: Two views (B, C, H, W).

        Returns:
            (2, B, D) or (4, B, D) float32.

        Raises:
            ValueError: If there is one view alone.
        """
        rows = [forward_parts(view, self.backbone, self.neck, None)[0] for view in self.pair(batch)]
        if self.predictor is not None:
            rows += [self.predictor(row) for row in rows]
        return torch.stack([unit_rows(row) for row in rows])

    def loss(self, batch: Batch) -> dict[str, Tensor]:
        """Label the rows of a step, then let centres and representation learn, each from its own labels.

        Args:
            batch: Two views (B, C, H, W) and the index (B,).

        Returns:
            ``loss_representation``, ``loss_center``, both means over heads and views; the share of images whose
            cluster in the deployed head is another than before, and the spread of the embedding.
        """
        rows = self.rows(batch)
        with torch.autocast(rows.device.type, enabled=False):
            similarity = rows.detach() @ self.centers().t()
            logits = rows @ self.previous.t() / self.temperature
        old = self.bank.read('head_label', batch.index).long()
        new = self.assign(similarity.detach().mean(0), old)
        self.remember(batch.index, new)
        # one epoch old: what the representation is asked for must not follow it within the step
        asked = new.where(old < 0, old)
        parts = zip(similarity.split(self.sizes, -1), logits.split(self.sizes, -1), new.unbind(1), asked.unbind(1))
        loss_center = loss_rows = rows.new_zeros(())
        for near, seen, label, wanted in parts:
            loss_center = loss_center + center_loss(near, label, self.center_temperature)
            # the targets of predictions are those of the projections, too
            target = crossed_targets(seen[:2], wanted, self.label_weight).repeat(len(rows) // 2, 1, 1)
            loss_rows = loss_rows + representation_loss(seen, target)
        count = len(rows) * len(self.sizes)
        moved = (new != old)[:, self.deployed_head].float().mean()
        return dict(loss_representation=loss_rows / count, loss_center=loss_center / count, moved_share=moved,
                    feat_std=feature_std(rows[0]))

    @torch.no_grad()
    def assign(self, similarity: Tensor, label: Tensor) -> Tensor:
        """Clusters of rows in all heads; every row sees the same duals or counts.

        Args:
            similarity: (B, sum of K) to the centres, mean over the views.
            label: (B, H) present clusters, -1 for none.

        Returns:
            (B, H) long.
        """
        found = []
        for h, near in enumerate(similarity.split(self.sizes, 1)):
            own = slice(sum(self.sizes[:h]), sum(self.sizes[:h + 1]))
            if self.counts is not None and self.entropy_weight is not None:
                found.append(entropy_constrained_labels(near, label[:, h], self.counts[own], self.entropy_weight))
            elif self.dual is not None:
                found.append(size_constrained_labels(near, self.dual[own]))
        return torch.stack(found, 1)

    @torch.no_grad()
    def remember(self, index: Tensor, label: Tensor) -> None:
        """Store the clusters of the rows of all ranks, and move duals or counts by them.

        Args:
            index: (B,) data set index.
            label: (B, H).
        """
        old, new = self.bank.exchange('head_label', index, label)
        counts = self._counted(new)
        if self.counts is not None:
            self.counts.add_(counts - self._counted(old))
        elif self.dual is not None:
            self.dual.copy_(move_dual(self.dual, counts / len(new), self.least, self.dual_rate, self.bounded))

    def _counted(self, label: Tensor) -> Tensor:
        """Rows (sum of K,) of every cluster of every head among labels (B, H)."""
        place = (label + self.first).masked_fill(label < 0, -1)
        return cluster_counts(place.flatten(), len(self.least))


def _sizes(heads: Union[int, Sequence[int]], num_clusters: int) -> list[int]:
    """Number of clusters of each head."""
    if isinstance(heads, int):
        require_count('SeCu', heads=heads)
        return [num_clusters * (h + 1) for h in range(heads)]
    sizes = list(heads)
    if num_clusters not in sizes:
        raise ValueError(f'SeCu: no head has the num_clusters={num_clusters} of the result; give heads={sizes} one')
    return sizes
