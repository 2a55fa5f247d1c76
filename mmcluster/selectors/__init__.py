"""Label selectors: which rows to trust, and with which label."""
from .first_rows import FirstRows
from .given import GivenLabels
from .hybrid_clean import HybridClean
from .local_consistency import LocalConsistency
from .prototypes import AccompaniedPrototypes
from .random_rows import RandomRows
from .ranked import CentroidDistance, ProbabilityVariance
from .sampled import SampledKMeans

__all__ = [
    'AccompaniedPrototypes', 'CentroidDistance', 'FirstRows', 'GivenLabels', 'HybridClean', 'LocalConsistency',
    'ProbabilityVariance', 'RandomRows', 'SampledKMeans'
]
