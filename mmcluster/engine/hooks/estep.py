"""E-steps: sweep the data set, estimate on one rank, write the bank on all."""
from __future__ import annotations

from typing import Any, Optional

import torch
from mmengine.dist import broadcast, is_main_process
from mmengine.hooks import Hook
from mmengine.runner import Runner
from torch import Tensor, nn

from mmcluster.functional.kmeans import center_similarity, kmeans
from mmcluster.functional.match import align_clusters
from mmcluster.registry import HOOKS, LABEL_SELECTORS, MODELS
from mmcluster.structures import TEST_STREAM

from ..extract import extract, sweep_loader, unwrap


class EStepHook(Hook):
    """Template of an E-step: due, extract, estimate on rank 0, broadcast, fill the bank.

    Args:
        field: Bank field that is written.
        interval: Epochs between E-steps, from epoch 0 on; -1: once, while a field that it writes is unset.
        output: What is extracted, see ``mmcluster.engine.extract.output_function``.
        views: ``'test'`` or ``'train'``.
        stream: Training stream whose views are used with ``views='train'``.
        source: ``None``: the model in training. Else the config of an older network with
            ``init_cfg=dict(type='Pretrained', ...)`` and a preprocessor of its own; it is built only when needed. The
            size of its bank, if it has one, is that of the data set unless given.
        batch_size: Rows a batch of the sweep.
        num_workers: Worker processes of the sweep.
    """

    priority = 'NORMAL'

    def __init__(self, field: str, interval: int = 1, output: str = 'embed', views: str = 'test',
                 stream: str = 'batch', source: Optional[dict] = None, batch_size: int = 512, num_workers: int = 0):
        if interval == 0 or interval < -1:
            raise ValueError(f'{type(self).__name__}: interval is a number of epochs, or -1 for once; got {interval}')
        if views not in ('test', 'train'):
            raise ValueError(f"{type(self).__name__}: views must be 'test' or 'train', got {views!r}")
        self.field = field
        self.interval = interval
        self.output = output
        self.views = views
        self.stream = TEST_STREAM if views == 'test' else stream
        self.source = source
        self.batch_size = batch_size
        self.num_workers = num_workers

    def estimate(self, runner: Runner, features: Tensor) -> dict[str, Tensor]:
        """Compute bank values from features, on rank 0.

        Args:
            runner: The Runner.
            features: (N, D), or (N, V, D) with training views.

        Returns:
            bank field -> (N, ...), with the shape and type of the field.
        """
        raise NotImplementedError

    def before_train_epoch(self, runner: Runner) -> None:
        """Run the E-step when it is due."""
        bank = unwrap(runner.model).bank
        known = all([bank.is_set(name) for name in self.fields()])      # also says early which field is missing
        if known if self.interval < 0 else runner.epoch % self.interval:
            return
        features = self.features(runner)
        values = self.estimate(runner, features) if is_main_process() else {}
        for name in self.fields():
            value = values.get(name, getattr(bank, name)).to(getattr(bank, name)).contiguous().clone()
            broadcast(value)
            bank.fill(**{name: value})
        self.log(runner, features)

    def fields(self) -> list[str]:
        """Bank fields that :meth:`estimate` returns."""
        return [self.field]

    def features(self, runner: Runner) -> Tensor:
        """Sweep the training set.

        Returns:
            (N, D) float32, equal on all ranks.

        Raises:
            FloatingPointError: If a feature is not finite.
        """
        dataset = runner.train_dataloader.dataset
        model = unwrap(runner.model) if self.source is None else self._older_network(runner)
        loader = sweep_loader(dataset, self.batch_size, self.num_workers, self.stream, runner.seed or 0, runner.epoch)
        features = extract(model, loader, len(dataset), self.output, self.views,
                           getattr(runner.optim_wrapper, 'cast_dtype', None))
        if not torch.isfinite(features).all():
            raise FloatingPointError(
                f'{type(self).__name__}: features of epoch {runner.epoch} are not finite. The network diverged: lower '
                f'the learning rate or train in float32. Earlier checkpoints are untouched.')
        return features

    def _older_network(self, runner: Runner) -> nn.Module:
        cfg = dict(self.source)
        if cfg.get('bank'):
            cfg['bank'] = dict(cfg['bank'], num_samples=cfg['bank'].get('num_samples') or
                               len(runner.train_dataloader.dataset))
        model = MODELS.build(cfg)
        model.init_weights()
        return model.to(next(runner.model.parameters()).device)

    def log(self, runner: Runner, features: Tensor) -> None:
        """Collapse watch: spread of unit features, 1 / sqrt(D) when healthy."""
        unit = nn.functional.normalize(features.flatten(0, -2), dim=1)
        runner.message_hub.update_scalar('train/estep_feat_std', unit.std(dim=0).mean().item())


@HOOKS.register_module()
class KMeansHook(EStepHook):
    """Clusters the embedding by spherical k-means with restarts and writes ``bank.label``.

    Args:
        num_clusters: K.
        align_to: Bank field of trusted targets (N,); clusters are renamed by Hungarian matching on its rows >= 0, so
            that ids keep the meaning of the head's classes (ClusMatch section 3.2).
        n_init: Restarts.
        max_iter: Lloyd iterations a restart.
        tol: Relative tolerance of the centres' movement.
        metric: ``'cosine'`` or ``'euclidean'``.
        posterior_temperature: If given, ``bank.posterior`` (N, K) is written too: the softmax of the similarities to
            the centres, divided by this.
        kwargs: See :class:`EStepHook`.
    """

    def __init__(self, num_clusters: int, field: str = 'label', align_to: Optional[str] = None, n_init: int = 10,
                 max_iter: int = 300, tol: float = 1e-4, metric: str = 'cosine',
                 posterior_temperature: Optional[float] = None, **kwargs: Any):
        super().__init__(field, **kwargs)
        if num_clusters < 2:
            raise ValueError(f'KMeansHook: num_clusters must be at least 2, got {num_clusters}')
        self.num_clusters = num_clusters
        self.align_to = align_to
        self.posterior_temperature = posterior_temperature
        self.options = dict(n_init=n_init, max_iter=max_iter, tol=tol, metric=metric)

    def before_train(self, runner: Runner) -> None:
        """Refuse more clusters than images, and labels of another number of clusters than the model has."""
        check_num_clusters(self.num_clusters, len(runner.train_dataloader.dataset))
        model = unwrap(runner.model)
        known = getattr(model, 'num_clusters', None) or getattr(getattr(model, 'head', None), 'num_clusters', None)
        if self.field == 'label' and known not in (None, self.num_clusters):
            raise ValueError(f'KMeansHook has num_clusters={self.num_clusters}, the model {known}; give both one value')

    def fields(self) -> list[str]:
        """``label``, and ``posterior`` when it is asked for."""
        return [self.field] + (['posterior'] if self.posterior_temperature else [])

    def estimate(self, runner: Runner, features: Tensor) -> dict[str, Tensor]:
        """Cluster ids (N,), aligned when asked for, and posteriors (N, K)."""
        rows = features.flatten(0, -2)
        result = kmeans(rows, self.num_clusters, seed=(runner.seed or 0) + runner.epoch, **self.options)
        label, order = result.labels, None
        if self.align_to:
            label, order = self._align(runner, label)
        values = {self.field: label.view(features.shape[:-1])}
        if self.posterior_temperature:
            similarity = center_similarity(rows, result.centers, self.options['metric'])
            prob = (similarity / self.posterior_temperature).softmax(1)
            prob = prob if order is None else prob[:, torch.argsort(order.to(prob.device))]
            values['posterior'] = prob.view(*features.shape[:-1], -1)
        return values

    def _align(self, runner: Runner, label: Tensor) -> tuple[Tensor, Tensor]:
        bank = unwrap(runner.model).bank
        target = bank.read(self.align_to, torch.arange(bank.num_samples, device=label.device))
        target = target.repeat_interleave(len(label) // bank.num_samples)           # one for each training view
        chosen = (target >= 0).nonzero().flatten()
        if not len(chosen):
            raise RuntimeError(f'KMeansHook: align_to={self.align_to!r} has no trusted row; let a SelectHook that '
                               f'writes it come before this hook')
        previous = getattr(bank, self.field).flatten() if bank.is_set(self.field) else None
        alignment = align_clusters(label, chosen, target[chosen], self.num_clusters, previous=previous)
        runner.message_hub.update_scalar('train/align_agreement', float(alignment.n_agree) / len(chosen))
        return torch.as_tensor(alignment.aligned), torch.as_tensor(alignment.mapping)

    def log(self, runner: Runner, features: Tensor) -> None:
        """Collapse watch: spread of features, smallest and largest cluster."""
        super().log(runner, features)
        label = getattr(unwrap(runner.model).bank, self.field).flatten()
        sizes = torch.bincount(label.clamp(min=0), minlength=self.num_clusters).tolist()
        runner.message_hub.update_scalar('train/cluster_min', min(sizes))
        runner.message_hub.update_scalar('train/cluster_max', max(sizes))
        runner.logger.info(f'E-step at epoch {runner.epoch}: cluster sizes {min(sizes)} to {max(sizes)}, '
                           f'{sum(size == 0 for size in sizes)} empty')


@HOOKS.register_module()
class SelectHook(EStepHook):
    """Lets a label selector choose trusted rows and writes their labels to ``bank.target``, -1 elsewhere.

    Args:
        selector: Config of a label selector, ``(embed (N, D), prob (N, K) | None) -> target (N,)``.
        num_clusters: K, to report clusters without a trusted row; ``None`` takes the selector's, else the largest
            label + 1.
        kwargs: See :class:`EStepHook`; ``output='head_probs'`` hands the selector probabilities instead of an
            embedding. ``interval`` is -1: once.
    """

    def __init__(self, selector: dict, field: str = 'target', interval: int = -1,
                 num_clusters: Optional[int] = None, **kwargs: Any):
        super().__init__(field, interval, **kwargs)
        self.selector = LABEL_SELECTORS.build(selector)
        self.num_clusters = num_clusters or getattr(self.selector, 'num_clusters', None)

    def estimate(self, runner: Runner, features: Tensor) -> dict[str, Tensor]:
        """Targets (N,).

        Raises:
            RuntimeError: If the selector chose nothing.
        """
        if self.output == 'head_probs':
            target = self.selector(None, features)
        else:
            target = self.selector(features, None)
        chosen = target[target >= 0]
        if not len(chosen):
            raise RuntimeError(f'{type(self.selector).__name__} chose no row; lower its demands (sigma, thresholds)')
        counts = torch.bincount(chosen, minlength=self.num_clusters or 0).tolist()
        runner.logger.info(f'{type(self.selector).__name__} chose {len(chosen)} of {len(target)} rows; per cluster '
                           f'{counts}')
        if min(counts) < max(counts):
            runner.logger.warning(f'the selected set is not balanced: {min(counts)} to {max(counts)} rows a cluster; '
                                  f'small clusters gave all they have')
        return {self.field: target}


def check_num_clusters(num_clusters: int, num_samples: int) -> None:
    """Refuse fewer images than clusters.

    Raises:
        ValueError: If ``num_samples < num_clusters``.
    """
    if num_samples < num_clusters:
        raise ValueError(f'the data set has {num_samples} images, fewer than num_clusters={num_clusters}; add images '
                         f'or lower num_clusters')
