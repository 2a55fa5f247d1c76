"""BYOL: two views of an image predict each other's momentum embedding."""
from __future__ import annotations

from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from mmcluster.checks import require_share
from mmcluster.functional.losses.contrast import cosine_regression
from mmcluster.registry import MODELS
from mmcluster.structures import Batch

from ..gather import shuffled
from ..head_parts import build
from ..teacher import MomentumTeacher
from .base import BaseClusterer, forward_parts


@MODELS.register_module()
class BYOL(BaseClusterer):
    """Bootstrap your own latent, the base of ProPos. The space of clustering is the momentum projector's output.

    Args:
        backbone: Config of the network f's first part.
        neck: Config of the projector, f's second part.
        predictor: Config of the predictor g, (B, D) -> (B, D).
        decay: Weight of the old value in the momentum network (paper's m); a ``ScheduleHook`` may move
            ``teacher.decay``.
        shuffle_bn: On several ranks, forward the momentum views in an order that all ranks share, so that the
            batch-norm statistics of the two networks come from different rows.
        ema_before_forward: Move the momentum network before the forward pass instead of after it.
        joint_views: Pass both views through a network as one batch of 2B rows, so that batch norm sees them together.
        kwargs: See :class:`BaseClusterer`.
    """

    def __init__(self, backbone: dict, neck: dict, predictor: dict, decay: float = 0.996, shuffle_bn: bool = True,
                 ema_before_forward: bool = False, joint_views: bool = False, **kwargs: Any):
        require_share('BYOL', decay=decay)
        super().__init__(backbone, neck, **kwargs)
        self.predictor = build(predictor)
        self.teacher = MomentumTeacher(dict(backbone=self.backbone, neck=self.neck), decay)
        self.shuffle_bn = shuffle_bn
        self.ema_before_forward = ema_before_forward
        self.joint_views = joint_views
        self.teacher_rests = False      # an AccumulationHook says when

    def deployed(self) -> tuple[nn.Module, nn.Module, None]:
        """Momentum backbone and projector."""
        return self.teacher.backbone, self.teacher.neck, None

    def online(self, views: list[Tensor]) -> list[Tensor]:
        """Raw projector outputs of the views.

        Args:
            views: two tensors (B, C, H, W).

        Returns:
            Two float32 tensors (B, D).
        """
        return self._embed_views(views, lambda x: forward_parts(x, self.backbone, self.neck, None)[0].float())

    @torch.no_grad()
    def target(self, views: list[Tensor]) -> list[Tensor]:
        """Unit momentum embeddings of the views, without gradient.

        Args:
            views: two tensors (B, C, H, W).

        Returns:
            Two float32 tensors (B, D), unit rows.
        """
        return self._embed_views(views, partial(shuffled, self._target) if self.shuffle_bn else self._target)

    def _embed_views(self, views: list[Tensor], forward: Any) -> list[Tensor]:
        if self.joint_views:
            return list(forward(torch.cat(views)).chunk(len(views)))
        return [forward(view) for view in views]

    def _target(self, x: Tensor) -> Tensor:
        embed = forward_parts(x, self.teacher.backbone, self.teacher.neck, None)[0]
        return nn.functional.normalize(embed.float(), dim=1)

    def loss(self, batch: Batch) -> dict[str, Tensor]:
        """One step: both networks see the two views, :meth:`losses` compares them, the momentum network moves.

        It moves with the weights from before the optimiser's step, as in ProPos's release, hence here and not in a
        ``TeacherHook``.

        Args:
            batch: Two views (B, C, H, W) and the index (B,).

        Returns:
            What :meth:`losses` returns, and the spread of the embedding.

        Raises:
            ValueError: If there is one view alone.
        """
        views = list(self.pair(batch))
        if self.ema_before_forward and not self.teacher_rests:
            self.teacher.update(self)
        z, k = self.online(views), self.target(views)
        losses = self.losses(z, k, batch.index)
        if not self.ema_before_forward and not self.teacher_rests:
            self.teacher.update(self)
        return {**losses, 'feat_std': feature_std(k[0])}

    def losses(self, z: list[Tensor], k: list[Tensor], index: Tensor) -> dict[str, Tensor]:
        """Symmetric regression between the two views; a method upon BYOL writes its own.

        Args:
            z: Raw online embeddings (B, D) of the two views.
            k: Unit momentum embeddings (B, D) of the two views.
            index: (B,) data set index.

        Returns:
            ``loss_byol``.
        """
        loss = cosine_regression(self.predictor(z[0]), k[1]) + cosine_regression(self.predictor(z[1]), k[0])
        return dict(loss_byol=0.5 * loss)


def feature_std(unit: Tensor) -> Tensor:
    """Mean standard deviation of unit rows over their dimensions; 1 / sqrt(D) when they spread, 0 in a collapse.

    Args:
        unit: (B, D) unit rows.

    Returns:
        () without gradient.
    """
    return unit.detach().std(dim=0).mean()
