"""One method a file."""
from .base import BaseClusterer
from .byol import BYOL
from .multi_head import MultiHeadClusterer
from .propos import ProPos

__all__ = ['BYOL', 'BaseClusterer', 'MultiHeadClusterer', 'ProPos']
