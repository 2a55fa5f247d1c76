"""The E-step that stores the embedding of every image."""
from __future__ import annotations

from typing import Any

from mmengine.runner import Runner
from torch import Tensor

from mmcluster.registry import HOOKS

from .estep import ShardedEStepHook


@HOOKS.register_module()
class FeatureHook(ShardedEStepHook):
    """Writes the embedding to ``bank.feat`` (N, D), once, while it is unset (SPICE's first branch).

    Args:
        kwargs: See :class:`~mmcluster.engine.hooks.sweep.SweepHook`.
    """

    def __init__(self, **kwargs: Any):
        super().__init__('feat', interval=-1, **kwargs)

    def estimate(self, runner: Runner, features: Tensor) -> dict[str, Tensor]:
        """The features themselves, (n, D)."""
        return {self.field: features}
