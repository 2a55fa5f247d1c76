"""What hooks ask of a Runner, around a clusterer of feature rows that fall into blobs."""
from __future__ import annotations

import itertools
import logging
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from mmengine.logging import MessageHub
from torch import Tensor, nn

from mmcluster.datasets import IndexedDataset
from mmcluster.models.clusterers.base import BaseClusterer
from mmcluster.registry import MODELS

N, D, K = 60, 6, 4
_NUMBER = itertools.count()


def blobs(num_rows: int = N, seed: int = 0) -> tuple[np.ndarray, Tensor]:
    """Feature rows (N, D) around K directions, and the direction (N,) of each."""
    generator = np.random.default_rng(seed)
    blob = np.arange(num_rows) * 7 % K
    return (3 * np.eye(K, D)[blob] + 0.2 * generator.standard_normal((num_rows, D))).astype(np.float32), \
        torch.from_numpy(blob)


@MODELS.register_module(force=True)
class Affine(nn.Module):
    """Batch norm and a linear map that starts as the identity: (B, D) -> (B, D)."""

    def __init__(self) -> None:
        super().__init__()
        self.bn = nn.BatchNorm1d(D, affine=False)
        self.fc = nn.Linear(D, D, bias=False)
        nn.init.eye_(self.fc.weight)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc(self.bn(x))


@MODELS.register_module(force=True)
class Rowwise(BaseClusterer):
    """A clusterer of feature rows without a loss."""


def rowwise(num_rows: int = N, fields: tuple = ('label', 'target'), **kwargs: Any) -> Rowwise:
    """A clusterer whose embedding is the feature row."""
    bank = dict(num_samples=num_rows, fields={name: {} for name in fields})
    preprocessor = dict(type='ViewPreprocessor', mean=[0.], std=[1.], views=[[], []])
    return Rowwise(Affine(), bank=bank, data_preprocessor=preprocessor, **kwargs)


def fake_runner(model: nn.Module | None = None, features: np.ndarray | None = None, **attributes: Any) -> Any:
    """A Runner as hooks see it."""
    dataset = IndexedDataset(dict(type='ArraySource', array=blobs()[0] if features is None else features))
    given = dict(
        model=model or rowwise(len(dataset)), epoch=0, iter=0, max_iters=100, seed=0,
        train_dataloader=SimpleNamespace(dataset=dataset, sampler=None), optim_wrapper=SimpleNamespace(),
        _val_loop=None,
        message_hub=MessageHub.get_instance(f'fake{next(_NUMBER)}'), logger=logging.getLogger('fake'))
    return SimpleNamespace(**{**given, **attributes})


def scalar(runner: Any, name: str) -> float:
    """The last value that was logged."""
    return float(runner.message_hub.get_scalar(f'train/{name}').current())
