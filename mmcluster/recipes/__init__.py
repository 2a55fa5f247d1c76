"""What turns files into stages (parts, facts, ``on``), runs them, and remembers what is done."""
from .compose import compose, facts_of
from .parts import PartReader, config_file, shipped, shipped_configs

__all__ = ['PartReader', 'compose', 'config_file', 'facts_of', 'shipped', 'shipped_configs']
