"""The E-step that stores the embedding of every image."""
from __future__ import annotations

from typing import Any

from mmengine.runner import Runner
from torch import Tensor

from mmcluster.registry import HOOKS

from .estep import EStepHook


@HOOKS.register_module()
class FeatureHook(EStepHook):
    """Writes the embedding to a bank field, once (SPICE's first branch).

    Args:
        field: Bank field (N, D).
        interval: Epochs between two sweeps; -1: once, while the field is unset.
        kwargs: See :class:`EStepHook`.
    """

    def __init__(self, field: str = 'feat', interval: int = -1, **kwargs: Any):
        super().__init__(field, interval, **kwargs)

    def estimate(self, runner: Runner, features: Tensor) -> dict[str, Tensor]:
        """The features themselves, (N, D)."""
        return {self.field: features}
