"""E-steps: sweep the data set, estimate on one rank, write the bank on all."""
from __future__ import annotations

from typing import Any, Optional

import torch
from mmengine.runner import Runner
from torch import Tensor, nn

from mmcluster.checks import require_count, require_interval, require_positive, require_two_clusters
from mmcluster.functional.clustering.kmeans import center_similarity, kmeans
from mmcluster.functional.clustering.match import align_clusters
from mmcluster.functional.losses.cross_level import scale_features
from mmcluster.models import SampleBank
from mmcluster.models.clusterers.base import num_clusters_of
from mmcluster.registry import HOOKS

from ..extract import unwrap
from .sweep import SweepHook, write_estimate

SCALE_BATCH = 96        # rows whose range PICI's release scales by, its batch size


class EStepHook(SweepHook):
    """Template of an E-step: due, extract, estimate on rank 0, broadcast, fill the bank.

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
        raise NotImplementedError

    def before_train_epoch(self, runner: Runner) -> None:
        """Run the E-step when it is due."""
        if not self.is_due(runner):
            return
        bank: SampleBank = unwrap(runner.model).bank
        features = self.features(runner)
        targets = {name: bank.field(name) for name in self.fields()}
        write_estimate({**targets, **self.buffers(unwrap(runner.model))}, self.estimate, runner, features)
        self.log(runner, features)

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
        """Collapse watch: spread of unit features, 1 / sqrt(D) when healthy."""
        unit = nn.functional.normalize(features.flatten(0, -2), dim=1)
        runner.message_hub.update_scalar('train/estep_feat_std', unit.std(dim=0).mean().item())


@HOOKS.register_module()
class KMeansHook(EStepHook):
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
        if scale not in (None, 'set', 'batch'):
            raise ValueError(f"KMeansHook: scale is None, 'set' or 'batch', got {scale!r}")
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
        """Refuse more clusters than images, and labels of another number of clusters than the model has."""
        known = num_clusters_of(unwrap(runner.model))
        check_num_clusters(self._clusters(runner), len(runner.train_dataloader.dataset))
        if self.field in ('label', 'view_label') and known not in (None, self._clusters(runner)):
            raise ValueError(f'KMeansHook has num_clusters={self.num_clusters}, the model {known}; give both one '
                             f'value, or drop it here')

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

    def features(self, runner: Runner) -> Tensor:
        """The embedding; with ``align_to='head'`` the head's prediction is a last column."""
        features = super().features(runner)
        if self.align_to != 'head':
            return features
        predicted = self.head.features(runner).argmax(1).to(features)
        column = predicted.view(-1, *[1] * (features.dim() - 1))
        return torch.cat([features, column.expand(*features.shape[:-1], 1)], -1)

    def estimate(self, runner: Runner, features: Tensor) -> dict[str, Tensor]:
        """Cluster ids (N,), or (N, V) of training views, aligned when asked for, and posteriors (N, K)."""
        seed, clusters = (runner.seed or 0) + runner.epoch, self._clusters(runner)
        features, predicted = self._split(features)
        if self.per_view:
            labels = [kmeans(self._scaled(view, seed), clusters, seed=seed, **self.options).labels
                      for view in features.unbind(1)]
            return {self.field: torch.stack(labels, 1)}
        rows = self._scaled(features.flatten(0, -2), seed)
        result = kmeans(rows, clusters, seed=seed, **self.options)
        label, order = result.labels, None
        if self.align_to:
            label, order = self._align(runner, self.align_to, label, clusters, predicted)
        values = {self.field: label.view(features.shape[:-1])}
        if self.posterior_temperature:
            similarity = center_similarity(rows, result.centers, self.options['metric'])
            prob = (similarity / self.posterior_temperature).softmax(1)
            prob = prob if order is None else prob[:, torch.argsort(order.to(prob.device))]
            values['posterior'] = prob.view(*features.shape[:-1], -1)
        return values

    def _scaled(self, rows: Tensor, seed: int) -> Tensor:
        order = torch.randperm(len(rows), generator=torch.Generator().manual_seed(seed))
        return scale_features(rows, self.scale, SCALE_BATCH, order)

    def _split(self, features: Tensor) -> tuple[Tensor, Optional[Tensor]]:
        """Embedding, and the head's predictions (N,) or (N, V) if they are its last column."""
        return (features[..., :-1], features[..., -1].long()) if self.align_to == 'head' else (features, None)

    def _align(self, runner: Runner, align_to: str, label: Tensor, clusters: int,
               predicted: Optional[Tensor]) -> tuple[Tensor, Tensor]:
        bank: SampleBank = unwrap(runner.model).bank
        if predicted is not None:
            target = predicted.flatten().to(label.device)
        else:
            target = bank.read(align_to, torch.arange(bank.num_samples, device=label.device))
            target = target.repeat_interleave(len(label) // bank.num_samples)       # one for each training view
        chosen = (target >= 0).nonzero().flatten()
        if not len(chosen):
            raise RuntimeError(f'KMeansHook: align_to={align_to!r} has no trusted row; let a SelectHook that '
                               f'writes it come before this hook')
        previous = bank.field(self.field).flatten() if bank.is_set(self.field) else None
        alignment = align_clusters(label, chosen, target[chosen], clusters, previous=previous)
        runner.message_hub.update_scalar('train/align_agreement', float(alignment.n_agree) / len(chosen))
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


def check_num_clusters(num_clusters: int, num_samples: int) -> None:
    """Refuse fewer images than clusters.

    Raises:
        ValueError: If ``num_samples < num_clusters``.
    """
    if num_samples < num_clusters:
        raise ValueError(f'the data set has {num_samples} images, fewer than num_clusters={num_clusters}; add images '
                         f'or lower num_clusters')
