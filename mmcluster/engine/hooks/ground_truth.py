"""Semi-supervised training: the few labels that a user gives."""
from __future__ import annotations

from typing import Any, Optional, Union

import torch
from mmengine.hooks import Hook
from mmengine.runner import Runner
from torch import Tensor

from mmcluster.checks import require_count, require_share
from mmcluster.datasets.few_labels import counts_rows, read_few_labels
from mmcluster.functional.labels.instance import flip_labels
from mmcluster.functional.labels.select import draw_per_class
from mmcluster.models import SampleBank
from mmcluster.models.clusterers.base import num_clusters_of
from mmcluster.registry import HOOKS

from ..extract import unwrap


@HOOKS.register_module()
class GroundTruthHook(Hook):
    """Writes given labels to ``bank.target``, -1 elsewhere, once, while the field is unset.

    This is the one way by which labels reach training, and a config has to ask for it. ``SelectedLabels`` reads the
    field, and a stream with ``pool='target'`` draws the labelled rows. Every process reads the same file or makes the
    same draw.

    Args:
        labels: A file with the labels of some training images, see
            :func:`~mmcluster.datasets.few_labels.read_few_labels`.
        per_class: Instead of a file: draw so many images of every class by the training set's own labels, as in
            benchmarks of semi-supervised learning; ``'all'``: take all of them, for a figure.
        field: Bank field that is written.
        noise: Share of the labels that is flipped, once and by ``seed``, to another class (ASD Fig. 4b).
        seed: Seed of the draw, which depends on nothing else but the labels.
        fingerprint: Data set that a file of row numbers belongs to (``data_fingerprint`` in ``summary.json``); another
            one is refused. ``None``: not checked, and a warning says so.
    """

    priority = 'NORMAL'

    def __init__(self, labels: Optional[str] = None, per_class: Union[int, str, None] = None, seed: int = 0,
                 fingerprint: Optional[int] = None, field: str = 'target', noise: float = 0.):
        if not isinstance(per_class, str):
            require_count('GroundTruthHook', per_class=per_class)
        elif per_class != 'all':
            raise ValueError(f"GroundTruthHook: per_class must be a number of images or 'all', got {per_class!r}")
        require_share('GroundTruthHook', noise=noise)
        if (labels is None) == (per_class is None):
            raise ValueError('GroundTruthHook needs either labels, a file, or per_class, a number of images')
        self.labels = labels
        self.per_class = per_class
        self.seed = seed
        self.fingerprint = fingerprint
        self.field = field
        self.noise = noise

    def before_train(self, runner: Runner) -> None:
        """Refuse labels that would be refused when they are needed.

        Raises:
            FileNotFoundError: If there is no such file.
            ValueError: If the labels do not fit data set or model, or a class lacks images.
        """
        if not self._bank(runner).is_set(self.field):
            self._target(runner)

    def before_train_epoch(self, runner: Runner) -> None:
        """Fill the field unless it is known, as after a resume."""
        bank = self._bank(runner)
        if bank.is_set(self.field):
            return
        dataset = runner.train_dataloader.dataset
        target, counts = self._target(runner)
        if self.labels and self.fingerprint is None and counts_rows(self.labels, dataset.paths):
            runner.logger.warning(f'{self.labels} names images by row number, which fits other data sets as well. Make '
                                  f'sure that it was made for this one, then give the hook '
                                  f'fingerprint={dataset.fingerprint}: any other data or order is refused')
        runner.logger.info(f'{int(counts.sum())} of {len(target)} images have a given label; per class '
                           f'{counts.tolist()}')
        if int(counts.min()) == 0:
            runner.logger.warning(f'classes {(counts == 0).nonzero().flatten().tolist()} have no labelled image; '
                                  f'the network can only guess them')
        if self.noise:
            target = flip_labels(target, self.noise, len(counts), torch.Generator().manual_seed(self.seed))
        bank.fill(**{self.field: target})

    @staticmethod
    def _bank(runner: Runner) -> SampleBank:
        """Where the labels go."""
        model = unwrap(runner.model)
        if getattr(model, 'bank', None) is None:
            raise ValueError(f'GroundTruthHook: {type(model).__name__} keeps nothing of an image: give it '
                             f'bank=dict(num_samples=None), or drop the hook')
        return model.bank

    def _target(self, runner: Runner) -> tuple[Tensor, Tensor]:
        """Targets (N,) as given, and the images of every class (K,)."""
        dataset = runner.train_dataloader.dataset
        if self.fingerprint not in (None, dataset.fingerprint):
            raise ValueError(f'GroundTruthHook: the labels belong to another data set (fingerprint {self.fingerprint}, '
                             f'the training set has {dataset.fingerprint})')
        num_clusters = num_clusters_of(unwrap(runner.model))
        target = self._drawn(dataset, num_clusters) if self.labels is None else \
            torch.from_numpy(read_few_labels(self.labels, len(dataset), dataset.paths, dataset.classes))
        return target, self._counts(target, num_clusters)

    def _drawn(self, dataset: Any, num_clusters: Optional[int]) -> Tensor:
        """Targets (N,) drawn from the labels of the training set."""
        if dataset.labels is None:
            raise ValueError('GroundTruthHook: the training set has no labels to draw per_class from; give a file '
                             'of labels')
        labels = torch.from_numpy(dataset.labels)
        self._counts(labels, num_clusters)
        if self.per_class == 'all':
            return labels
        assert isinstance(self.per_class, int)      # or there is a file
        return draw_per_class(labels, self.per_class, num_clusters or int(labels.max()) + 1, self.seed)

    def _counts(self, target: Tensor, num_clusters: Optional[int]) -> Tensor:
        """Images of every class (K,)."""
        known = target[target >= 0]
        if not len(known):
            raise ValueError('GroundTruthHook: no image has a label')
        if num_clusters is not None and int(known.max()) >= num_clusters:
            raise ValueError(f'GroundTruthHook: labels go up to {int(known.max())}, but the head has '
                             f'num_clusters={num_clusters}; labels count from 0')
        return torch.bincount(known, minlength=num_clusters or 0)
