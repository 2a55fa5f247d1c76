"""MoCo v2: a query finds its key among those of earlier batches."""
from __future__ import annotations

from typing import Any, Optional

import torch
from torch import Tensor, nn

from mmcluster.checks import require_choice, require_count, require_positive, require_share
from mmcluster.functional.losses.contrast import info_nce, unit_rows
from mmcluster.functional.losses.prototype import enqueue_
from mmcluster.registry import MODELS
from mmcluster.structures import Batch

from ..gather import gather_rows, shuffled
from ..teacher import MomentumTeacher
from .base import forward_parts
from .byol import feature_std
from .contrastive import ContrastiveClusterer


@MODELS.register_module()
class MoCo(ContrastiveClusterer):
    """Momentum contrast, the features of SPICE (eq. 1).

    Args:
        backbone: Config of the query network's first part.
        projector: Config of its second part, a module with ``out_channels`` = D.
        queue_size: Q, keys of earlier batches that serve as negatives; a multiple of the rows of a batch over all
            ranks, and of twice as many where both views have keys.
        temperature: Divides the similarities (paper's tau).
        decay: Weight of the old value in the key network (paper's mu); its batch-norm statistics are its own.
        shuffle_bn: On several ranks, forward the keys in an order that all ranks share, so that the batch-norm
            statistics of query and key come from different rows.
        directions: ``'one'``: the first view asks, the second has the keys (SPICE). Else each view asks and has keys,
            and the losses of both directions are averaged, ``'mean'``, or added, ``'sum'``, as ProPos' comparison does.
        deploy: What is clustered and taken over: ``'query'``, the backbone of the query network (SPICE), or ``'key'``,
            the key network with its projector (ProPos' comparison).
        kwargs: See :class:`BaseClusterer`; neither ``neck`` nor ``head``.
    """

    queue: Tensor
    queue_pointer: Tensor

    def __init__(self, backbone: dict, projector: dict, queue_size: int = 65536, temperature: float = 0.2,
                 decay: float = 0.999, shuffle_bn: bool = True, directions: str = 'one', deploy: str = 'query',
                 **kwargs: Any):
        require_count('MoCo', queue_size=queue_size)
        require_positive('MoCo', temperature=temperature)
        require_share('MoCo', decay=decay)
        require_choice('MoCo', ('one', 'mean', 'sum'), directions=directions)
        require_choice('MoCo', ('query', 'key'), deploy=deploy)
        super().__init__(backbone, projector, neck=None, **kwargs)
        self.teacher = MomentumTeacher(dict(backbone=self.backbone, projector=self.projector), decay)
        self.temperature = temperature
        self.shuffle_bn = shuffle_bn
        self.directions = directions
        self.deploy = deploy
        queue = torch.randn(self.projector.out_channels, queue_size)
        self.register_buffer('queue', nn.functional.normalize(queue, dim=0))
        self.register_buffer('queue_pointer', torch.zeros((), dtype=torch.long))

    def deployed(self) -> tuple[nn.Module, Optional[nn.Module], None]:
        """Backbone of the query network, or backbone and projector of the key network."""
        if self.deploy == 'key':
            return self.teacher.backbone, self.teacher.projector, None
        return self.backbone, None, None

    @torch.no_grad()
    def keys(self, x: Tensor) -> Tensor:
        """Unit projections by the key network, without gradient.

        Args:
            x: (B, C, H, W).

        Returns:
            (B, D) float32, unit rows.
        """
        return shuffled(self._keys, x) if self.shuffle_bn else self._keys(x)

    def _keys(self, x: Tensor) -> Tensor:
        return unit_rows(forward_parts(x, self.teacher.backbone, self.teacher.projector, None)[0])

    def loss(self, batch: Batch) -> dict[str, Tensor]:
        """Queries are compared with keys and queue by :meth:`losses`; then the keys join the queue.

        Args:
            batch: Two views (B, C, H, W) and the index (B,).

        Returns:
            What :meth:`losses` returns, and the spread of the keys.

        Raises:
            ValueError: If the queue does not hold a whole number of batches, or there is one view alone.
        """
        first, second = self.pair(batch)
        pairs = [(first, second)] if self.directions == 'one' else [(first, second), (second, first)]
        self.teacher.update(self)
        k = [self.keys(view) for _, view in pairs]
        losses = self.losses([self.project(view) for view, _ in pairs], k, batch.index)
        self._enqueue(torch.cat([gather_rows(rows) for rows in reversed(k)]))       # those of the first view first
        return {**losses, 'feat_std': feature_std(torch.cat(k))}

    def losses(self, q: list[Tensor], k: list[Tensor], index: Tensor) -> dict[str, Tensor]:
        """InfoNCE of every direction against the same queue; a method upon MoCo adds its own.

        Args:
            q: Unit queries (B, D) of each direction.
            k: Unit keys (B, D) of each direction.
            index: (B,) data set index.

        Returns:
            ``loss_moco``, and the share of queries whose own key is the nearest.
        """
        # a copy of the queue: the backward pass needs the keys that the loss saw, and the new ones overwrite some
        queue = self.queue.clone()
        found = [info_nce(*rows, queue, self.temperature) for rows in zip(q, k)]
        nearest = [logits.detach()[:, 0] > logits.detach()[:, 1:].amax(1) for _, logits in found]
        return dict(loss_moco=self.join([loss for loss, _ in found]), key_acc=torch.cat(nearest).float().mean())

    def join(self, losses: list[Tensor]) -> Tensor:
        """One loss () from those of the directions."""
        total = torch.stack(losses).sum()
        return total if self.directions == 'sum' else total / len(losses)

    def _enqueue(self, keys: Tensor) -> None:
        """Overwrite the oldest columns with the keys (M, D) of a step, of all ranks."""
        size, rows = self.queue.shape[1], len(keys)
        if size % rows:
            raise ValueError(f'{type(self).__name__}: queue_size={size} is not a multiple of the {rows} rows of a '
                             f'batch (over all processes, and of both views if both have keys); take '
                             f'{max(size // rows, 1) * rows}, or another batch size')
        enqueue_(self.queue.t(), self.queue_pointer, keys)
