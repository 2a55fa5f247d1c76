"""Label selectors: which rows to trust, and with which label."""
from .ranked import CentroidDistance, ProbabilityVariance

__all__ = ['CentroidDistance', 'ProbabilityVariance']
