"""Labellers: which label a labelled row has, now."""
from .asd import ASDLabels
from .selected import SelectedLabels

__all__ = ['ASDLabels', 'SelectedLabels']
