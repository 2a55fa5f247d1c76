"""SimSiam: two views of an image predict each other, without momentum network and without negatives."""
from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from mmcluster.functional.losses.contrast import mutual_prediction, unit_rows
from mmcluster.registry import MODELS
from mmcluster.structures import Batch

from ..head_parts import build
from .base import BaseClusterer, forward_parts
from .byol import feature_std


@MODELS.register_module()
class SimSiam(BaseClusterer):
    """Each view's prediction regresses the other view's projection, which counts as a constant.

    The space of clustering is the projector's output. Both views pass the network as one batch, so that batch norm
    sees them together.

    Args:
        backbone: Config of the network's first part.
        neck: Config of the projector, its second part.
        predictor: Config of the predictor, (B, D) -> (B, D), which nobody takes over.
        kwargs: See :class:`BaseClusterer`.
    """

    neck: nn.Module

    def __init__(self, backbone: dict, neck: dict, predictor: dict, **kwargs: Any):
        super().__init__(backbone, neck, **kwargs)
        self.predictor = build(predictor)

    def loss(self, batch: Batch) -> dict[str, Tensor]:
        """Both directions.

        Args:
            batch: Two views (B, C, H, W).

        Returns:
            ``loss_simsiam``, -1 when all predictions are right, and the spread of the projections of both views.

        Raises:
            ValueError: If there is one view alone.
        """
        z = forward_parts(torch.cat(self.pair(batch)), self.backbone, self.neck, None)[0]
        loss = mutual_prediction(*self.predictor(z).chunk(2), *z.chunk(2))
        return dict(loss_simsiam=loss, feat_std=feature_std(unit_rows(z)))
