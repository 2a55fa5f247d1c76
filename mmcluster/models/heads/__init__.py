"""Heads: what maps an embedding to cluster logits."""
from .center_head import CenterHead
from .cluster_head import ClusterHead, LinearClusterHead, MLPClusterHead, PreNormClusterHead
from .feature_heads import CosineClusterHead, TaskHead
from .multi_head import MultiHead
from .student_head import StudentHead

__all__ = [
    'CenterHead', 'ClusterHead', 'CosineClusterHead', 'LinearClusterHead', 'MLPClusterHead', 'MultiHead',
    'PreNormClusterHead', 'StudentHead', 'TaskHead'
]
