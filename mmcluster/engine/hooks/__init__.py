"""Hooks: they decide when."""
from .announce import AnnounceHook
from .best_head import BestHeadHook
from .centers import PreviousCentersHook
from .checkpoint import CheckpointHook
from .classical import ClassicalHook
from .collapse import CollapseHook
from .costs import CostHook
from .estep import EStepHook, ShardedEStepHook
from .features import FeatureHook
from .graph import GraphHook
from .ground_truth import GroundTruthHook
from .kmeans import KMeansHook
from .match import MatchHook
from .neighbors import NeighborHook
from .prototypes import PrototypeHook
from .result import ResultHook
from .runtime import RuntimeInfoHook
from .schedule import AccumulationHook, BroadcastBNHook, PoolHook, ScheduleHook, TeacherHook
from .seed import SeedHook
from .select import SelectHook
from .sweep import SweepHook
from .targets import TargetHook
from .thresholds import ThresholdHook
from .transition import AnchorHook, TransitionHook
from .turn import TurnHook

__all__ = [
    'AccumulationHook', 'AnchorHook', 'AnnounceHook', 'BestHeadHook', 'BroadcastBNHook', 'CheckpointHook',
    'ClassicalHook', 'CollapseHook', 'CostHook', 'EStepHook', 'FeatureHook', 'GraphHook', 'GroundTruthHook',
    'KMeansHook', 'MatchHook', 'NeighborHook', 'PoolHook', 'PreviousCentersHook', 'PrototypeHook', 'ResultHook',
    'RuntimeInfoHook', 'ScheduleHook', 'SeedHook', 'SelectHook', 'ShardedEStepHook', 'SweepHook', 'TargetHook',
    'TeacherHook', 'ThresholdHook', 'TransitionHook', 'TurnHook'
]
