"""A watch over what a booster predicts, and an alarm when it puts everything into few clusters."""
from __future__ import annotations

from typing import Any, Optional

from mmengine.hooks import Hook
from mmengine.runner import Runner
from torch import Tensor

from mmcluster.checks import require_count, require_share
from mmcluster.functional.labels.diagnostics import balance
from mmcluster.models.watch import ClusterWatch
from mmcluster.registry import HOOKS

from ..extract import unwrap

SHOWN = 20      # clusters of a histogram in the log


@HOOKS.register_module()
class CollapseHook(Hook):
    """Logs which clusters a booster predicted for unlabelled rows, and which labels labelled rows got.

    It looks at the end of every epoch at what was counted since the last look, and warns, with what helps, when the
    predictions are one-sided or miss a cluster. Steps before the labeller knows labels, as before ASD's first map, do
    not count. Ground truth has no part in it, and training does not change.

    Args:
        interval: Look also every so many iterations; ``None``: at the end of epochs only.
        max_share: Warn if one cluster has a larger share of the predictions; ``None``: half of the way from an equal
            share to all, (1 + 1 / K) / 2.
        min_balance: Warn if the entropy of the predictions, divided by log K, is smaller.
    """

    priority = 'NORMAL'

    def __init__(self, interval: Optional[int] = None, max_share: Optional[float] = None, min_balance: float = 0.5):
        require_count('CollapseHook', interval=interval)
        require_share('CollapseHook', max_share=max_share, min_balance=min_balance)
        self.interval = interval
        self.max_share = max_share
        self.min_balance = min_balance

    def before_train(self, runner: Runner) -> None:
        """Let the model count.

        Raises:
            ValueError: If it cannot.
        """
        watch = getattr(unwrap(runner.model), 'watch', None)
        if watch is None:
            raise ValueError(f'CollapseHook watches a booster, and {type(unwrap(runner.model)).__name__} is none; drop '
                             f'the hook')
        watch.start()

    def after_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None,
                         outputs: Optional[dict] = None) -> None:
        """Look when it is due."""
        if self.interval and (runner.iter + 1) % self.interval == 0:
            self.look(runner, runner.iter + 1)

    def after_train_epoch(self, runner: Runner) -> None:
        """Look at what is left, before a checkpoint is made."""
        self.look(runner, runner.iter)

    def look(self, runner: Runner, done: int) -> None:
        """Report, warn and begin anew; nothing if nothing was counted.

        Args:
            runner: The Runner.
            done: Iterations so far.
        """
        watch: ClusterWatch = unwrap(runner.model).watch
        predicted, given = watch.pop_counts()
        if not predicted.sum():
            return
        values = dict(_values('cluster', predicted), clusters_empty=float((predicted == 0).sum()))
        if given.sum():
            values.update(_values('label', given))
        for name, value in values.items():
            runner.message_hub.update_scalar(f'train/{name}', value)
        text = f'iteration {done}: predictions of each cluster {_listed(predicted)}'
        runner.logger.info(text + (f', labels {_listed(given)}' if given.sum() else ''))
        problems = self.problems(predicted)
        if problems:
            runner.logger.warning(f'iteration {done}: the predictions collapse: {"; ".join(problems)}. '
                                  + _advice(self.problems(given) if given.sum() else []))

    def problems(self, counts: Tensor) -> list[str]:
        """What is one-sided in counts (K,), in words."""
        share, num_clusters = counts / counts.sum(), len(counts)
        limit = (1 + 1 / num_clusters) / 2 if self.max_share is None else self.max_share
        found, level = [], float(balance(share))
        if share.max() > limit:
            found.append(f'cluster {int(share.argmax())} has {float(share.max()):.0%} of them')
        if level < self.min_balance:
            found.append(f'their entropy is {level:.2f} of the largest possible one')
        if not counts.all():
            found.append(f'{int((counts == 0).sum())} of {num_clusters} clusters are empty')
        return found


def _values(name: str, counts: Tensor) -> dict[str, float]:
    """Logged figures of counts (K,)."""
    share = counts / counts.sum()
    return {f'{name}_share': float(share.max()), f'{name}_balance': float(balance(share))}


def _listed(counts: Tensor) -> str:
    """Counts (K,) as text, the largest ones of many."""
    if len(counts) <= SHOWN:
        return str(counts.tolist())
    return f'{counts.sort(descending=True).values[:SHOWN].tolist()} and {len(counts) - SHOWN} smaller ones'


def _advice(label_problems: list[str]) -> str:
    """What helps; labels that are one-sided themselves come first."""
    if label_problems:
        return (f'So do the labels ({"; ".join(label_problems)}); begin there: select equally many rows of every '
                f'cluster. With ASD: prototypes instead of random rows, more of them (tools/analysis_tools/coverage.py '
                f'advises), TransitionHook(norm="sym_degree"), and a smaller reg if label_perplexity is large')
    return ('The labels are not, so the loss is too sure too early: take a loss with a fairness term '
            '(fairness_weight of FreeMatchLoss or ClusMatchLoss), lower the learning rate or the weight of the '
            'unlabelled rows, or raise the threshold')
