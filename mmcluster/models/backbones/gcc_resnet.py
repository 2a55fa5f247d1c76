"""GCC's ResNet for 64 and 96 pixel images."""
from __future__ import annotations

from typing import Optional, Union

from mmengine.model import BaseModule
from torch import Tensor, nn

from mmcluster.checks import require_choice
from mmcluster.registry import MODELS

BLOCKS = {18: (2, 2, 2, 2), 34: (3, 4, 6, 3)}
KAIMING = (dict(type='Kaiming', layer='Conv2d'), dict(type='Constant', val=1, layer='_BatchNorm'))


class ShortcutBlock(nn.Module):
    """Two 3x3 convolutions with a residual branch called ``shortcut``.

    Args:
        in_channels: Channels of the input.
        out_channels: Channels of the output.
        stride: Stride of the first convolution and of the shortcut.
    """

    def __init__(self, in_channels: int, out_channels: int, stride: int):
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, out_channels, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(out_channels)
        self.conv2 = nn.Conv2d(out_channels, out_channels, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(out_channels)
        self.relu = nn.ReLU(inplace=True)
        self.shortcut = nn.Sequential()
        if stride != 1 or in_channels != out_channels:
            self.shortcut.append(nn.Conv2d(in_channels, out_channels, 1, stride, bias=False))
            self.shortcut.append(nn.BatchNorm2d(out_channels))

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, C, H, W) to (B, C', H', W')."""
        out = self.bn2(self.conv2(self.relu(self.bn1(self.conv1(x)))))
        return self.relu(out + self.shortcut(x))


@MODELS.register_module()
class GCCResNet(BaseModule):
    """The ResNet that GCC uses on STL-10, ImageNet-10, ImageNet-Dogs and Tiny-ImageNet, and ClusMatch after it.

    Stem 3x3 stride 1, max pool of 2 with padding 1, four stages of strides 1, 2, 2, 2. The releases end in an average
    pool of window 7 for 96 pixels, 5 for 64 and 3 for 32; each time the window is the whole last map, so one global
    average covers them and any other size. Names of parameters are GCC's.

    Depth 34 is SPICE's ``clusterresnet`` (its residual branches are called ``downsample`` there), depth 18 is the
    STL-10 network of SPICE's split protocol and of SCAN. Their 32 pixel ``resnet18_cifar`` has no max pool: that is
    mmpretrain's ``ResNet_CIFAR``; their 224 pixel networks are mmpretrain's ``ResNet``.

    Args:
        depth: 18 or 34.
        in_channels: Channels of the image.
        init_cfg: ``None`` is the release's initialisation: Kaiming normal (fan out) in every convolution, the stem
            included, and 1 / 0 in batch norm.
    """

    def __init__(self, depth: int = 18, in_channels: int = 3, init_cfg: Optional[Union[dict, list[dict]]] = None):
        super().__init__(init_cfg or list(KAIMING))
        require_choice('GCCResNet', BLOCKS, depth=depth)
        self.conv1 = nn.Conv2d(in_channels, 64, 3, 1, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(2, 2, padding=1)
        width = 64
        for i, blocks in enumerate(BLOCKS[depth]):
            out = 64 * 2**i
            strides = [1 if i == 0 else 2] + [1] * (blocks - 1)
            stage = [ShortcutBlock(out if j else width, out, stride) for j, stride in enumerate(strides)]
            self.add_module(f'layer{i + 1}', nn.Sequential(*stage))
            width = out
        self.out_channels = width

    def feature_map(self, x: Tensor) -> Tensor:
        """The last map, (B, 512, h, w), of images (B, C, H, W)."""
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        for stage in (self.layer1, self.layer2, self.layer3, self.layer4):
            x = stage(x)
        return x

    def forward(self, x: Tensor) -> Tensor:
        """Embed images.

        Args:
            x: (B, C, H, W).

        Returns:
            (B, 512) average over the last map.
        """
        return self.feature_map(x).mean(dim=(2, 3))
