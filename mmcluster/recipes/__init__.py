"""What turns files into stages: parts, facts and ``on``."""
from .compose import compose
from .parts import PartReader, shipped_configs

__all__ = ['PartReader', 'compose', 'shipped_configs']
