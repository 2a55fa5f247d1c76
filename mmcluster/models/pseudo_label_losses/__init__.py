"""Semi-supervised losses for boosters."""
from .base import PseudoLabelLoss
from .clusmatch import ClusMatchLoss

__all__ = ['ClusMatchLoss', 'PseudoLabelLoss']
