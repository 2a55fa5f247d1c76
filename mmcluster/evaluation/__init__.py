"""Metrics and result files."""
from .clustering import ClusteringMetric
from .results import write_assignments, write_json

__all__ = ['ClusteringMetric', 'write_assignments', 'write_json']
