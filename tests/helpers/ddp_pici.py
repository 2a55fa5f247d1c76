"""Steps and a run of PICI, on one process or on a share of the rows. Every job takes a folder."""
from __future__ import annotations

from pathlib import Path
from typing import Any
from unittest.mock import patch

import torch
from ddp_jobs import captured
from ddp_pool import job, mine
from ddp_steps import ROWS, step, views
from mmengine.dist import get_rank
from reduced import N, write_digits
from reduced_pici import pici_cfg
from torch import Tensor

from mmcluster.engine.extract import unwrap
from mmcluster.functional.views.masked import Masking, random_masking
from mmcluster.models.backbones import masked_vit
from mmcluster.registry import MODELS
from mmcluster.structures import Batch

PATCHES = 16


def given_masking(noise: Tensor, mask_ratio: float) -> Masking:
    """Masks that belong to the rows of both views, whichever process has them."""
    table = torch.rand(2, ROWS, PATCHES, generator=torch.Generator().manual_seed(9))
    return random_masking(torch.cat([mine(view) for view in table]), mask_ratio)


def pici_step(pisd: float, picd: float, cross_level: float, **options: Any) -> dict:
    """One step of a phase; the processes' rows have other shares of clusters and of labels."""
    cfg = pici_cfg('unused', dict(array='', labels=''), **options).model
    cfg.bank.num_samples = N
    torch.manual_seed(3)
    model = MODELS.build({key: value for key, value in cfg.items() if key != 'data_preprocessor'})
    model.init_weights()
    torch.nn.init.normal_(model.head.fc2.weight, std=2.)
    generator = torch.Generator().manual_seed(4)
    model.bank.fill(view_label=torch.randint(model.num_clusters, (N, 2), generator=generator))
    model.pisd, model.picd, model.cross_level = pisd, picd, cross_level
    with patch.object(masked_vit, 'random_masking', given_masking):
        return step(model, batch=Batch(views(2), torch.arange(ROWS) * 3))


@job
def step_pici_pretraining(folder: Path) -> dict:
    """Reconstruction alone; heads rest."""
    return pici_step(1., 0., 0.)


@job
def step_pici_training(folder: Path) -> dict:
    """Reconstruction and contrast."""
    return pici_step(1., 1., 0.)


@job
def step_pici_boosting(folder: Path) -> dict:
    """Contrast and interaction, matched by the rows of all processes; the decoder rests."""
    return pici_step(0., 1., 1.)


@job
def train_pici(folder: Path) -> dict:
    """States after three phases of one epoch each; labels are those of one process."""
    runner, states = captured(pici_cfg(folder / 'pici', write_digits(folder / f'{get_rank()}'), epochs=3, phase=1))
    used = {name: int(runner.optim_wrapper.optimizer.state[param]['step'])
            for name, param in unwrap(runner.model).named_parameters() if param in runner.optim_wrapper.optimizer.state}
    return dict(states, used=used)
