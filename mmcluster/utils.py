"""Set-up for interactive use."""
from __future__ import annotations

from mmengine.registry import init_default_scope as init_scope

from . import registry
from .registry import SCOPE, NamedRegistry


def register_all_modules(init_default_scope: bool = True) -> None:
    """Import every package that registers names, here and in mmpretrain.

    Configs need no such call: a registry imports its packages at the first look-up.

    Args:
        init_default_scope: Make mmcluster the default scope too, so that mmengine's registries find its names.
    """
    for value in vars(registry).values():
        if isinstance(value, NamedRegistry):
            value.import_from_location()
    if init_default_scope:
        init_scope(SCOPE)
