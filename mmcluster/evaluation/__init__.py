"""Metrics and result files."""
from .clustering import ClusteringMetric
from .evaluator import PatientEvaluator
from .features import FeatureFile
from .results import write_assignments, write_json

__all__ = ['ClusteringMetric', 'FeatureFile', 'PatientEvaluator', 'write_assignments', 'write_json']
