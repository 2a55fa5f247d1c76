"""What turns files into stages (parts, facts, ``on``), runs them, and remembers what is done."""
from .compose import compose, facts_of
from .parts import PartReader, config_file, shipped, shipped_configs
from .reading import read_config

__all__ = ['PartReader', 'compose', 'config_file', 'facts_of', 'read_config', 'shipped', 'shipped_configs']
