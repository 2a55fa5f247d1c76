"""The parts that a method takes over from a trained clusterer."""
from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any, Optional

from torch import nn

from mmcluster.registry import MODELS
from mmcluster.strict import StrictPretrainedInit, with_own_bank

if TYPE_CHECKING:
    from .clusterers import BaseClusterer

PARTS = ('backbone', 'neck', 'head')


def build_base(cfg: dict) -> BaseClusterer:
    """Build a base for its deployed parts alone: without preprocessor, with a bank of one row, not yet loaded.

    Args:
        cfg: Config of a clusterer.

    Returns:
        The clusterer.
    """
    cfg = {key: value for key, value in cfg.items() if key not in ('init_cfg', 'data_preprocessor')}
    if cfg.get('bank'):
        cfg['bank'] = dict(cfg['bank'], num_samples=1, fingerprint=0)
    return MODELS.build(copy.deepcopy(cfg))


def load_base(cfg: dict) -> BaseClusterer:
    """Build a base and load its checkpoint strictly, all but the per-sample state, or initialise it.

    Args:
        cfg: Config of a clusterer; ``init_cfg=dict(type='Pretrained', checkpoint=...)`` names its file, with the
            options of :class:`~mmcluster.strict.StrictPretrainedInit`.

    Returns:
        The clusterer, without preprocessor, with a bank of one row.

    Raises:
        ValueError: If the file does not fit.
    """
    base = build_base(cfg)
    init_cfg = cfg.get('init_cfg')
    if not init_cfg:
        base.init_weights()
    else:
        file = StrictPretrainedInit(**{key: value for key, value in init_cfg.items() if key != 'type'})
        file.load(base, with_own_bank(base, file.read()))
    return base


def base_parts(base: Optional[dict], given: dict[str, Any], names: tuple[str, ...] = PARTS) -> dict[str, nn.Module]:
    """Copies of a base's deployed parts that are not given.

    Args:
        base: Config of a clusterer, or ``None``.
        given: name -> module or ``None``, parts that take the place of the base's.
        names: Which of backbone, neck and head may be taken over.

    Returns:
        name -> module, trainable; only parts that come from the base.
    """
    if base is None:
        return {}
    parts = dict(zip(PARTS, build_base(base).deployed()))
    return {name: copy.deepcopy(part).requires_grad_(True) for name, part in parts.items()
            if name in names and given.get(name) is None and part is not None}


def load_base_parts(model: nn.Module, base: dict, names: list[str]) -> None:
    """Load the weights of parts that came from a base, strictly.

    Args:
        model: Has a module of every name.
        base: Config of a clusterer.
        names: What :func:`base_parts` returned.
    """
    for name, part in zip(PARTS, load_base(base).deployed()):
        if name in names and part is not None:
            getattr(model, name).load_state_dict(part.state_dict())
