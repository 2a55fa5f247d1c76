"""What turns files into stages: parts, facts and ``on``."""
from .compose import compose, facts_of
from .parts import PartReader, shipped_configs

__all__ = ['PartReader', 'compose', 'facts_of', 'shipped_configs']
