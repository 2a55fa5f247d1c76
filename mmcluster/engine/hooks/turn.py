"""When RUC's networks take turns."""
from __future__ import annotations

from mmengine.hooks import Hook
from mmengine.runner import Runner

from mmcluster.models import RUC
from mmcluster.registry import HOOKS

from ..extract import unwrap


@HOOKS.register_module()
class TurnHook(Hook):
    """Sets ``model.turn`` to 0 in even epochs, to 1 in odd ones; two epochs of the Runner are one epoch of RUC.

    While a labeller knows no labels, nothing can train the twin, and the first network keeps its turn.
    """

    priority = 'BELOW_NORMAL'

    def before_train(self, runner: Runner) -> None:
        """Refuse a model without a twin, and gradients that one turn would leave to the next.

        Raises:
            ValueError: If there is no twin, or an epoch is no multiple of ``accumulative_counts``.
        """
        model = unwrap(runner.model)
        if getattr(model, 'twin', None) is None:
            raise ValueError(f'TurnHook: {type(model).__name__} has no twin that could take turns; drop the hook')
        count = getattr(runner.optim_wrapper, '_accumulative_counts', 1)
        if len(runner.train_dataloader) % count:
            raise ValueError(f'TurnHook: an epoch of {len(runner.train_dataloader)} iterations would leave gradients '
                             f'of accumulative_counts={count} to the other network; let the length of the sampler be '
                             f'a multiple of it')

    def before_train_epoch(self, runner: Runner) -> None:
        """Let the next network train."""
        model: RUC = unwrap(runner.model)
        model.turn = runner.epoch % 2 if getattr(model.labeller, 'has_labels', True) else 0
        model.start_turn()
