"""Clusterers, boosters and their parts."""
import mmcluster.strict  # noqa: F401  (registers the strict Pretrained)

from .backbones import *  # noqa: F403
from .bank import SampleBank
from .best_so_far import BestSoFar
from .boost import Boost, Labelled, Reference, Unlabelled
from .clusterers import *  # noqa: F403
from .clusterers.ruc import RUC
from .heads import *  # noqa: F403
from .labellers import *  # noqa: F403
from .necks import *  # noqa: F403
from .preprocessor import ViewPreprocessor
from .pseudo_label_losses import *  # noqa: F403
from .teacher import MomentumTeacher

__all__ = [
    'BestSoFar', 'Boost', 'Labelled', 'MomentumTeacher', 'RUC', 'Reference', 'SampleBank', 'Unlabelled',
    'ViewPreprocessor'
]
