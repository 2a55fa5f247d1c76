"""Labellers: which label a labelled row has, now."""
from .selected import SelectedLabels

__all__ = ['SelectedLabels']
