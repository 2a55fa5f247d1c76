"""Metrics and result files."""
from .clustering import ClusteringMetric
from .evaluator import PatientEvaluator
from .features import FeatureFile
from .probes import KNNMetric
from .results import write_assignments, write_json

__all__ = ['ClusteringMetric', 'FeatureFile', 'KNNMetric', 'PatientEvaluator', 'write_assignments', 'write_json']
