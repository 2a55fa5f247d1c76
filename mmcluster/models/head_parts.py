"""What a booster builds upon its head: labeller and loss."""
from __future__ import annotations

import inspect
from typing import Optional

from torch import nn

from mmcluster.registry import MODELS

from .clusterers.base import build

ASKED = ('num_clusters', 'in_channels')


def build_for_head(part: Optional[dict], head: nn.Module) -> Optional[nn.Module]:
    """Build a labeller or loss, whose class may take ``num_clusters`` and ``in_channels``: the head says them.

    Args:
        part: Config, or a module or ``None``, which pass through.
        head: The booster's head.

    Raises:
        ValueError: If the part has another number of clusters than the head, where both know it.
    """
    if isinstance(part, dict):
        kind = MODELS.get(part['type']) if isinstance(part.get('type'), str) else part.get('type')
        takes = inspect.signature(kind).parameters if kind is not None else ()
        known = {name: getattr(head, name, None) for name in ASKED if name in takes and part.get(name) is None}
        part = {**part, **{name: value for name, value in known.items() if value}}
    module = build(part)
    clusters = [getattr(one, 'num_clusters', None) for one in (head, module)]
    if None not in clusters and clusters[0] != clusters[1]:
        raise ValueError(f'Boost: the head has num_clusters={clusters[0]}, {type(module).__name__} has '
                         f'num_clusters={clusters[1]}; give both one value, or drop it there')
    return module
