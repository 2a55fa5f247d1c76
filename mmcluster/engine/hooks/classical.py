"""The E-step of clustering without training."""
from __future__ import annotations

from typing import Any

from mmengine.runner import Runner
from torch import Tensor
from torch.utils.data import DataLoader

from mmcluster.models.clusterers import ClassicalClusterer
from mmcluster.registry import HOOKS

from ..extract import unwrap
from .estep import EStepHook, check_num_clusters


@HOOKS.register_module()
class ClassicalHook(EStepHook):
    """Fits a :class:`ClassicalClusterer` to the whole training set, once, and writes ``bank.label``.

    Rank 0 gathers the rows of all ranks, (N, D), and computes alone: scikit-learn needs them all.

    Args:
        kwargs: ``batch_size`` and ``num_workers`` of the sweep, see :class:`SweepHook`.
    """

    def __init__(self, **kwargs: Any):
        super().__init__('label', interval=-1, **kwargs)

    def before_train(self, runner: Runner) -> None:
        """Refuse what has no labels afterwards: other images in the evaluation, and fewer images than clusters."""
        check_num_clusters(unwrap(runner.model).num_clusters, len(runner.train_dataloader.dataset))
        if runner.val_loop is not None:
            _check_images(runner, runner.val_dataloader)

    def before_test(self, runner: Runner) -> None:
        """Refuse other images than those of the checkpoint."""
        _check_images(runner, runner.test_dataloader)

    def estimate(self, runner: Runner, features: Tensor) -> dict[str, Tensor]:
        """Labels (N,) of the embedding (N, D)."""
        model: ClassicalClusterer = unwrap(runner.model)
        runner.logger.info(f'{model.method} on {len(features)} rows of {features.shape[1]} columns')
        return {self.field: model.fit(features, runner.seed or 0)}


def _check_images(runner: Runner, loader: DataLoader) -> None:
    """Refuse a data set that is not the one that the model's bank belongs to."""
    model: ClassicalClusterer = unwrap(runner.model)
    if getattr(loader.dataset, 'fingerprint', None) != int(model.bank.fingerprint):
        raise ValueError(f'{model.method} labels the images that it is fitted on, and the evaluation has others: take '
                         f'a data set whose training and evaluation images are the same (parts without _split)')
