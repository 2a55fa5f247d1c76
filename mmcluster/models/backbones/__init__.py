"""Backbones that mmpretrain lacks."""
from .efficientnet_lite import EfficientNetLite
from .gcc_resnet import GCCResNet
from .masked_vit import MaskedDecoder, MaskedViT
from .small_cnn import SmallCNN
from .wide_resnet import WideResNet

__all__ = ['EfficientNetLite', 'GCCResNet', 'MaskedDecoder', 'MaskedViT', 'SmallCNN', 'WideResNet']
