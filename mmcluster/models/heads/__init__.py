"""Heads: what maps an embedding to cluster logits."""
from .cluster_head import LinearClusterHead, MLPClusterHead
from .multi_head import MultiHead

__all__ = ['LinearClusterHead', 'MLPClusterHead', 'MultiHead']
