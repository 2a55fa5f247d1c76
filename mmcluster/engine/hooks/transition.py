"""When ASD chooses its anchors, and when it maps instance classes to clusters."""
from __future__ import annotations

from typing import Any, Optional

import torch
from mmengine.dist import broadcast
from mmengine.hooks import Hook
from mmengine.runner import Runner
from torch import Tensor

from mmcluster.checks import require_choice, require_count
from mmcluster.functional.clustering.match import contingency
from mmcluster.functional.labels.diagnostics import (inside_share, map_churn, mean_perplexity, medoid_objective,
                                                     num_distinct, silent_share, silhouette)
from mmcluster.functional.labels.transition import (METHODS, NORMS, align_map, class_votes, cluster_classes,
                                                    dissimilarity, transition_similarity)
from mmcluster.models import SampleBank
from mmcluster.models.batch_norm import broadcast_statistics
from mmcluster.models.labellers import ASDLabels
from mmcluster.models.shards import process_shards
from mmcluster.registry import HOOKS
from mmcluster.utils import on_main_process

from ..extract import unwrap
from .sweep import SweepHook

LOG_INTERVAL = 10       # iterations between two looks at the labels


@HOOKS.register_module()
class AnchorHook(Hook):
    """Chooses ASD's anchors once: the labelled rows of the first iteration; logs how rows are aligned with them.

    ``bank.anchor`` holds the instance class of each anchor, counted in the order of the data set. If the stream
    ``labelled`` draws from a bank field, all rows of that field are anchors, unless their labels are given. They stay,
    also after a resume.

    Every ``LOG_INTERVAL`` iterations ``label_perplexity`` and ``instance_classes`` of the labels and the number of
    ``transitions`` in this iteration go to the log, which waits for the device.
    """

    priority = 'NORMAL'

    def before_train_epoch(self, runner: Runner) -> None:
        """Fill the field unless it is known.

        Raises:
            ValueError: If there are not as many rows as instance classes, or the rows of given labels are not drawn.
        """
        bank: SampleBank = unwrap(runner.model).bank
        labeller: ASDLabels = unwrap(runner.model).labeller
        wanted = labeller.num_labelled
        if bank.is_set('anchor'):
            return
        sampler = runner.train_dataloader.sampler
        pool, given = sampler.streams['labelled'].pool, labeller.given
        if given is not None and pool not in (given, 'all'):
            raise ValueError(f"AnchorHook: the labels are given by bank.{given}, so stream 'labelled' must draw "
                             f"from it, or from 'all' where all are given: set its pool to {given!r}, not {pool!r}")
        if pool != 'all':
            rows = (getattr(bank, pool) >= 0).nonzero().flatten()
        if pool == given:
            sampler.set_pool('labelled', rows)
        if pool in ('all', given):
            rows = sampler.chunk('labelled', 0)
        rows = rows.unique().to(bank.field('anchor').device)
        if len(rows) != wanted:
            raise ValueError(f'AnchorHook: {len(rows)} rows for {wanted} instance classes; num_labelled of the '
                             f"labeller, the size of stream 'labelled' and the rows that its pool holds must be "
                             f'one number, of prototypes per_cluster times num_clusters')
        bank.fill(index=rows, anchor=torch.arange(len(rows), device=rows.device))

    def after_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None,
                         outputs: Optional[dict] = None) -> None:
        """Log when it is due."""
        labeller: ASDLabels = unwrap(runner.model).labeller
        if (runner.iter + 1) % LOG_INTERVAL or not labeller.seen:
            return
        labels = labeller.seen['labels']
        values = dict(label_perplexity=mean_perplexity(labels.label),
                      instance_classes=num_distinct(labels.index, labeller.num_labelled),
                      transitions=(labeller.ring[labeller.pointer - 1] >= 0).sum())
        for name, value in values.items():
            runner.message_hub.update_scalar(f'train/{name}', float(value))


@HOOKS.register_module()
class TransitionHook(SweepHook):
    """Clusters ASD's instance classes by their transitions, every ``interval`` iterations (section III-D).

    Rank 0 clusters the table of transitions, all ranks take over. The clusters of a new map keep the names of the old
    one. While there are no transitions, or fewer instance classes with one than clusters, the map is postponed.

    Args:
        interval: N_t, iterations.
        norm: Normalisation of the transitions, see
            :func:`~mmcluster.functional.labels.transition.transition_similarity`.
        method: ``'pam'``, ``'average'`` or ``'spectral'``.
        starts: First medoids from which ``'pam'`` begins in turn; 1 is PAM as published.
        align_first: ``'head'``: name the clusters of the first map as the trained head does, by how it labels the
            images of each instance class; ``None``: the first names are free.
        first: Iteration of the first map; ``None``: ``interval``.
        kwargs: See :class:`~mmcluster.engine.hooks.sweep.SweepHook`, for ``align_first``.
    """

    priority = 'LOW'

    def __init__(self, interval: int = 1000, norm: str = 'minmax', method: str = 'pam', starts: int = 4,
                 align_first: Optional[str] = None, first: Optional[int] = None, **kwargs: Any):
        require_count('TransitionHook', interval=interval, first=first, starts=starts)
        super().__init__(output='logits', **kwargs)
        require_choice('TransitionHook', NORMS, norm=norm)
        require_choice('TransitionHook', METHODS, method=method)
        require_choice('TransitionHook', ('head', None), align_first=align_first)
        self.interval = interval
        self.norm = norm
        self.method = method
        self.align_first = align_first
        self.first = first or interval
        self.starts = starts

    def before_train(self, runner: Runner) -> None:
        """Warn of a first map that would come after the end, without which the head is not trained."""
        if self.first > runner.max_iters and not unwrap(runner.model).labeller.has_labels:
            runner.logger.warning(f'the first map of instance classes is due at iteration {self.first} and the run has '
                                  f'{runner.max_iters}, so the head will not be trained: lower interval, or give first')

    def after_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None,
                         outputs: Optional[dict] = None) -> None:
        """Make a map when it is due."""
        done = runner.iter + 1
        labeller: ASDLabels = unwrap(runner.model).labeller
        if done != self.first and (done < self.first or done % self.interval):
            return
        moving = int((labeller.counts.sum(0) + labeller.counts.sum(1) > 0).sum())
        if moving < labeller.num_clusters:
            runner.logger.warning(f'iteration {done}: {moving} of {labeller.num_labelled} instance classes have a '
                                  f'transition, too few for {labeller.num_clusters} clusters; the map is postponed')
            return
        votes = self.votes(runner) if self.align_first and not labeller.mapped else None
        new = on_main_process(self.make_map, runner, votes)
        new = torch.empty_like(labeller.class_map) if new is None else new.to(labeller.class_map)
        broadcast(new)
        self._report(runner, labeller, new)
        labeller.set_map(new)

    def after_train(self, runner: Runner) -> None:
        """Say so if there never was a map."""
        if not unwrap(runner.model).labeller.has_labels:
            runner.logger.warning('there never was a map of instance classes, so the head was not trained: train '
                                  'longer, or see above why maps were postponed')

    def votes(self, runner: Runner) -> Tensor:
        """How many images of each instance class the trained head gives to each cluster, (n_l, K) long, of all ranks.

        Args:
            runner: The Runner.
        """
        model, shards = unwrap(runner.model), process_shards()
        labeller: ASDLabels = model.labeller
        broadcast_statistics(model)         # epochs end with it, and this is within one
        given = self.features(runner).argmax(1)
        pred = shards.own(model.bank.field('pred'), len(given))
        return shards.sum(contingency(pred, given, labeller.num_labelled, labeller.num_clusters))

    def make_map(self, runner: Runner, votes: Optional[Tensor] = None) -> Tensor:
        """Cluster and name the instance classes.

        Args:
            runner: The Runner.
            votes: (n_l, K) of the trained head, for the names of the first map.

        Returns:
            (n_l,) long.
        """
        labeller: ASDLabels = unwrap(runner.model).labeller
        similarity = self.similarity(labeller)
        found = cluster_classes(similarity, labeller.num_clusters, self.method, self.starts).to(labeller.class_map)
        if labeller.mapped:
            votes = class_votes(labeller.class_map, labeller.num_clusters)
        return found if votes is None else align_map(found, votes, labeller.num_clusters).class_map

    def similarity(self, labeller: ASDLabels) -> Tensor:
        """Similarity (n_l, n_l) of instance classes, from the transitions in the window."""
        return transition_similarity(labeller.counts, len(labeller.ring), self.norm)

    def _report(self, runner: Runner, labeller: ASDLabels, new: Tensor) -> None:
        """Log how much of the map moved, how well it fits the transitions, and who never moves."""
        far = dissimilarity(self.similarity(labeller))
        values = dict(map_churn=float(map_churn(labeller.class_map, new)),
                      inside_share=float(inside_share(labeller.counts, new)),
                      silent_share=float(silent_share(labeller.counts)),
                      medoid_objective=float(medoid_objective(far, new, labeller.num_clusters) / len(far)),
                      silhouette=float(silhouette(far, new)))
        for name, value in values.items():
            runner.message_hub.update_scalar(f'train/{name}', value)
        runner.logger.info(f'iteration {runner.iter + 1}: map of instance classes, ' +
                           ', '.join(f'{name} {value:.3f}' for name, value in values.items()))
