"""One method a file."""
from .base import BaseClusterer
from .byol import BYOL
from .propos import ProPos

__all__ = ['BYOL', 'BaseClusterer', 'ProPos']
