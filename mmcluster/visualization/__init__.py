"""What figures show, as arrays."""
from .picture import image_grid, overlay, to_pixels
from .prototypes import Prototypes, attention, feature_map, find_prototypes, map_centers
from .transitions import OrderedTransitions, order_transitions

__all__ = [
    'OrderedTransitions', 'Prototypes', 'attention', 'feature_map', 'find_prototypes', 'image_grid', 'map_centers',
    'order_transitions', 'overlay', 'to_pixels'
]
