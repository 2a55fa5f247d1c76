"""Necks: what maps a backbone's vector to the space of clustering."""
from .mlp_projector import MLPProjector

__all__ = ['MLPProjector']
