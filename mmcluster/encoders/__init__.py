"""Frozen networks that turn images into vectors, and the store of what they computed."""
from .base import Encoder, NetworkEncoder
from .build import build_encoder
from .embed import Features, embed_files
from .store import FeatureStore
from .view import CentreView

__all__ = ['CentreView', 'Encoder', 'FeatureStore', 'Features', 'NetworkEncoder', 'build_encoder', 'embed_files']
