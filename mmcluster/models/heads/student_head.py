"""DEC's head: similarity to trainable centres."""
from __future__ import annotations

from typing import Optional, Union

import torch
from mmengine.model import BaseModule
from torch import Tensor, nn

from mmcluster.checks import require_count, require_positive
from mmcluster.functional.losses.dec import student_logits
from mmcluster.registry import MODELS


@MODELS.register_module()
class StudentHead(BaseModule):
    """Student's t kernel between the embedding and K centres; the softmax of its logits is DEC's q.

    Args:
        in_channels: D, width of the embedding.
        num_clusters: K.
        alpha: Degrees of freedom.
        init_cfg: See ``mmengine.model.BaseModule``. Centres are 0 until a ``TargetHook`` sets them.
    """

    def __init__(self, in_channels: int, num_clusters: int, alpha: float = 1.,
                 init_cfg: Optional[Union[dict, list[dict]]] = None):
        require_count('StudentHead', in_channels=in_channels)
        require_positive('StudentHead', alpha=alpha)
        super().__init__(init_cfg)
        self.in_channels = in_channels
        self.num_clusters = num_clusters
        self.alpha = alpha
        self.centers = nn.Parameter(torch.zeros(num_clusters, in_channels))

    def forward(self, embed: Tensor) -> Tensor:
        """Cluster logits (B, K) of embeddings (B, D), in float32."""
        with torch.autocast(embed.device.type, enabled=False):
            return student_logits(embed.float(), self.centers, self.alpha)
