"""One step of MoCo and SimCLR, on one process or on a share of the rows. Every job takes a folder."""
from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from ddp_pool import job, mine
from ddp_steps import ROWS, step, views
from mmengine.dist import get_rank
from torch import nn

from mmcluster.models.gather import gather_rows_with_grad
from mmcluster.registry import MODELS
from mmcluster.structures import Batch

BATCHES = 2  # that the queue holds


def contrast_model(kind: str, **options: Any) -> nn.Module:
    """A contrastive method with random weights; the key network of MoCo is another one."""
    torch.manual_seed(3)
    model = MODELS.build(dict(
        type=kind, backbone=dict(type='SmallCNN', widths=(4, 8)),
        projector=dict(type='MLPProjector', in_channels=8, hid_channels=16, out_channels=8, norm=False), **options))
    model.init_weights()
    with torch.no_grad():
        for param in getattr(model, 'teacher', nn.Identity()).parameters():
            param.add_(0.1 * torch.randn_like(param))
    torch.manual_seed(100 + get_rank())
    return model


def moco(shuffle_bn: bool) -> dict:
    """Three steps, after which the ring of two batches is written again from its start."""
    model = contrast_model('MoCo', queue_size=BATCHES * ROWS, decay=0.9, shuffle_bn=shuffle_bn)
    for seed in range(BATCHES + 1):
        model.zero_grad()
        result = step(model, batch=Batch(views(2, seed=seed), torch.arange(ROWS)))
    return result


@job
def second_derivative(folder: Path) -> torch.Tensor:
    """Gradient (B, 1) of a penalty on the gradient of a loss of all rows."""
    x = mine(torch.arange(1., ROWS + 1).view(-1, 1)).clone().requires_grad_()
    slope, = torch.autograd.grad((gather_rows_with_grad(x) ** 3).sum(), x, create_graph=True)
    return torch.autograd.grad((slope ** 2).sum(), x)[0]


@job
def step_moco(folder: Path) -> dict:
    """Keys forwarded in an order that all processes share."""
    return moco(shuffle_bn=True)


@job
def step_moco_in_order(folder: Path) -> dict:
    """Keys forwarded as they come."""
    return moco(shuffle_bn=False)


@job
def step_simclr(folder: Path) -> dict:
    """Every view is an anchor."""
    return step(contrast_model('SimCLR'), batch=Batch(views(2), torch.arange(ROWS)))


@job
def step_simclr_one_sided(folder: Path) -> dict:
    """Only the first view is."""
    return step(contrast_model('SimCLR', symmetric=False), batch=Batch(views(2), torch.arange(ROWS)))


@job
def shuffle_keys(folder: Path) -> dict:
    """Keys of this process's rows, shuffled over processes and not, in both modes."""
    model, share = contrast_model('MoCo', queue_size=ROWS), mine(views(2)[1])
    with torch.no_grad():
        return {mode: (model.train(mode == 'train').keys(share), model._keys(share)) for mode in ('eval', 'train')}
