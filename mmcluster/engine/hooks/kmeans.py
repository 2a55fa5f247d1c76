"""The E-step that clusters the embedding."""
from __future__ import annotations

from typing import Any, Optional

import torch
from mmengine.runner import Runner
from torch import Tensor

from mmcluster.checks import require_choice, require_count, require_positive, require_two_clusters
from mmcluster.functional.clustering.kmeans import METRICS, center_similarity, kmeans
from mmcluster.functional.clustering.match import align_clusters
from mmcluster.functional.losses.cross_level import scale_features
from mmcluster.models.clusterers.base import BaseClusterer, num_clusters_of
from mmcluster.models.shards import process_shards
from mmcluster.registry import HOOKS

from ..extract import unwrap
from .estep import ShardedEStepHook, check_num_clusters
from .sweep import SweepHook

SCALE_BATCH = 96        # rows whose range PICI's release scales by, its batch size


@HOOKS.register_module()
class KMeansHook(ShardedEStepHook):
    """Clusters the embedding by spherical k-means with restarts and writes ``bank.label``.

    Args:
        num_clusters: K; ``None``: that of the model.
        align_to: Bank field of trusted targets (N,); clusters are renamed by Hungarian matching on its rows >= 0, so
            that ids keep the meaning of the head's classes (ClusMatch section 3.2). ``'head'``: by what the head of the
            model, which must be trained, predicts for all rows.
        n_init: Restarts.
        metric: ``'cosine'`` or ``'euclidean'``.
        posterior_temperature: If given, ``bank.posterior`` (N, K) is written too: the softmax of the similarities to
            the centres, divided by this.
        per_view: Cluster every training view on its own, with ids that have nothing to do with each other's (PICI).
            ``False``: all views together.
        scale: Stretch every dimension to [0, 1] first, by the range of the ``'set'`` or, as PICI's release does, of
            each of its batches of 96 in a random order, ``'batch'``. ``None``: as they are.
        kwargs: See :class:`EStepHook`.
    """

    def __init__(self, num_clusters: Optional[int] = None, field: str = 'label', align_to: Optional[str] = None,
                 n_init: int = 10, metric: str = 'cosine', posterior_temperature: Optional[float] = None,
                 per_view: bool = False, scale: Optional[str] = None, **kwargs: Any):
        require_count('KMeansHook', n_init=n_init)
        require_positive('KMeansHook', posterior_temperature=posterior_temperature)
        super().__init__(field, **kwargs)
        require_two_clusters('KMeansHook', num_clusters)
        require_choice('KMeansHook', (None, 'set', 'batch'), scale=scale)
        require_choice('KMeansHook', METRICS, metric=metric)
        if per_view and self.views != 'train':
            raise ValueError("KMeansHook: per_view=True needs views='train'; there is one test view")
        if per_view and (align_to or posterior_temperature):
            raise ValueError('KMeansHook: align_to and posterior_temperature are for clusters that all views share; '
                             'drop them or per_view')
        self.num_clusters = num_clusters
        self.align_to = align_to
        self.posterior_temperature = posterior_temperature
        self.per_view = per_view
        self.scale = scale
        self.options: dict[str, Any] = dict(n_init=n_init, metric=metric)
        self.head = SweepHook('logits', batch_size=self.batch_size, num_workers=self.num_workers)

    def before_train(self, runner: Runner) -> None:
        """Refuse more clusters than images, another number of clusters than the model has, a field without views."""
        known = num_clusters_of(unwrap(runner.model))
        check_num_clusters(self._clusters(runner), len(runner.train_dataloader.dataset))
        if self.field in ('label', 'view_label') and known not in (None, self._clusters(runner)):
            raise ValueError(f'KMeansHook has num_clusters={self.num_clusters}, the model {known}; give both one '
                             f'value, or drop it here')
        shape = tuple(unwrap(runner.model).bank.field(self.field).shape)
        if self.views == 'train' and len(shape) != 2:
            raise ValueError(f"KMeansHook: views='train' makes labels (N, V) of every training view, and bank."
                             f"{self.field} is {shape}; give a field of that shape, or views='test'")

    def _clusters(self, runner: Runner) -> int:
        """Number of clusters of k-means: its own, or else the model's."""
        found = self.num_clusters or num_clusters_of(unwrap(runner.model))
        if found is None:
            raise ValueError(f'KMeansHook: {type(unwrap(runner.model)).__name__} does not say how many clusters it '
                             f'has; give num_clusters')
        return found

    def fields(self) -> list[str]:
        """``label``, and ``posterior`` when it is asked for."""
        return [self.field] + (['posterior'] if self.posterior_temperature else [])

    def check_output(self, model: BaseClusterer) -> None:
        """Of the head, too, if that gives clusters their names."""
        super().check_output(model)
        if self.align_to == 'head':
            self.head.check_output(model)

    def features(self, runner: Runner) -> Tensor:
        """The embedding; with ``align_to='head'`` the head's prediction is a last column."""
        features = super().features(runner)
        if self.align_to != 'head':
            return features
        predicted = self.head.features(runner).argmax(1).to(features)
        column = predicted.view(-1, *[1] * (features.dim() - 1))
        return torch.cat([features, column.expand(*features.shape[:-1], 1)], -1)

    def estimate(self, runner: Runner, features: Tensor) -> dict[str, Tensor]:
        """Cluster ids (n,), or (n, V) of training views, aligned when asked for, and posteriors (n, K)."""
        seed, clusters = (runner.seed or 0) + runner.epoch, self._clusters(runner)
        options = dict(self.options, seed=seed, shards=process_shards())
        features, predicted = self._split(features)
        if self.per_view:
            labels = [kmeans(self._scaled(view, seed), clusters, **options).labels for view in features.unbind(1)]
            return {self.field: torch.stack(labels, 1)}
        rows = self._scaled(features.flatten(0, -2), seed)
        result = kmeans(rows, clusters, **options)
        label, order = result.labels, None
        if self.align_to:
            label, order = self._align(runner, self.align_to, label, clusters, predicted)
        values = {self.field: label.view(features.shape[:-1])}
        if self.posterior_temperature:
            similarity = center_similarity(rows, result.centers, self.options['metric'])
            prob = (similarity / self.posterior_temperature).softmax(1)
            prob = prob if order is None else prob[:, torch.argsort(order.to(prob.device))]
            values['posterior'] = prob.view(*features.shape[:-1], clusters)
        return values

    def _scaled(self, rows: Tensor, seed: int) -> Tensor:
        if self.scale is None:
            return rows
        shards = process_shards()
        order = torch.randperm(sum(shards.sizes(len(rows))), generator=torch.Generator().manual_seed(seed))
        return scale_features(rows, self.scale, SCALE_BATCH, order, shards)

    def _split(self, features: Tensor) -> tuple[Tensor, Optional[Tensor]]:
        """Embedding, and the head's predictions (N,) or (N, V) if they are its last column."""
        return (features[..., :-1], features[..., -1].long()) if self.align_to == 'head' else (features, None)

    def _align(self, runner: Runner, align_to: str, label: Tensor, clusters: int,
               predicted: Optional[Tensor]) -> tuple[Tensor, Tensor]:
        bank, shards = unwrap(runner.model).bank, process_shards()
        if predicted is not None:
            target = predicted.flatten().to(label.device)
        else:
            target = self.own_rows(bank.field(align_to)).to(label.device)
            target = target.repeat_interleave(len(label) // max(len(target), 1))    # one for each training view
        chosen = (target >= 0).nonzero().flatten()
        trusted = int(shards.sum(torch.tensor(len(chosen))))
        if not trusted:
            raise RuntimeError(f'KMeansHook: align_to={align_to!r} has no trusted row; let a SelectHook that '
                               f'writes it come before this hook')
        previous = self.own_rows(bank.field(self.field)).flatten() if bank.is_set(self.field) else None
        alignment = align_clusters(label, chosen, target[chosen], clusters, previous, shards)
        runner.message_hub.update_scalar('train/align_agreement', float(alignment.n_agree) / trusted)
        return torch.as_tensor(alignment.aligned), torch.as_tensor(alignment.mapping)

    def log(self, runner: Runner, features: Tensor) -> None:
        """Collapse watch: spread of features, smallest and largest cluster."""
        super().log(runner, self._split(features)[0])
        label = unwrap(runner.model).bank.field(self.field).flatten()
        sizes = torch.bincount(label.clamp(min=0), minlength=self._clusters(runner)).tolist()
        runner.message_hub.update_scalar('train/cluster_min', min(sizes))
        runner.message_hub.update_scalar('train/cluster_max', max(sizes))
        runner.logger.info(f'E-step at epoch {runner.epoch}: cluster sizes {min(sizes)} to {max(sizes)}, '
                           f'{sum(size == 0 for size in sizes)} empty')
