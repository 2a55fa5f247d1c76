"""A compact network for small images."""
from __future__ import annotations

from typing import Optional, Sequence, Union

from mmcv.cnn import ConvModule
from mmengine.model import BaseModule
from torch import Tensor, nn

from mmcluster.registry import MODELS

from .gcc_resnet import KAIMING


@MODELS.register_module()
class SmallCNN(BaseModule):
    """Stages of 3x3 convolution, batch norm and ReLU for images of 8 to 32 pixels.

    The first stage keeps the resolution, or halves it already, which makes training several times as fast; every
    further stage halves it, and the last map is averaged over space.
    The default, 92,896 parameters with one channel, turns 8x8 digits into a 2x2 map of 128 channels.

    Args:
        in_channels: Channels of the image.
        widths: Channels of each stage; the last is F, the width of the output.
        convs_per_stage: Convolutions per stage; the first one carries the stride.
        first_stride: Stride of the first stage, 1 or 2.
        init_cfg: ``None``: Kaiming normal (fan out) convolutions, 1 / 0 in batch norm.
    """

    def __init__(self, in_channels: int = 1, widths: Sequence[int] = (32, 64, 128), convs_per_stage: int = 1,
                 first_stride: int = 1, init_cfg: Optional[Union[dict, list[dict]]] = None):
        super().__init__(init_cfg or list(KAIMING))
        if not widths or convs_per_stage < 1 or first_stride not in (1, 2):
            raise ValueError(f'SmallCNN needs at least one stage, one convolution per stage, and a first stride of 1 '
                             f'or 2, got widths={widths}, convs_per_stage={convs_per_stage}, '
                             f'first_stride={first_stride}')
        stages, width = [], in_channels
        for i, out in enumerate(widths):
            strides = [first_stride if i == 0 else 2] + [1] * (convs_per_stage - 1)
            stages.append(nn.Sequential(*[
                ConvModule(out if j else width, out, 3, stride, 1, norm_cfg=dict(type='BN'))
                for j, stride in enumerate(strides)
            ]))
            width = out
        self.stages = nn.Sequential(*stages)
        self.out_channels = width

    def feature_map(self, x: Tensor) -> Tensor:
        """The last map, (B, F, h, w), of images (B, C, H, W)."""
        return self.stages(x)

    def forward(self, x: Tensor) -> Tensor:
        """Embed images.

        Args:
            x: (B, C, H, W).

        Returns:
            (B, F) average over the last map.
        """
        return self.feature_map(x).mean(dim=(2, 3))
