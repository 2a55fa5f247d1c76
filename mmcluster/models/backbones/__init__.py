"""Backbones that mmpretrain lacks."""
from .gcc_resnet import GCCResNet
from .masked_vit import MaskedDecoder, MaskedViT
from .small_cnn import SmallCNN
from .wide_resnet import WideResNet

__all__ = ['GCCResNet', 'MaskedDecoder', 'MaskedViT', 'SmallCNN', 'WideResNet']
