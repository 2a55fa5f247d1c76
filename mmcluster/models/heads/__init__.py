"""Heads: what maps an embedding to cluster logits."""
from .cluster_head import LinearClusterHead, MLPClusterHead

__all__ = ['LinearClusterHead', 'MLPClusterHead']
