"""One method a file."""
from .base import BaseClusterer
from .byol import BYOL
from .contrastive import ContrastiveClusterer
from .moco import MoCo
from .multi_head import MultiHeadClusterer
from .propos import ProPos
from .simclr import SimCLR

__all__ = ['BYOL', 'BaseClusterer', 'ContrastiveClusterer', 'MoCo', 'MultiHeadClusterer', 'ProPos', 'SimCLR']
