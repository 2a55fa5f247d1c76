"""No network: pixels, or the features of an encoder, as they are."""
from __future__ import annotations

from typing import Optional

from mmengine.model import BaseModule
from torch import Tensor

from mmcluster.registry import MODELS


@MODELS.register_module()
class Pixels(BaseModule):
    """The entries of an image in one row, for methods of vectors such as autoencoders of linear layers.

    Args:
        out_channels: F, for a head that asks for it; it cannot be seen before the first image.
    """

    def __init__(self, out_channels: Optional[int] = None):
        super().__init__()
        self.out_channels = out_channels

    def forward(self, x: Tensor) -> Tensor:
        """Flatten images.

        Args:
            x: (B, C, H, W), or features (B, F).

        Returns:
            (B, F), F = C H W.
        """
        return x.flatten(1)
