"""Label-free selection of a head after every epoch."""
from __future__ import annotations

from typing import Any

from mmengine.dist import broadcast
from mmengine.runner import Runner

from mmcluster.models import MultiHeadClusterer
from mmcluster.models.shards import process_shards
from mmcluster.registry import HOOKS

from ..extract import unwrap
from .sweep import SweepHook


@HOOKS.register_module()
class BestHeadHook(SweepHook):
    """Asks the model for the loss of each head over the whole training set and offers it the best one.

    Every rank asks for its rows, and what is small travels. Ground truth has no part in it.

    Args:
        kwargs: See :class:`~mmcluster.engine.hooks.sweep.SweepHook`.
    """

    priority = 'NORMAL'

    def __init__(self, **kwargs: Any):
        super().__init__(output='head_logits', **kwargs)

    def after_train_epoch(self, runner: Runner) -> None:
        """Select."""
        model: MultiHeadClusterer = unwrap(runner.model)
        losses = model.selection_losses(self.features(runner), process_shards())
        losses = losses.to(model.best_so_far.loss).contiguous()
        broadcast(losses)       # whatever rounds apart on different hardware, all keep one head
        taken = model.keep_if_better(losses)
        runner.message_hub.update_scalar('train/head_loss_min', losses.min().item())
        runner.message_hub.update_scalar('train/chosen_loss', model.best_so_far.loss.item())
        best = model.best_so_far
        runner.logger.info(f'losses of the heads over the whole set: {[round(loss, 4) for loss in losses.tolist()]}; '
                           f'{"kept" if taken else "none better than the kept"} head {int(best.head_index)} '
                           f'with {best.loss.item():.4f}')
