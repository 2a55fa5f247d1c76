"""E-steps: sweep the data set, estimate from each rank's rows or on one rank, write the bank on all."""
from __future__ import annotations

from typing import Any

from mmengine.runner import Runner
from torch import Tensor, nn

from mmcluster.checks import require_count, require_interval
from mmcluster.functional.shards import variance
from mmcluster.models import SampleBank
from mmcluster.models.shards import process_shards

from ..extract import unwrap
from .sweep import SweepHook, all_rows, fitting, whole_numbers, write_estimate, write_share


class EStepHook(SweepHook):
    """Template of an E-step: due, extract, estimate on rank 0 from all rows, broadcast, fill the bank.

    :class:`ShardedEStepHook` is the same for what every rank can estimate for its own rows.

    Args:
        field: Bank field that is written.
        interval: Epochs between E-steps, from epoch ``begin`` on; -1: once. While a field that it writes is unset, as
            one that checkpoints do not hold is after a resume, the E-step is due at any of these epochs.
        begin: First epoch with an E-step.
        by_epoch: ``False``: ``interval`` and ``begin`` count iterations. An E-step comes between two epochs all the
            same, since loaders draw rows ahead, so both must be whole epochs; the sampler's ``length`` sets these.
        kwargs: What is extracted and how, see :class:`~mmcluster.engine.hooks.sweep.SweepHook`.
    """

    priority = 'NORMAL'

    def __init__(self, field: str, interval: int = 1, begin: int = 0, by_epoch: bool = True, **kwargs: Any):
        require_interval(type(self).__name__, interval=interval)
        require_count(type(self).__name__, least=0, begin=begin)
        super().__init__(**kwargs)
        self.field = field
        self.interval = interval
        self.begin = begin
        self.by_epoch = by_epoch

    def estimate(self, runner: Runner, features: Tensor) -> dict[str, Tensor]:
        """Compute bank values from features, on rank 0.

        Args:
            runner: The Runner.
            features: (N, D), or (N, V, D) with training views.

        Returns:
            bank field -> (N, ...), with the shape and type of the field; :meth:`buffers` likewise.
        """
        raise NotImplementedError(f'{type(self).__name__} has no estimate(runner, features): write it')

    def before_train_epoch(self, runner: Runner) -> None:
        """Run the E-step when it is due."""
        if not self.is_due(runner):
            return
        features = self.features(runner)
        bank: SampleBank = unwrap(runner.model).bank
        self.fill(runner, {name: bank.field(name) for name in self.fields()}, features)
        self.log(runner, features)

    def fill(self, runner: Runner, fields: dict[str, Tensor], features: Tensor) -> None:
        """Estimate and fill the bank and :meth:`buffers`.

        Args:
            runner: The Runner.
            fields: Name -> bank field (N, ...).
            features: (n, ...), this rank's share.
        """
        targets = {**fields, **self.buffers(unwrap(runner.model))}
        write_estimate(targets, self.estimate, runner, all_rows(features))

    def is_due(self, runner: Runner) -> bool:
        """Whether the epoch that comes next begins with this E-step."""
        bank: SampleBank = unwrap(runner.model).bank
        known = False not in [bank.is_set(name) for name in self.fields()]      # says early which field is missing
        since = (runner.epoch if self.by_epoch else self._iterations(runner)) - self.begin
        return since >= 0 and (not known or (self.interval > 0 and not since % self.interval))

    def _iterations(self, runner: Runner) -> int:
        """Iterations so far; refuses an interval that ends within an epoch."""
        length = runner.train_dataloader.sampler.length
        for name, value in (('interval', self.interval), ('begin', self.begin)):
            if value > 0 and value % length:
                raise ValueError(
                    f'{type(self).__name__}: {name}={value} iterations end within an epoch, which has {length}, and '
                    f'E-steps come between epochs. Set train_dataloader.sampler.length to {value} or one of its '
                    f'divisors, and give as many more epochs (max_epochs and total_epochs of the schedule, '
                    f'val_interval, and interval of the checkpoints)')
        return runner.iter

    def fields(self) -> list[str]:
        """Bank fields that :meth:`estimate` returns."""
        return [self.field]

    def buffers(self, model: nn.Module) -> dict[str, Tensor]:
        """Buffers of the model that :meth:`estimate` returns beside them, by name."""
        return {}

    def log(self, runner: Runner, features: Tensor) -> None:
        """Collapse watch: spread of the features (n, ..., D)."""
        runner.message_hub.update_scalar('train/estep_feat_std', spread(features).item())


def spread(features: Tensor) -> Tensor:
    """Mean standard deviation () of unit rows of all ranks over their dimensions, 1 / sqrt(D) when healthy.

    Args:
        features: (n, ..., D) of this rank.
    """
    unit = nn.functional.normalize(features.flatten(0, -2), dim=1)
    return variance(unit, process_shards()).sqrt().mean()


class ShardedEStepHook(EStepHook):
    """An E-step whose ranks keep their rows and exchange what is small: sums, counts, tables.

    :meth:`estimate` is called on all ranks, with this rank's share (n, ...) of the features. It returns fields of these
    rows, and buffers that are equal on all ranks.

    Args:
        kwargs: See :class:`EStepHook`.
    """

    def fill(self, runner: Runner, fields: dict[str, Tensor], features: Tensor) -> None:
        """Estimate on all ranks; fill the bank with the rows of all, and :meth:`buffers`."""
        values = self.estimate(runner, features)
        buffers = self.buffers(unwrap(runner.model))
        shapes = {**{name: tuple(self.own_rows(field).shape) for name, field in fields.items()},
                  **{name: tuple(buffer.shape) for name, buffer in buffers.items()}}
        whole_numbers(type(self).__name__, {**fields, **buffers}, fitting(type(self).__name__, shapes, values),
                      process_shards())
        write_share(fields, values)
        for name, buffer in buffers.items():
            buffer.copy_(values[name])

    @staticmethod
    def own_rows(field: Tensor) -> Tensor:
        """This rank's share of a bank field (N, ...)."""
        own = process_shards().share(len(field))
        return field[own.start:own.stop]


def check_num_clusters(num_clusters: int, num_samples: int) -> None:
    """Refuse fewer images than clusters.

    Raises:
        ValueError: If ``num_samples < num_clusters``.
    """
    if num_samples < num_clusters:
        raise ValueError(f'the data set has {num_samples} images, fewer than num_clusters={num_clusters}; add images '
                         f'or lower num_clusters')
