"""Several cluster heads in one module."""
from __future__ import annotations

from typing import Optional, Union

import torch
from mmengine.model import BaseModule
from torch import Tensor, nn

from mmcluster.checks import require_count
from mmcluster.registry import MODELS


@MODELS.register_module()
class MultiHead(BaseModule):
    """H heads of one kind, each with an initialisation of its own; H = 1 is no special case.

    Args:
        head: Config of one head (B, D) -> (B, K).
        num_heads: H.
        init_cfg: ``None``: each head initialises itself.
    """

    def __init__(self, head: dict, num_heads: int = 10, init_cfg: Optional[Union[dict, list[dict]]] = None):
        require_count('MultiHead', num_heads=num_heads)
        super().__init__(init_cfg)
        heads = [MODELS.build(head) for _ in range(num_heads)]
        self.heads = nn.ModuleList(heads)
        self.num_heads = num_heads
        self.num_clusters: int = heads[0].num_clusters

    def forward(self, embed: Tensor) -> Tensor:
        """Cluster logits of every head.

        Args:
            embed: (B, D), the same rows for every head; or (H, B, D), rows of its own for each.

        Returns:
            (H, B, K).

        Raises:
            ValueError: If there are rows for another number of heads.
        """
        rows = embed if embed.dim() == 3 else embed.expand(self.num_heads, *embed.shape)
        if len(rows) != self.num_heads:
            raise ValueError(f'MultiHead: rows for {len(rows)} heads, there are {self.num_heads}')
        return torch.stack([head(row) for head, row in zip(self.heads, rows)])
