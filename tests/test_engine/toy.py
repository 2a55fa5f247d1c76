"""A Runner of one linear layer, built in a tenth of a second."""
from __future__ import annotations

import itertools
from typing import Any, Optional

import torch
from mmengine.config import ConfigDict
from mmengine.model import BaseModel
from mmengine.runner import Runner
from torch import Tensor, nn
from torch.utils.data import Dataset

from mmcluster.registry import DATASETS, MODELS

_NUMBER = itertools.count()


@DATASETS.register_module(force=True)
class ToyData(Dataset):
    """32 rows of noise."""

    def __len__(self) -> int:
        return 32

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        generator = torch.Generator().manual_seed(index)
        return dict(inputs=torch.randn(4, generator=generator), data_samples=torch.tensor(index))


@MODELS.register_module(force=True)
class ToyModel(BaseModel):
    """One linear layer, one batch norm, and a loss with noise from the global generator."""

    def __init__(self, width: int = 3, init_cfg: Optional[dict] = None):
        super().__init__(init_cfg=init_cfg)
        self.body = nn.Linear(4, width)
        self.norm = nn.BatchNorm1d(width)
        self.register_buffer('seen', torch.zeros((), dtype=torch.long))

    def forward(self, inputs: Any, data_samples: Any = None, mode: str = 'tensor') -> Any:
        x = torch.stack(list(inputs))
        out = self.norm(self.body(x))
        if mode == 'loss':
            self.seen += len(x)
            return dict(loss_fit=(out + 0.1 * torch.randn_like(out)).square().mean(), seen=self.seen.float())
        return out


def toy_cfg(work_dir: Any, **changes: Any) -> ConfigDict:
    """Arguments of a Runner; keyword arguments replace or, with ``None``, remove top-level entries."""
    cfg = ConfigDict(
        model=dict(type='ToyModel'), work_dir=str(work_dir), default_scope='mmcluster',
        experiment_name=f'toy{next(_NUMBER)}', log_level='WARNING', randomness=dict(seed=3),
        train_dataloader=dict(dataset=dict(type='ToyData'), batch_size=4, num_workers=0,
                              sampler=dict(type='DefaultSampler', shuffle=True)),
        train_cfg=dict(by_epoch=True, max_epochs=2),
        optim_wrapper=dict(type='OptimWrapper', optimizer=dict(type='SGD', lr=0.1, momentum=0.9)),
        default_hooks=dict(logger=dict(type='LoggerHook', interval=3), seed=dict(type='SeedHook')))
    return ConfigDict({key: value for key, value in {**cfg, **changes}.items() if value is not None})


def toy_runner(work_dir: Any, **changes: Any) -> Runner:
    """A Runner of :func:`toy_cfg`."""
    return Runner(**toy_cfg(work_dir, **changes))
