"""Evaluation for a while, inside training."""
from __future__ import annotations

from contextlib import contextmanager
from typing import Iterator, Optional

from torch import nn


@contextmanager
def evaluating(*modules: Optional[nn.Module]) -> Iterator[None]:
    """Modules in evaluation mode, and afterwards, whatever happens, each layer in its mode of before.

    ``module.train()`` would not do: it also wakes layers that rest in evaluation mode, such as a frozen network's.

    Args:
        modules: ``None`` is left out.
    """
    modes = [(layer, layer.training) for module in modules if module is not None for layer in module.modules()]
    for layer, _ in modes:
        layer.training = False
    try:
        yield
    finally:
        for layer, mode in modes:
            layer.training = mode
