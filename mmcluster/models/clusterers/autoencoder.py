"""Autoencoder: what DEC and IDEC start from."""
from __future__ import annotations

from typing import Any, Union

import torch
from torch import Tensor, nn

from mmcluster.functional.losses.dec import reconstruction_loss
from mmcluster.registry import MODELS
from mmcluster.structures import Batch

from ..head_parts import build
from .base import BaseClusterer, pooled


@MODELS.register_module()
class Autoencoder(BaseClusterer):
    """An encoder, the neck, and a decoder that makes the backbone's vector again; the clustering is k-means.

    Args:
        backbone: Config of what makes the vectors (B, F), ``Pixels`` as a rule. It is not trained: a vector that may
            move is made again best when it says nothing.
        neck: Config of the encoder (B, F) -> (B, D).
        decoder: Config of the decoder (B, D) -> (B, F).
        kwargs: See :class:`BaseClusterer`.
    """

    neck: nn.Module

    def __init__(self, backbone: Union[dict, nn.Module], neck: Union[dict, nn.Module],
                 decoder: Union[dict, nn.Module], **kwargs: Any):
        super().__init__(backbone, neck, **kwargs)
        self.backbone.requires_grad_(False)
        self.decoder: nn.Module = build(decoder)

    def loss(self, batch: Batch) -> dict[str, Tensor]:
        """Squared error of the reconstruction.

        Args:
            batch: One view (B, C, H, W).
        """
        with torch.no_grad():
            x = pooled(self.backbone(batch.views[0]), self.backbone)
        return dict(loss_recon=reconstruction_loss(self.decoder(self.neck(x)), x))
