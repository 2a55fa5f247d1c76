"""DEC's E-step, and its end."""
from __future__ import annotations

from typing import Any

import torch
from mmengine.runner import Runner

from mmcluster.checks import require_count, require_not_negative
from mmcluster.functional.clustering.kmeans import kmeans
from mmcluster.functional.losses.dec import label_change, target_distribution
from mmcluster.models.clusterers import DEC
from mmcluster.models.shards import process_shards
from mmcluster.registry import HOOKS

from ..extract import unwrap
from .estep import check_num_clusters
from .sweep import SweepHook, write_share


@HOOKS.register_module()
class TargetHook(SweepHook):
    """Writes the labels and the sharpened targets of all rows to the bank, and ends the training.

    Before the first step, while the bank is empty, the centres are those of k-means on the embedding. From then on an
    E-step comes after every epoch, whose length in steps is the sampler's ``length``. When fewer labels than ``tol``
    changed the training ends; the share is a buffer of the model, so a run that is resumed there ends at once, too.

    Args:
        tol: Share of labels; 0 never ends.
        n_init: Restarts of k-means.
        kwargs: ``batch_size`` and ``num_workers`` of the sweeps, see :class:`SweepHook`.
    """

    priority = 'NORMAL'

    def __init__(self, tol: float = 1e-3, n_init: int = 20, **kwargs: Any):
        require_not_negative('TargetHook', tol=tol)
        require_count('TargetHook', n_init=n_init)
        super().__init__('logits', **kwargs)
        self.tol = tol
        self.n_init = n_init
        self.start = SweepHook('embed', **kwargs)

    def before_train(self, runner: Runner) -> None:
        """Refuse fewer images than clusters; a run that had ended stays so."""
        model = unwrap(runner.model)
        if not isinstance(model, DEC):
            raise ValueError(f'TargetHook writes the targets of DEC and IDEC, and {type(model).__name__} has none; '
                             f'drop the hook')
        check_num_clusters(model.num_clusters, len(runner.train_dataloader.dataset))
        runner.train_loop.stop_training = bool(model.changed < self.tol)

    def before_train_epoch(self, runner: Runner) -> None:
        """The first E-step."""
        model: DEC = unwrap(runner.model)
        if model.bank.is_set('label'):
            return
        embed = self.start.features(runner)
        found = kmeans(embed, model.num_clusters, n_init=self.n_init, metric='euclidean', seed=runner.seed or 0,
                       shards=process_shards())
        with torch.no_grad():
            model.head.centers.copy_(found.centers)
        self._estep(runner)

    def after_train_epoch(self, runner: Runner) -> None:
        """A further E-step, the last one where labels stand still; before the checkpoint."""
        self._estep(runner)
        model: DEC = unwrap(runner.model)
        if model.changed < self.tol:
            runner.train_loop.stop_training = True
            runner.logger.info(f'epoch {runner.epoch + 1}: {float(model.changed):.3%} of the labels changed, fewer '
                               f'than tol={self.tol:.3%}: the training ends')

    def _estep(self, runner: Runner) -> None:
        """Write labels and targets, and how much changed."""
        model: DEC = unwrap(runner.model)
        last = model.bank.field('label').clone()
        logits = self.features(runner)
        target = target_distribution(logits.softmax(1), process_shards()).target
        write_share({name: model.bank.field(name) for name in ('label', 'soft_target')},
                    dict(label=logits.argmax(1), soft_target=target))
        model.changed.copy_(label_change(model.bank.field('label'), last))
        sizes = torch.bincount(model.bank.field('label'), minlength=model.num_clusters).tolist()
        runner.message_hub.update_scalar('train/changed', float(model.changed))
        runner.message_hub.update_scalar('train/cluster_min', min(sizes))
        runner.message_hub.update_scalar('train/cluster_max', max(sizes))
        runner.logger.info(f'E-step: {float(model.changed):.3%} of the labels changed; cluster sizes {min(sizes)} to '
                           f'{max(sizes)}, {sum(size == 0 for size in sizes)} empty')
