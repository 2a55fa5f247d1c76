"""When the thresholds of a pseudo-label loss move, and where they stand."""
from __future__ import annotations

from typing import Any, Optional

from mmengine.hooks import Hook
from mmengine.runner import Runner

from mmcluster.models.pseudo_label_losses import PseudoLabelLoss
from mmcluster.registry import HOOKS

from ..extract import unwrap


@HOOKS.register_module()
class ThresholdHook(Hook):
    """Delays, thins out or freezes the moving thresholds of a booster's loss, and logs them; stateless.

    The thresholds and the averages they are made of are buffers of the loss, which says when asked by ``thresholds()``
    where they stand and moves them while ``moves`` is true: ClusMatch, FreeMatch, FlexMatch, SoftMatch, AdaMatch, or a
    loss of your own that does both. With the defaults they move at every step, as without the hook.

    ``threshold_mean`` and ``threshold_spread`` (the standard deviation over clusters) stand in the log beside the share
    of rows above them, ``positive_share`` or ``mask_share``, which the loss logs itself.

    Args:
        begin: First epoch, counted from 0, in which thresholds move.
        freeze: Epoch from which on they stand still again; ``None``: never.
        interval: Move them at every so many iterations of the run.
        log_interval: Look at them every so many iterations, and at the end of every epoch. A look waits for the device.
    """

    priority = 'HIGH'

    def __init__(self, begin: int = 0, freeze: Optional[int] = None, interval: int = 1, log_interval: int = 50):
        for name, value, least in (('begin', begin, 0), ('interval', interval, 1), ('log_interval', log_interval, 1),
                                   ('freeze', freeze, begin)):
            if value is not None and (not isinstance(value, int) or value < least):
                raise ValueError(f'ThresholdHook: {name} is a whole number of at least {least}, got {value!r}')
        self.begin = begin
        self.freeze = freeze
        self.interval = interval
        self.log_interval = log_interval

    def due(self, epoch: int, iteration: int) -> bool:
        """Whether thresholds move in an iteration, both numbers counted from 0."""
        frozen = self.freeze is not None and epoch >= self.freeze
        return epoch >= self.begin and not frozen and iteration % self.interval == 0

    def before_train(self, runner: Runner) -> None:
        """Refuse a loss without moving thresholds.

        Raises:
            ValueError: If there is none.
        """
        if _loss(runner) is None:
            raise ValueError('ThresholdHook: the model has no pseudo-label loss whose thresholds move; drop the hook')

    def before_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None) -> None:
        """Say whether this step moves them."""
        loss = _loss(runner)
        assert loss is not None     # or before_train has refused
        loss.moving = self.due(runner.epoch, runner.iter)

    def after_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None,
                         outputs: Optional[dict] = None) -> None:
        """Log when it is due."""
        if (runner.iter + 1) % self.log_interval == 0:
            self._log(runner)

    def after_train_epoch(self, runner: Runner) -> None:
        """Log where they stand."""
        self._log(runner)

    def _log(self, runner: Runner) -> None:
        loss = _loss(runner)
        thresholds = None if loss is None else loss.thresholds()
        if thresholds is None:
            return
        thresholds = thresholds.float()
        runner.message_hub.update_scalar('train/threshold_mean', float(thresholds.mean()))
        runner.message_hub.update_scalar('train/threshold_spread', float(thresholds.std(correction=0)))


def _loss(runner: Runner) -> Optional[PseudoLabelLoss]:
    """The loss whose thresholds move, or ``None``."""
    loss = getattr(unwrap(runner.model), 'pseudo_label_loss', None)
    offers = isinstance(loss, PseudoLabelLoss) and loss.thresholds() is not None
    return loss if offers else None
