"""Cluster heads: from an embedding to one logit per cluster."""
from __future__ import annotations

from typing import Optional, Union

from mmengine.model import BaseModule
from torch import Tensor, nn

from mmcluster.checks import require_count
from mmcluster.registry import MODELS

from ..necks import PreNormMLP


@MODELS.register_module()
class LinearClusterHead(BaseModule):
    """One linear layer (ClusMatch's head c).

    Args:
        in_channels: D, width of the embedding.
        num_clusters: K.
        normalize_input: Scale the embedding to unit length first, as ClusMatch does on SeCu.
        init_cfg: ``None``: Xavier normal weight, zero bias.
    """

    def __init__(self, in_channels: int, num_clusters: int, normalize_input: bool = False,
                 init_cfg: Optional[Union[dict, list[dict]]] = None):
        require_count('LinearClusterHead', in_channels=in_channels)
        super().__init__(init_cfg or dict(type='Xavier', distribution='normal', bias=0, layer='Linear'))
        self.in_channels = in_channels
        self.num_clusters = num_clusters
        self.normalize_input = normalize_input
        self.fc = nn.Linear(in_channels, num_clusters)

    def forward(self, embed: Tensor) -> Tensor:
        """Cluster logits.

        Args:
            embed: (B, D). A zero row stays zero when the input is normalised.

        Returns:
            (B, K).
        """
        if self.normalize_input:
            embed = nn.functional.normalize(embed, dim=1)
        return self.fc(embed)


@MODELS.register_module()
class MLPClusterHead(BaseModule):
    """Linear, ReLU, Linear (the cluster heads of CC and SPICE).

    Args:
        in_channels: D, width of the embedding.
        num_clusters: K.
        hid_channels: Width of the hidden layer; ``None`` is D.
        init_cfg: ``None`` keeps PyTorch's initialisation.
    """

    def __init__(self, in_channels: int, num_clusters: int, hid_channels: Optional[int] = None,
                 init_cfg: Optional[Union[dict, list[dict]]] = None):
        require_count('MLPClusterHead', in_channels=in_channels, hid_channels=hid_channels)
        super().__init__(init_cfg)
        self.in_channels = in_channels
        self.num_clusters = num_clusters
        self.fc1 = nn.Linear(in_channels, hid_channels or in_channels)
        self.relu = nn.ReLU(inplace=True)
        self.fc2 = nn.Linear(hid_channels or in_channels, num_clusters)

    def forward(self, embed: Tensor) -> Tensor:
        """Cluster logits (B, K) of embeddings (B, D)."""
        return self.fc2(self.relu(self.fc1(embed)))


@MODELS.register_module()
class PreNormClusterHead(PreNormMLP):
    """Batch norm, ReLU, Linear, twice (TCL's cluster head).

    Args:
        in_channels: D, width of the embedding.
        num_clusters: K.
        hid_channels: Width of the hidden layer; ``None`` is D.
        init_cfg: ``None``: weights of the linear layers from a truncated normal of 0.02, zero biases.
    """

    def __init__(self, in_channels: int, num_clusters: int, hid_channels: Optional[int] = None,
                 init_cfg: Optional[Union[dict, list[dict]]] = None):
        super().__init__(in_channels, hid_channels or in_channels, num_clusters,
                         init_cfg or dict(type='TruncNormal', layer='Linear', std=0.02))
        self.num_clusters = num_clusters


ClusterHead = Union[LinearClusterHead, MLPClusterHead, PreNormClusterHead]      # or any module with their attributes
