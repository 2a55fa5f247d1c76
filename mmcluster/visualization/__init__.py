"""What figures show, as arrays."""
from . import plots
from .histories import Compared, compare, groups_of, told_apart
from .layout import layout
from .picture import image_grid, overlay, to_pixels
from .prototypes import Prototypes, attention, feature_map, find_prototypes, map_centers
from .rows import HOW, members, neighbors_of, odd_queries
from .seen import Seen
from .transitions import OrderedTransitions, order_transitions

__all__ = [
    'HOW', 'Compared', 'OrderedTransitions', 'Prototypes', 'Seen', 'attention', 'compare', 'feature_map',
    'find_prototypes', 'groups_of', 'image_grid', 'layout', 'map_centers', 'members', 'neighbors_of', 'odd_queries',
    'order_transitions', 'overlay', 'plots', 'to_pixels', 'told_apart'
]
