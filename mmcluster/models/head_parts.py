"""Parts built from their configs, and what one says of those upon it: width and clusters of head, labeller and loss."""
from __future__ import annotations

import inspect
from typing import Any, Optional, Union

from torch import nn

from mmcluster.registry import MODELS

WIDTHS = ('out_channels', 'feat_dim', 'num_features')       # of ours, of mmpretrain's ResNets, its Swin transformers


def build(module: Union[dict, nn.Module, None]) -> Any:
    """Build a part from its config; modules and ``None`` pass through. Who keeps it declares of which type it is."""
    return MODELS.build(module) if isinstance(module, dict) else module


def width_of(backbone: Optional[nn.Module], neck: Optional[nn.Module]) -> Optional[int]:
    """D, width of the embedding: what the neck says or, without one, the backbone.

    Args:
        backbone: (B, C, H, W) -> (B, F).
        neck: (B, F) -> (B, D), or ``None``.

    Returns:
        ``None`` if it does not say its width.
    """
    last = backbone if neck is None else neck
    for width in (getattr(last, name, None) for name in WIDTHS):
        if isinstance(width, (list, tuple)) and width:      # of every stage
            width = width[getattr(last, 'out_indices', [-1])[-1]]
        if isinstance(width, int):
            return width
    # of a transformer with stages it is the width of the first one
    staged = isinstance(getattr(last, 'depths', None), (list, tuple)) or getattr(last, 'num_scales', 1) > 1
    width = getattr(last, 'embed_dims', None)
    return width if isinstance(width, int) and not staged else None


def build_head(head: Union[dict, nn.Module, None], backbone: Optional[nn.Module], neck: Optional[nn.Module]) -> Any:
    """Build a head, or one that holds several of a ``head``; ``in_channels`` is the width of the embedding.

    Args:
        head: Config, or a module or ``None``, which pass through. One with ``in_channels`` keeps it.
        backbone: See :func:`width_of`.
        neck: See :func:`width_of`.

    Raises:
        ValueError: If the head needs ``in_channels``, and neck and backbone do not say their width.
    """
    return build(_with_width(head, backbone, neck) if isinstance(head, dict) else head)


def require_width_of(who: str, backbone: Optional[nn.Module], neck: Optional[nn.Module]) -> int:
    """Return D, see :func:`width_of`.

    Args:
        who: What needs it as ``in_channels``.
        backbone: See :func:`width_of`.
        neck: See :func:`width_of`.

    Raises:
        ValueError: If neck and backbone do not say it.
    """
    width = width_of(backbone, neck)
    if width is None:
        raise ValueError(f'{who} needs in_channels, the width of the embedding: '
                         f'{type(backbone if neck is None else neck).__name__} does not say its out_channels')
    return width


def _with_width(head: dict, backbone: Optional[nn.Module], neck: Optional[nn.Module]) -> dict:
    """The config of a head, complete."""
    if isinstance(head.get('head'), dict):
        return {**head, 'head': _with_width(head['head'], backbone, neck)}
    if head.get('in_channels') is not None or not _takes(head, 'in_channels'):
        return head
    return {**head, 'in_channels': require_width_of(head['type'], backbone, neck)}


def build_for_head(part: Optional[dict], head: nn.Module) -> Optional[nn.Module]:
    """Build a labeller or loss, whose class may take ``num_clusters`` and ``in_channels``: the head says them.

    Args:
        part: Config, or a module or ``None``, which pass through.
        head: The booster's head.

    Raises:
        ValueError: If the part has another number of clusters than the head, where both know it.
    """
    known = {name: getattr(head, name, None) for name in ('num_clusters', 'in_channels')}
    module = build(_told(part, **known) if isinstance(part, dict) else part)
    clusters = [getattr(one, 'num_clusters', None) for one in (head, module)]
    if None not in clusters and clusters[0] != clusters[1]:
        raise ValueError(f'Boost: the head has num_clusters={clusters[0]}, {type(module).__name__} has '
                         f'num_clusters={clusters[1]}; give both one value, or drop it there')
    return module


def _told(part: dict, **known: Optional[int]) -> dict:
    """A config with what is known of the arguments that its class takes, where it leaves them out."""
    return {**part, **{name: value for name, value in known.items()
                       if value and part.get(name) is None and _takes(part, name)}}


def _takes(part: dict, name: str) -> bool:
    """Whether the class of a config takes an argument."""
    kind = MODELS.get(part['type']) if isinstance(part.get('type'), str) else part.get('type')
    return kind is not None and name in inspect.signature(kind).parameters
