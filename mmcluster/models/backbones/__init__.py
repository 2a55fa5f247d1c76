"""Backbones that mmpretrain lacks."""
from .gcc_resnet import GCCResNet
from .small_cnn import SmallCNN
from .wide_resnet import WideResNet

__all__ = ['GCCResNet', 'SmallCNN', 'WideResNet']
