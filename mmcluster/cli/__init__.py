"""The command ``mmcluster``: arguments and texts; the work is done by :mod:`mmcluster.apis`."""
from .main import main

__all__ = ['main']
