"""Training: hooks, loops, optimisation, schedules, extraction."""
from .hooks import *  # noqa: F403
from .lars import LARS
from .loops import EStepLoop, InnerStepLoop
from .optim import AutocastOptimWrapper, GroupedOptimWrapperConstructor
from .scheduler import FixMatchCosineLR, WarmupCosineLR
from .shared_sweep import SharedSweepLoop

__all__ = [
    'AutocastOptimWrapper', 'EStepLoop', 'FixMatchCosineLR', 'GroupedOptimWrapperConstructor', 'InnerStepLoop',
    'LARS', 'SharedSweepLoop', 'WarmupCosineLR'
]
