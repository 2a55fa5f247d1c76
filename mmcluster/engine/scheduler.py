"""Learning rates in closed form: a function of the iteration, so that resume is exact."""
from __future__ import annotations

from typing import Any, Optional

from mmengine.optim.scheduler.param_scheduler import INF, _ParamScheduler
from torch.optim import Optimizer

from mmcluster.checks import require_not_negative, require_positive, require_share
from mmcluster.functional.schedule import fixmatch_cosine, half_cosine, warmup_cosine
from mmcluster.registry import PARAM_SCHEDULERS


class ClosedFormLR(_ParamScheduler):
    """Base of schedulers whose learning rate is ``base * factor(step)``.

    A config counts in epochs; with ``convert_to_iter_based=True`` the rate moves every iteration, without it once an
    epoch. A resumed run takes only the number of its step from the checkpoint, the curve is the config's. Groups that
    ``GroupedOptimWrapperConstructor`` marks as constant keep their rate.

    Args:
        optimizer: The optimiser or its wrapper.
        kwargs: See ``mmengine.optim._ParamScheduler``.
    """

    def __init__(self, optimizer: Optimizer, **kwargs: Any):
        super().__init__(optimizer, 'lr', **kwargs)

    @classmethod
    def build_iter_from_epoch(cls, *args: Any, epoch_length: Optional[int] = None, by_epoch: bool = True,
                              begin: int = 0, end: int = INF, **kwargs: Any) -> ClosedFormLR:
        """Build from a config in epochs (``convert_to_iter_based=True``).

        Args:
            epoch_length: Iterations an epoch.
            by_epoch: Always true in such a config.
            begin: First epoch.
            end: Epoch after the last.
            args: Passed on.
            kwargs: Passed on.

        Raises:
            ValueError: If there is nothing to convert.
        """
        if not by_epoch or not epoch_length:
            raise ValueError(f'{cls.__name__}: convert_to_iter_based=True needs by_epoch=True and a data loader of '
                             f'known length')
        return cls(*args, begin=begin * epoch_length, end=end if end == INF else end * epoch_length, by_epoch=False,
                   iters_per_epoch=epoch_length, **kwargs)

    def load_state_dict(self, state_dict: dict) -> None:
        """Go to the step of a checkpoint, and set the rate that the config has there.

        Args:
            state_dict: Made by ``state_dict``.
        """
        self._global_step = state_dict['_global_step']
        self.last_step = min(self._global_step, self.end - 1) - self.begin
        if self.last_step >= 0:
            for group, value in zip(self.optimizer.param_groups, self._get_value()):
                group[self.param_name] = value

    def factor(self, step: int) -> float:
        """Factor of the base learning rate at a step, counted from 0."""
        raise NotImplementedError

    def constant_factor(self, step: int) -> float:
        """Factor of those whose rate is constant, 1 unless a schedule says otherwise."""
        return 1.

    def _get_value(self) -> list[float]:
        factor, constant = self.factor(self.last_step), self.constant_factor(self.last_step)
        return [base * (constant if group.get('constant_lr') else factor)
                for base, group in zip(self.base_values, self.optimizer.param_groups)]


@PARAM_SCHEDULERS.register_module()
class WarmupCosineLR(ClosedFormLR):
    """ProPos's schedule, see :func:`mmcluster.functional.schedule.warmup_cosine`.

    Args:
        optimizer: The optimiser or its wrapper.
        total_epochs: E.
        warmup_epochs: W.
        iters_per_epoch: Steps an epoch; filled in by ``convert_to_iter_based=True``, else leave it.
        eta_min_ratio: Factor at the cosine's end.
        denominator: ``'total'`` or ``'rest'``.
        stepwise: The variant that moves once an epoch.
        rest_epochs: First epochs at rate 0, fewer than ``warmup_epochs``.
        rising: What ``paramwise_cfg.constant_lr`` names rises by half a cosine from 0 to its rate at the end of the run
            (SeCu with the entropy of cluster sizes on ImageNet).
        kwargs: See :class:`ClosedFormLR`.
    """

    def __init__(self, optimizer: Optimizer, total_epochs: int, warmup_epochs: int = 0, iters_per_epoch: int = 1,
                 eta_min_ratio: float = 0., denominator: str = 'total', stepwise: bool = False, rest_epochs: int = 0,
                 rising: bool = False, **kwargs: Any):
        require_positive('WarmupCosineLR', total_epochs=total_epochs, iters_per_epoch=iters_per_epoch)
        require_not_negative('WarmupCosineLR', warmup_epochs=warmup_epochs, rest_epochs=rest_epochs)
        if rest_epochs and (stepwise or rest_epochs >= warmup_epochs):
            raise ValueError(f'WarmupCosineLR: the rate rests in the first rest_epochs={rest_epochs} of the '
                             f'warmup_epochs={warmup_epochs}: give more of these, and not stepwise=True')
        require_share('WarmupCosineLR', eta_min_ratio=eta_min_ratio)
        if denominator not in ('total', 'rest'):
            raise ValueError(f"denominator must be 'total' or 'rest', got {denominator!r}")
        self.options: dict[str, Any] = dict(
            iters_per_epoch=iters_per_epoch, warmup_epochs=warmup_epochs, total_epochs=total_epochs,
            eta_min_ratio=eta_min_ratio, denominator=denominator, stepwise=stepwise, rest_epochs=rest_epochs)
        self.rising = rising
        super().__init__(optimizer, **kwargs)

    def constant_factor(self, step: int) -> float:
        """1, or the rising half of a cosine."""
        total = self.options['total_epochs'] * self.options['iters_per_epoch']
        return 1 - half_cosine(step / total) if self.rising else 1.

    def factor(self, step: int) -> float:
        """Factor at iteration n = step + 1."""
        return warmup_cosine(step + 1, **self.options)


@PARAM_SCHEDULERS.register_module()
class FixMatchCosineLR(ClosedFormLR):
    """FixMatch's cos(7 pi / 16 * progress), see :func:`mmcluster.functional.schedule.fixmatch_cosine`.

    Args:
        optimizer: The optimiser or its wrapper.
        total_epochs: Epochs of the run.
        warmup_epochs: Epochs of linear warm-up.
        iters_per_epoch: Steps an epoch; filled in by ``convert_to_iter_based=True``, else leave it.
        kwargs: See :class:`ClosedFormLR`.
    """

    def __init__(self, optimizer: Optimizer, total_epochs: int, warmup_epochs: int = 0, iters_per_epoch: int = 1,
                 **kwargs: Any):
        require_positive('FixMatchCosineLR', total_epochs=total_epochs, iters_per_epoch=iters_per_epoch)
        require_not_negative('FixMatchCosineLR', warmup_epochs=warmup_epochs)
        self.options = dict(total=total_epochs * iters_per_epoch, warmup=warmup_epochs * iters_per_epoch)
        super().__init__(optimizer, **kwargs)

    def factor(self, step: int) -> float:
        """Factor at iteration ``step``, counted from 0."""
        return fixmatch_cosine(step, **self.options)
