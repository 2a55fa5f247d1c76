"""Backbones that mmpretrain lacks."""
from .efficientnet_lite import EfficientNetLite
from .features import WhitenedFeatures
from .gcc_resnet import GCCResNet
from .masked_vit import MaskedDecoder, MaskedViT
from .pixels import Pixels
from .small_cnn import SmallCNN
from .wide_resnet import WideResNet

__all__ = ['EfficientNetLite', 'GCCResNet', 'MaskedDecoder', 'MaskedViT', 'Pixels', 'SmallCNN', 'WhitenedFeatures',
           'WideResNet']
