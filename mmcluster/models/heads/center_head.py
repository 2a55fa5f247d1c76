"""A head whose clusters are centres on the unit sphere."""
from __future__ import annotations

from typing import Optional, Union

import torch
from mmengine.model import BaseModule
from torch import Tensor, nn

from mmcluster.checks import require_count, require_positive, require_two_clusters
from mmcluster.functional.losses.contrast import unit_rows
from mmcluster.registry import MODELS


@MODELS.register_module()
class CenterHead(BaseModule):
    """Cosine similarity of the embedding to K centres, over a temperature (SeCu's heads).

    Args:
        in_channels: D, width of the embedding.
        num_clusters: K.
        temperature: Divides the similarities.
        init_cfg: ``None``: random directions.
    """

    def __init__(self, in_channels: int, num_clusters: int, temperature: float,
                 init_cfg: Optional[Union[dict, list[dict]]] = None):
        require_count('CenterHead', in_channels=in_channels)
        require_two_clusters('CenterHead', num_clusters)
        require_positive('CenterHead', temperature=temperature)
        super().__init__(init_cfg)
        self.in_channels = in_channels
        self.num_clusters = num_clusters
        self.temperature = temperature
        self.weight = nn.Parameter(unit_rows(torch.randn(num_clusters, in_channels)))

    def forward(self, embed: Tensor) -> Tensor:
        """Cluster logits.

        Args:
            embed: (B, D), any norm.

        Returns:
            (B, K) float32.
        """
        with torch.autocast(embed.device.type, enabled=False):
            return unit_rows(embed) @ unit_rows(self.weight).t() / self.temperature
