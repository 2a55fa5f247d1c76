"""Backbones that mmpretrain lacks."""
from .gcc_resnet import GCCResNet
from .small_cnn import SmallCNN

__all__ = ['GCCResNet', 'SmallCNN']
