"""Wide ResNets of the semi-supervised learners."""
from __future__ import annotations

from typing import Optional, Union

from mmengine.model import BaseModule
from torch import Tensor, nn

from mmcluster.registry import MODELS

from .gcc_resnet import KAIMING

STEM_WIDTH = 16
SLOPE = 0.1


class PreActBlock(nn.Module):
    """Batch norm, LeakyReLU, 3x3 convolution, twice, beside a residual branch.

    Where the number of channels changes, the residual branch is a 1x1 convolution of the activated input, elsewhere
    the raw input.

    Args:
        in_channels: Channels of the input.
        out_channels: Channels of the output.
        stride: Stride of the first convolution and of the residual branch.
        bn_momentum: Weight of the new statistics in the running ones.

    Raises:
        ValueError: For a stride without a change of channels, which has no residual branch.
    """

    def __init__(self, in_channels: int, out_channels: int, stride: int, bn_momentum: float):
        super().__init__()
        if stride != 1 and in_channels == out_channels:
            raise ValueError(f'WideResNet: a group of stride {stride} needs another width than {in_channels}, which is '
                             'what comes into it; take a larger widen_factor')
        self.bn1 = nn.BatchNorm2d(in_channels, momentum=bn_momentum)
        self.conv1 = nn.Conv2d(in_channels, out_channels, 3, stride, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(out_channels, momentum=bn_momentum)
        self.conv2 = nn.Conv2d(out_channels, out_channels, 3, 1, 1, bias=False)
        self.relu = nn.LeakyReLU(SLOPE, inplace=True)
        changes = in_channels != out_channels
        self.shortcut = nn.Conv2d(in_channels, out_channels, 1, stride, bias=False) if changes else None

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, C, H, W) to (B, C', H', W')."""
        active = self.relu(self.bn1(x))
        residual = x if self.shortcut is None else self.shortcut(active)
        return residual + self.conv2(self.relu(self.bn2(self.conv1(active))))


@MODELS.register_module()
class WideResNet(BaseModule):
    """WRN-d-w as FixMatch and SPICE's joint stage use it.

    Stem 3x3 of 16 channels, groups of pre-activation blocks of 16w, 32w, 64w, ... channels, batch norm, LeakyReLU of
    slope 0.1 and a global average. Depth 6n + 4 has three groups of n blocks with strides 1, 2, 2 (32 pixels); depth
    37, for 96 pixels, has four groups of 4 blocks, each of stride 2.

    Args:
        depth: 6n + 4 (28: WRN-28) or 37.
        widen_factor: w.
        in_channels: Channels of the image.
        bn_momentum: Weight of the new statistics in the running ones; the release ties it to the average of the
            weights, 1 - decay.
        init_cfg: ``None``: Kaiming normal (fan out) convolutions, 1 / 0 in batch norm.
    """

    def __init__(self, depth: int = 28, widen_factor: int = 2, in_channels: int = 3, bn_momentum: float = 0.001,
                 init_cfg: Optional[Union[dict, list[dict]]] = None):
        super().__init__(init_cfg or list(KAIMING))
        blocks, strides = layout(depth)
        self.conv1 = nn.Conv2d(in_channels, STEM_WIDTH, 3, 1, 1, bias=False)
        width = STEM_WIDTH
        for i, stride in enumerate(strides):
            out = STEM_WIDTH * widen_factor * 2**i
            self.add_module(f'block{i + 1}', nn.Sequential(*[
                PreActBlock(out if j else width, out, 1 if j else stride, bn_momentum) for j in range(blocks)]))
            width = out
        self.groups = len(strides)
        self.bn1 = nn.BatchNorm2d(width, momentum=bn_momentum)
        self.relu = nn.LeakyReLU(SLOPE, inplace=True)
        self.out_channels = width

    def feature_map(self, x: Tensor) -> Tensor:
        """The last map, (B, F, h, w), of images (B, C, H, W)."""
        x = self.conv1(x)
        for i in range(self.groups):
            x = getattr(self, f'block{i + 1}')(x)
        return self.relu(self.bn1(x))

    def forward(self, x: Tensor) -> Tensor:
        """Embed images.

        Args:
            x: (B, C, H, W).

        Returns:
            (B, F) average over the last map, F = 64w or, of depth 37, 128w.
        """
        return self.feature_map(x).mean(dim=(2, 3))


def layout(depth: int) -> tuple[int, tuple[int, ...]]:
    """Blocks per group and stride of each group.

    Args:
        depth: Of the network.

    Raises:
        ValueError: If there is no such network.
    """
    if depth == 37:
        return 4, (2, 2, 2, 2)
    if depth < 10 or (depth - 4) % 6:
        raise ValueError(f'WideResNet: depth must be 37 or 6n + 4 (10, 16, 22, 28, ...), got {depth}')
    return (depth - 4) // 6, (1, 2, 2)
