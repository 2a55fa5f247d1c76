"""The E-step that chooses trusted rows."""
from __future__ import annotations

from typing import Any, Optional

import torch
from mmengine.dist import broadcast
from mmengine.runner import Runner
from torch import Tensor

from mmcluster.functional.clustering.match import align_clusters
from mmcluster.models import SampleBank
from mmcluster.models.clusterers.base import BaseClusterer, num_clusters_of
from mmcluster.models.shards import process_shards
from mmcluster.registry import HOOKS, LABEL_SELECTORS
from mmcluster.utils import on_main_process

from ..extract import unwrap
from .estep import ShardedEStepHook
from .sweep import SweepHook, all_rows


@HOOKS.register_module()
class SelectHook(ShardedEStepHook):
    """Lets a label selector choose trusted rows and writes their labels to ``bank.target``, -1 elsewhere.

    Args:
        selector: Config of a label selector, ``(embed (N, D), prob (N, K) | None) -> target (N,)``. It runs in process
            0, or where it has ``sharded = True`` in all, with their rows and ``shards``.
        embed: Where the embedding comes from if another network has it, as arguments of
            :class:`~mmcluster.engine.hooks.sweep.SweepHook`: ``dict(network=..., output='project')``, beside
            ``output='head_probs'``.
        align: Rename the labels of a later choice by those of the one before, on the rows that both have, so that
            clusters keep their names.
        kwargs: See :class:`EStepHook`. ``output='embed'`` hands the selector an embedding, ``'head_probs'``
            probabilities, ``'embed+head_probs'`` both. ``interval`` is -1: once.
    """

    def __init__(self, selector: dict, field: str = 'target', interval: int = -1,
                 embed: Optional[dict] = None, align: bool = False, **kwargs: Any):
        super().__init__(field, interval, **kwargs)
        if embed is not None and self.output != 'head_probs':
            raise ValueError(f"SelectHook: embed is for an embedding beside output='head_probs', got output="
                             f'{self.output!r}')
        self.align = align
        self.embed = None if embed is None else SweepHook(**embed)
        self.selector = LABEL_SELECTORS.build(selector)

    def before_train(self, runner: Runner) -> None:
        """Tell the selector how many clusters the model has; refuse targets that cannot be classes of the head.

        Raises:
            ValueError: If nobody says how many clusters there are, if the selector has another number than the model,
                or if it gives numbers of its own to a head that is trained already.
        """
        model, name = unwrap(runner.model), type(self.selector).__name__
        known, own = num_clusters_of(model), getattr(self.selector, 'num_clusters', None)
        if own is None and hasattr(self.selector, 'num_clusters'):
            self.selector.num_clusters = own = known
            if own is None:
                raise ValueError(f'SelectHook: {type(model).__name__} does not say how many clusters it has; give '
                                 f'{name} num_clusters')
        if self.field != 'target':
            return
        if None not in (own, known) and own != known:
            raise ValueError(f'SelectHook: {name} has num_clusters={own}, the model {known}; give both one value, '
                             f'or drop it there')
        if self.output == 'embed' and 'head' in getattr(model, 'from_base', ()):
            raise ValueError(f"SelectHook: {name} numbers clusters of the embedding, which are not the classes of the "
                             f"head that goes on from the base. Give model.head a new head, or let the head choose: "
                             f"output='head_probs', selector=dict(type='ProbabilityVariance', sigma=...)")

    def check_output(self, model: BaseClusterer) -> None:
        """Of both networks, if two are swept."""
        super().check_output(model)
        if self.embed is not None:
            self.embed.check_output(model)

    def features(self, runner: Runner) -> Tensor:
        """What one network has, or what two have, side by side (n, D + K)."""
        features = super().features(runner)
        return features if self.embed is None else torch.cat([self.embed.features(runner), features], 1)

    def estimate(self, runner: Runner, features: Tensor) -> dict[str, Tensor]:
        """Targets (n,).

        Raises:
            RuntimeError: If the selector chose nothing.
            ValueError: If it chose a class that the model does not have.
        """
        clusters = getattr(self.selector, 'num_clusters', None) or num_clusters_of(unwrap(runner.model))
        embed: Optional[Tensor] = features
        prob: Optional[Tensor] = None
        if self.output == 'embed+head_probs' or self.embed is not None:
            embed, prob = self._split(features, clusters)
        elif self.output == 'head_probs':
            embed, prob = None, features
        target = self._selected(embed, prob)
        every = all_rows(target)
        chosen = every[every >= 0]
        if not len(chosen):
            raise RuntimeError(f'{type(self.selector).__name__} chose none of {len(every)} rows; let it choose more: '
                               f'a larger share (sigma, at least a row a cluster), or lower thresholds')
        if self.field == 'target' and clusters and int(chosen.max()) >= clusters:
            raise ValueError(f'SelectHook: {type(self.selector).__name__} gives class {int(chosen.max())}, and the '
                             f'model has num_clusters={clusters}, 0 to {clusters - 1}; give both the same classes')
        counts = torch.bincount(chosen, minlength=clusters or 0).tolist()
        runner.logger.info(f'{type(self.selector).__name__} chose {len(chosen)} of {len(every)} rows; per cluster '
                           f'{counts}')
        if min(counts) < max(counts):
            runner.logger.warning(f'the selected set is not balanced: {min(counts)} to {max(counts)} rows a cluster; a '
                                  f'cluster without any is lost, so lower the demands of the selector then')
        return {self.field: self._aligned(runner, target, clusters) if self.align else target}

    def _selected(self, embed: Optional[Tensor], prob: Optional[Tensor]) -> Tensor:
        """What the selector chooses of this rank's rows, (n,)."""
        sharded = getattr(self.selector, 'sharded', False)
        if not sharded:
            embed, prob = (None if rows is None else all_rows(rows) for rows in (embed, prob))
        given = prob if embed is None else embed
        assert given is not None
        if sharded:
            return self._checked(self.selector(embed, prob, process_shards()), len(given))
        chosen = on_main_process(lambda: self._checked(self.selector(embed, prob), len(given)))
        target = torch.empty(len(given), dtype=torch.long) if chosen is None else chosen
        target = target.to(given.device)
        broadcast(target)
        return self.own_rows(target)

    def _checked(self, target: Any, rows: int) -> Tensor:
        """What a selector returned, once it is found to be labels of all rows."""
        whole = isinstance(target, Tensor) and not (target.is_floating_point() or target.dtype == torch.bool)
        if not whole or tuple(target.shape) != (rows,):
            got = f'{target.dtype} {tuple(target.shape)}' if isinstance(target, Tensor) else type(target).__name__
            raise ValueError(f'{type(self.selector).__name__} must return the label of every row, whole numbers '
                             f'({rows},), -1 where it trusts none; got {got}')
        return target.long()

    def _aligned(self, runner: Runner, target: Tensor, clusters: Optional[int]) -> Tensor:
        """Targets (n,) with the names of those in the bank, if there are any."""
        bank: SampleBank = unwrap(runner.model).bank
        before, shards = self.own_rows(bank.field(self.field)).to(target.device), process_shards()
        both = ((target >= 0) & (before >= 0)).nonzero().flatten()
        if not int(shards.sum(torch.tensor(len(both)))):
            return target
        assert clusters is not None     # or the selector had none to give
        return torch.as_tensor(align_clusters(target, both, before[both], clusters, shards=shards).aligned)

    def _split(self, features: Tensor, num_clusters: Optional[int]) -> tuple[Tensor, Tensor]:
        """Embedding (n, D) and probabilities (n, K), which stand side by side in what was extracted."""
        if not num_clusters:
            raise ValueError("SelectHook: output='embed+head_probs' splits off K columns, and nobody says K: give the "
                             'selector num_clusters')
        embed, prob = features[:, :-num_clusters], features[:, -num_clusters:]
        wrong = ((prob < 0).any(1) | ((prob.sum(1) - 1).abs() > 1e-3)).any()
        if process_shards().sum(wrong.long()):
            raise ValueError(f'SelectHook has num_clusters={num_clusters}, which is not the K of the head: its '
                             f'probabilities do not sum to 1. Give hook, selector and head one value')
        return embed, prob
