"""Heads of the methods that work on frozen features: TEMI's and TURTLE's, both with weight-normalised layers."""
from __future__ import annotations

import math
from typing import Optional, Sequence, Union

import torch
from mmengine.model import BaseModule
from torch import Tensor, nn
from torch.nn import functional as F

from mmcluster.checks import require_count
from mmcluster.functional.scale import weight_normalised
from mmcluster.registry import MODELS


@MODELS.register_module()
class CosineClusterHead(BaseModule):
    """Linear, GELU, Linear, then logits by the cosine to K directions, each with a gain (TEMI).

    Args:
        in_channels: D, width of the embedding.
        num_clusters: K.
        hid_channels: Width of the hidden layer.
        bottleneck: Width in which directions are compared.
        init_cfg: ``None``: normal weights of deviation 0.02, no biases, gains of one.
    """

    def __init__(self, in_channels: int, num_clusters: int, hid_channels: int = 512, bottleneck: int = 256,
                 init_cfg: Optional[Union[dict, list[dict]]] = None):
        require_count('CosineClusterHead', in_channels=in_channels, hid_channels=hid_channels, bottleneck=bottleneck)
        super().__init__(init_cfg or dict(type='TruncNormal', std=0.02, layer='Linear'))
        self.in_channels = in_channels
        self.num_clusters = num_clusters
        self.fc1 = nn.Linear(in_channels, hid_channels)
        self.fc2 = nn.Linear(hid_channels, bottleneck)
        self.last = nn.Linear(bottleneck, num_clusters, bias=False)
        self.gain = nn.Parameter(torch.ones(num_clusters))

    def forward(self, embed: Tensor) -> Tensor:
        """Cluster logits (B, K) of embeddings (B, D)."""
        rows = F.normalize(self.fc2(F.gelu(self.fc1(embed))), dim=-1)
        return rows @ weight_normalised(self.gain, self.last.weight).T


@MODELS.register_module()
class TaskHead(BaseModule):
    """TURTLE's task encoder: in each space a weight-normalised linear layer; the labels are the mean of the softmaxes.

    Args:
        in_channels: D, width of all spaces together.
        num_clusters: K.
        widths: Widths of the spaces, which lie side by side in a row. ``None``: one space.
        init_cfg: ``None``: U(-1, 1) / sqrt(width), gains that leave the weights as they are.

    Raises:
        ValueError: If the widths do not add up.
    """

    def __init__(self, in_channels: int, num_clusters: int, widths: Optional[Sequence[int]] = None,
                 init_cfg: Optional[Union[dict, list[dict]]] = None):
        super().__init__(init_cfg)
        self.widths = [in_channels] if widths is None else list(widths)
        if sum(self.widths) != in_channels:
            raise ValueError(f'TaskHead: spaces of {self.widths} columns do not make up in_channels={in_channels}')
        require_count('TaskHead', **{f'widths[{i}]': width for i, width in enumerate(self.widths)})
        self.in_channels = in_channels
        self.num_clusters = num_clusters
        drawn = [nn.Linear(width, num_clusters) for width in self.widths]
        self.direction = nn.ParameterList([layer.weight.detach() for layer in drawn])
        self.gain = nn.ParameterList([layer.weight.detach().norm(dim=1) for layer in drawn])
        self.bias = nn.ParameterList([layer.bias.detach() for layer in drawn])

    def spaces(self, embed: Tensor) -> Tensor:
        """Logits (S, B, K) in every space of rows (B, D)."""
        layers = zip(embed.split(self.widths, dim=1), self.gain, self.direction, self.bias)
        return torch.stack([rows @ weight_normalised(gain, direction).T + bias
                            for rows, gain, direction, bias in layers])

    def forward(self, embed: Tensor) -> Tensor:
        """Logarithm (B, K) of the labels of rows (B, D), whose softmax they are."""
        return self.spaces(embed).log_softmax(dim=-1).logsumexp(dim=0) - math.log(len(self.widths))
