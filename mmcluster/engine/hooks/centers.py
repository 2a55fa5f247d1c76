"""When SeCu's representation gets new centres to learn from."""
from __future__ import annotations

from mmengine.hooks import Hook
from mmengine.runner import Runner

from mmcluster.registry import HOOKS

from ..extract import unwrap


@HOOKS.register_module()
class PreviousCentersHook(Hook):
    """Lets the representation of an epoch learn from the centres as they are when it begins."""

    priority = 'HIGH'

    def before_train(self, runner: Runner) -> None:
        """Refuse a model that keeps no centres.

        Raises:
            ValueError: If it does not.
        """
        model = unwrap(runner.model)
        if not callable(getattr(model, 'keep_centers', None)):
            raise ValueError(f'PreviousCentersHook: {type(model).__name__} keeps no centres of an earlier epoch; drop '
                             f'the hook')

    def before_train_epoch(self, runner: Runner) -> None:
        """Take over the present centres."""
        unwrap(runner.model).keep_centers()
