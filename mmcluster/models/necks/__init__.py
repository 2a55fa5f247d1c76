"""Necks: what maps a backbone's vector to the space of clustering."""
from .mlp_projector import MLPProjector
from .pre_norm_mlp import PreNormMLP

__all__ = ['MLPProjector', 'PreNormMLP']
