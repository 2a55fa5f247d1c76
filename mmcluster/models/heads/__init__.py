"""Heads: what maps an embedding to cluster logits."""
from .cluster_head import ClusterHead, LinearClusterHead, MLPClusterHead, PreNormClusterHead
from .multi_head import MultiHead

__all__ = ['ClusterHead', 'LinearClusterHead', 'MLPClusterHead', 'MultiHead', 'PreNormClusterHead']
