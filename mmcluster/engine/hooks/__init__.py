"""Hooks: they decide when."""
from .checkpoint import CheckpointHook
from .estep import EStepHook, KMeansHook, SelectHook
from .result import ResultHook
from .runtime import RuntimeInfoHook
from .schedule import BroadcastBNHook, PoolHook, ScheduleHook, TeacherHook
from .seed import SeedHook

__all__ = [
    'BroadcastBNHook', 'CheckpointHook', 'EStepHook', 'KMeansHook', 'PoolHook', 'ResultHook', 'RuntimeInfoHook',
    'ScheduleHook', 'SeedHook', 'SelectHook', 'TeacherHook'
]
