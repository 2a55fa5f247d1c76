"""What figures show, as arrays."""
from .picture import image_grid, overlay, to_pixels
from .prototypes import Prototypes, attention, feature_map, find_prototypes, map_centers

__all__ = [
    'Prototypes', 'attention', 'feature_map', 'find_prototypes', 'image_grid', 'map_centers', 'overlay', 'to_pixels'
]
