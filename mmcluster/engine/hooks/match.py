"""Two sets of cluster ids brought together by the whole data set."""
from __future__ import annotations

from typing import Any

from mmengine.runner import Runner
from torch import Tensor

from mmcluster.checks import require_count
from mmcluster.functional.losses.cross_level import label_votes, match_labels
from mmcluster.models import SampleBank
from mmcluster.models.shards import process_shards
from mmcluster.registry import HOOKS

from ..extract import unwrap
from .estep import ShardedEStepHook
from .sweep import all_rows


@HOOKS.register_module()
class MatchHook(ShardedEStepHook):
    """Renames ``bank.view_label`` (N, V) to the clusters of the head, as the rows of the whole set agree best.

    It comes after the hook that writes the labels, every epoch, and does for ``PICI(match='set')`` what ``'batch'``
    does in every step. One name is exchanged for another, so repeating it loses nothing.

    Args:
        begin: First epoch.
        kwargs: See :class:`~mmcluster.engine.hooks.sweep.SweepHook`. The head's clusters are those of the evaluation
            views, or with ``views='train'`` those of each view.
    """

    def __init__(self, begin: int = 0, **kwargs: Any):
        require_count('MatchHook', least=0, begin=begin)
        super().__init__('view_label', interval=1, begin=begin, output='logits', **kwargs)

    def estimate(self, runner: Runner, features: Tensor) -> dict[str, Tensor]:
        """Renamed labels (n,) or (n, V), as the field's rows, from logits (n, M) or (n, V, M).

        Raises:
            RuntimeError: If the field is not filled.
        """
        bank: SampleBank = unwrap(runner.model).bank
        if not bank.is_set(self.field):
            raise RuntimeError(f'MatchHook: bank.{self.field} is not filled; let the KMeansHook that writes it come '
                               f'before this hook, with begin={self.begin} or earlier')
        label = self.own_rows(bank.field(self.field))
        columns, cluster = self._columns(label, features)
        votes = process_shards().sum(label_votes(columns, cluster, features.shape[-1])).cpu()
        return {self.field: match_labels(columns, votes).view_as(label)}

    def log(self, runner: Runner, features: Tensor) -> None:
        """Share of the labels that are the head's clusters, by their new names."""
        label = self.own_rows(unwrap(runner.model).bank.field(self.field))
        columns, cluster = self._columns(label, features)
        agree = all_rows((columns.cpu() == cluster.cpu()).float())
        runner.message_hub.update_scalar('train/match_agreement', float(agree.mean()))

    @staticmethod
    def _columns(label: Tensor, logits: Tensor) -> tuple[Tensor, Tensor]:
        """Labels, and clusters of the head, (n, V) each."""
        columns, cluster = label.flatten(1) if label.dim() > 1 else label[:, None], logits.argmax(-1)
        return columns, (cluster if cluster.dim() > 1 else cluster[:, None]).expand_as(columns)
