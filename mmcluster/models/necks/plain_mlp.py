"""A chain of linear layers: the encoders and decoders of DEC."""
from __future__ import annotations

from itertools import pairwise
from typing import Optional, Sequence, Union

from mmengine.model import BaseModule
from torch import Tensor, nn

from mmcluster.checks import require_count
from mmcluster.registry import MODELS


@MODELS.register_module()
class PlainMLP(BaseModule):
    """Linear layers with ReLU between them and nothing after the last one.

    Args:
        in_channels: Width of the input.
        hid_channels: Widths of the hidden layers; for a decoder those of its encoder in the opposite order.
        out_channels: Width of the output.
        init_cfg: ``None`` keeps PyTorch's initialisation.
    """

    def __init__(self, in_channels: int, hid_channels: Sequence[int], out_channels: int,
                 init_cfg: Optional[Union[dict, list[dict]]] = None):
        widths = [in_channels, *hid_channels, out_channels]
        require_count('PlainMLP', **{f'width of layer {i}': width for i, width in enumerate(widths)})
        super().__init__(init_cfg)
        self.out_channels = out_channels
        self.layers = nn.ModuleList(nn.Linear(*pair) for pair in pairwise(widths))

    def forward(self, x: Tensor) -> Tensor:
        """Map vectors (B, in_channels) -> (B, out_channels)."""
        for layer in self.layers[:-1]:
            x = nn.functional.relu(layer(x))
        return self.layers[-1](x)
