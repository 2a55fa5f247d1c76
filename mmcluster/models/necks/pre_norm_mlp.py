"""Two layers that normalise before they map."""
from __future__ import annotations

from typing import Optional, Union

from mmengine.model import BaseModule
from torch import Tensor, nn

from mmcluster.checks import require_count
from mmcluster.registry import MODELS


@MODELS.register_module()
class PreNormMLP(BaseModule):
    """Batch norm, ReLU, Linear, twice: TCL's projector.

    Args:
        in_channels: Width of the input.
        hid_channels: Width of the hidden layer.
        out_channels: D, width of the output.
        init_cfg: ``None`` keeps PyTorch's initialisation.
    """

    def __init__(self, in_channels: int, hid_channels: int, out_channels: int,
                 init_cfg: Optional[Union[dict, list[dict]]] = None):
        require_count(type(self).__name__, in_channels=in_channels, hid_channels=hid_channels,
                      out_channels=out_channels)
        super().__init__(init_cfg)
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.bn1 = nn.BatchNorm1d(in_channels)
        self.fc1 = nn.Linear(in_channels, hid_channels)
        self.bn2 = nn.BatchNorm1d(hid_channels)
        self.fc2 = nn.Linear(hid_channels, out_channels)

    def forward(self, x: Tensor) -> Tensor:
        """Map vectors (B, F) -> (B, D), not normalised."""
        # no ReLU in place: the input is the embedding, which others read
        return self.fc2(self.bn2(self.fc1(self.bn1(x).relu())).relu())
