"""One method a file."""
from .autoencoder import Autoencoder
from .base import BaseClusterer
from .byol import BYOL
from .byol_cc import BYOLCC
from .cc import CC
from .cc_psl import CCPSL
from .classical import ClassicalClusterer
from .contrastive import ContrastiveClusterer
from .dec import DEC, IDEC
from .gcc import GCC
from .idfd import IDFD
from .moco import MoCo
from .multi_head import MultiHeadClusterer
from .pcl import BYOLPCL, PCL
from .pici import PICI
from .propos import ProPos
from .scan import SCAN
from .secu import SeCu
from .simclr import SimCLR
from .simsiam import SimSiam
from .spice import SPICE
from .tcl import TCL
from .temi import TEMI
from .turtle import TURTLE
from .two_level import TwoLevelClusterer

__all__ = [
    'Autoencoder', 'BYOL', 'BYOLCC', 'BYOLPCL', 'BaseClusterer', 'CC', 'CCPSL', 'ClassicalClusterer',
    'ContrastiveClusterer', 'DEC', 'GCC', 'IDEC', 'IDFD', 'MoCo', 'MultiHeadClusterer', 'PCL', 'PICI', 'ProPos',
    'SCAN', 'SPICE', 'SeCu', 'SimCLR', 'SimSiam', 'TCL', 'TEMI', 'TURTLE', 'TwoLevelClusterer'
]
