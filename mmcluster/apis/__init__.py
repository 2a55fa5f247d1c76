"""What a user calls on a trained model."""
from .opening import load_weights, open_config, open_model

__all__ = ['load_weights', 'open_config', 'open_model']
