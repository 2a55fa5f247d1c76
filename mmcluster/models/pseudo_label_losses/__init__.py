"""Semi-supervised losses for boosters."""
from .adamatch import AdaMatchLoss
from .base import PseudoLabelLoss
from .clusmatch import ClusMatchLoss
from .confidence import ConfidenceLoss
from .fixmatch import FixMatchLoss
from .flexmatch import FlexMatchLoss
from .freematch import FreeMatchLoss
from .mixmatch import MixMatchLoss
from .mutexmatch import MutexMatchLoss
from .softmatch import SoftMatchLoss

__all__ = [
    'AdaMatchLoss', 'ClusMatchLoss', 'ConfidenceLoss', 'FixMatchLoss', 'FlexMatchLoss', 'FreeMatchLoss',
    'MixMatchLoss', 'MutexMatchLoss', 'PseudoLabelLoss', 'SoftMatchLoss'
]
