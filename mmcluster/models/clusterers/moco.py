"""MoCo v2: a query finds its key among those of earlier batches."""
from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from mmcluster.checks import require_count, require_positive, require_share
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
    """Momentum contrast, the features of SPICE (eq. 1). The deployed network is the query's.

    Args:
        backbone: Config of the query network's first part.
        projector: Config of its second part, a module with ``out_channels`` = D.
        queue_size: Q, keys of earlier batches that serve as negatives; a multiple of the rows of a batch over all
            ranks.
        temperature: Divides the similarities (paper's tau).
        decay: Weight of the old value in the key network (paper's mu); its batch-norm statistics are its own.
        shuffle_bn: On several ranks, forward the keys in an order that all ranks share, so that the batch-norm
            statistics of query and key come from different rows.
        kwargs: See :class:`BaseClusterer`.
    """

    queue: Tensor
    queue_pointer: Tensor

    def __init__(self, backbone: dict, projector: dict, queue_size: int = 65536, temperature: float = 0.2,
                 decay: float = 0.999, shuffle_bn: bool = True, **kwargs: Any):
        require_count('MoCo', queue_size=queue_size)
        require_positive('MoCo', temperature=temperature)
        require_share('MoCo', decay=decay)
        super().__init__(backbone, projector, **kwargs)
        self.teacher = MomentumTeacher(dict(backbone=self.backbone, projector=self.projector), decay)
        self.temperature = temperature
        self.shuffle_bn = shuffle_bn
        queue = torch.randn(self.projector.out_channels, queue_size)
        self.register_buffer('queue', nn.functional.normalize(queue, dim=0))
        self.register_buffer('queue_pointer', torch.zeros((), dtype=torch.long))

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
        """InfoNCE of the first view against the key of the second and the queue; then the keys join the queue.

        Args:
            batch: Two views (B, C, H, W).

        Returns:
            ``loss_moco``, the share of queries whose own key is the nearest, and the spread of the keys.

        Raises:
            ValueError: If the queue does not hold a whole number of batches.
        """
        self.teacher.update(self)
        k = self.keys(batch.views[1])
        # a copy of the queue: the backward pass needs the keys that the loss saw, and the new ones overwrite some
        loss, logits = info_nce(self.project(batch.views[0]), k, self.queue.clone(), self.temperature)
        self._enqueue(gather_rows(k))
        nearest = logits.detach()[:, 0] > logits.detach()[:, 1:].amax(1)
        return dict(loss_moco=loss, key_acc=nearest.float().mean(), feat_std=feature_std(k))

    def _enqueue(self, keys: Tensor) -> None:
        """Overwrite the oldest columns with keys (WB, D) of all ranks."""
        size, rows = self.queue.shape[1], len(keys)
        if size % rows:
            raise ValueError(f'MoCo: queue_size={size} is not a multiple of the {rows} rows of a batch (over all '
                             f'processes); take {max(size // rows, 1) * rows}, or another batch size')
        enqueue_(self.queue.t(), self.queue_pointer, keys)
