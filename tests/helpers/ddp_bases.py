"""One step of further bases, on one process or on a share of the rows. Every job takes a folder."""
from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from ddp_pool import job
from ddp_steps import ROWS, step, views
from reduced import K, N
from torch import nn

from mmcluster.registry import MODELS
from mmcluster.structures import Batch

MLP = dict(type='MLPProjector', hid_channels=16, out_channels=8, norm=False)


def tcl_model(**options: Any) -> nn.Module:
    """TCL with random weights, sure of some rows, and some labels of before."""
    torch.manual_seed(3)
    model = MODELS.build(dict(
        type='TCL', backbone=dict(type='SmallCNN', widths=(4, 8)), bank=dict(num_samples=N), threshold=0.5,
        projector=dict(type='PreNormMLP', in_channels=8, hid_channels=16, out_channels=8),
        head=dict(type='PreNormClusterHead', num_clusters=K), **options))
    with torch.no_grad():
        model.head.fc2.weight.mul_(20)
    model.bank.fill(label=torch.arange(N) % 5 - 1)
    return model


def small(kind: str, **options: Any) -> nn.Module:
    """BYOLCC or CCPSL with random weights; of the labels one cluster is empty, some are not known."""
    torch.manual_seed(3)
    model = MODELS.build(dict(
        type=kind, backbone=dict(type='SmallCNN', widths=(4, 8)),
        head=dict(type='MLPClusterHead', num_clusters=K), **options))
    if model.bank is not None:
        model.bank.fill(label=torch.arange(N) % K - 1)
    return model


@job
def step_byol_cc(folder: Path) -> dict:
    """The regression is of the own rows, both contrasts of those of all processes."""
    return step(small('BYOLCC', neck=dict(MLP, in_channels=8), predictor=dict(MLP, in_channels=8)),
                batch=Batch(views(2), torch.arange(ROWS)))


@job
def step_cc_psl(folder: Path) -> dict:
    """Prototypes of the rows of all processes."""
    return step(small('CCPSL', projector=dict(MLP, in_channels=8), bank=dict(num_samples=N)),
                batch=Batch(views(2), torch.arange(ROWS) * 5))


@job
def step_idfd(folder: Path) -> dict:
    """A memory of all images, which the rows of both processes move; of two equal rows the last one counts."""
    torch.manual_seed(3)
    model = MODELS.build(dict(
        type='IDFD', backbone=dict(type='SmallCNN', widths=(4, 8)), bank=dict(num_samples=N),
        neck=dict(type='LinearNeck', in_channels=8, out_channels=6, norm_cfg=None)))
    index = torch.arange(ROWS) * 5
    index[-1] = index[0]
    return step(model, batch=Batch(views(1), index))


@job
def step_tcl(folder: Path) -> dict:
    """Both contrasts."""
    return step(tcl_model(), batch=Batch(views(3), torch.arange(ROWS)))


@job
def step_tcl_boosting(folder: Path) -> dict:
    """Labels, quota and weights of classes are those of the rows of all processes."""
    return step(tcl_model(boosting=1.), batch=Batch(views(3), torch.arange(ROWS) * 5))
