"""Necks: what maps a backbone's vector to the space of clustering."""
from .mlp_projector import MLPProjector
from .plain_mlp import PlainMLP
from .pre_norm_mlp import PreNormMLP

__all__ = ['MLPProjector', 'PlainMLP', 'PreNormMLP']
