"""Methods that learn from two views, on one process or on a share of the rows. Every job takes a folder."""
from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from ddp_contrast import BATCHES, contrast_model
from ddp_jobs import trained
from ddp_pool import job, random
from ddp_steps import ROWS, step, views
from mmengine.dist import get_rank
from reduced import N, write_digits
from reduced_self_supervised import learner_cfg
from torch import nn

from mmcluster.registry import MODELS
from mmcluster.structures import Batch

BATCH = Batch(views(2), torch.arange(ROWS) * 3)
SIZES = [4, 7]
NECK = dict(type='MLPProjector', in_channels=8, hid_channels=16, out_channels=8)


def with_clusters(model: nn.Module) -> nn.Module:
    """A model whose last E-step found clusters, one of which is empty."""
    part = model.granularities
    part.prototypes.copy_(nn.functional.normalize(random(sum(SIZES), 8, seed=8), dim=1))
    part.density.copy_(random(sum(SIZES), seed=9).abs() + 0.5)
    part.counts.copy_(torch.arange(sum(SIZES)))
    model.bank.fill(granular=torch.stack([1 + torch.arange(N) % 3, torch.arange(N) % 7], 1))
    return model


def on_byol(kind: str, **options: Any) -> nn.Module:
    """SimSiam, or a method with a momentum network."""
    torch.manual_seed(3)
    model = MODELS.build(dict(
        type=kind, backbone=dict(type='SmallCNN', widths=(4, 8)), neck=dict(NECK, last_bn=kind == 'SimSiam'),
        predictor=dict(NECK), **options))
    model.init_weights()
    torch.manual_seed(100 + get_rank())
    return model


@job
def step_simsiam(folder: Path) -> dict:
    """Both directions."""
    return step(on_byol('SimSiam'), batch=BATCH)


@job
def step_moco_both_directions(folder: Path) -> dict:
    """Queries and keys of both views."""
    return step(contrast_model('MoCo', queue_size=2 * BATCHES * ROWS, directions='sum'), batch=BATCH)


@job
def step_pcl(folder: Path) -> dict:
    """All prototypes."""
    return pcl_step()


@job
def step_pcl_drawn(folder: Path) -> dict:
    """Prototypes outside of the batch of all processes; keys in order, so that the draws are the first random numbers."""
    return pcl_step(draws=30, shuffle_bn=False)


def pcl_step(**options: Any) -> dict:
    """One step of PCL on MoCo."""
    options = dict(granularities=SIZES, bank=dict(num_samples=N), queue_size=2 * ROWS, **options)
    return step(with_clusters(contrast_model('PCL', **options)), batch=BATCH)


@job
def step_byol_pcl(folder: Path) -> dict:
    """PCL on BYOL."""
    return step(with_clusters(on_byol('BYOLPCL', granularities=SIZES, bank=dict(num_samples=N))), batch=BATCH)


@job
def train_pcl(folder: Path) -> dict:
    """An epoch without prototypes, then one with them."""
    return trained(learner_cfg('pcl', folder / 'pcl', write_digits(folder / f'{get_rank()}'), epochs=2))
