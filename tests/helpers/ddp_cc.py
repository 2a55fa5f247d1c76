"""One step of CC, on one process or on a share of the rows. Every job takes a folder."""
from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from ddp_pool import job
from ddp_steps import ROWS, step, views
from reduced import K
from torch import nn

from mmcluster.registry import MODELS
from mmcluster.structures import Batch


def cc_model(**options: Any) -> nn.Module:
    """CC with random weights and clusters that are not empty."""
    torch.manual_seed(3)
    model = MODELS.build(dict(
        type='CC', backbone=dict(type='SmallCNN', widths=(4, 8)),
        projector=dict(type='MLPProjector', in_channels=8, hid_channels=16, out_channels=8, norm=False),
        head=dict(type='MLPClusterHead', num_clusters=K), **options))
    model.init_weights()
    return model


@job
def step_cc(folder: Path) -> dict:
    """Both losses, whose gap is not a mean over rows."""
    return step(cc_model(), batch=Batch(views(2), torch.arange(ROWS)))


@job
def step_cc_instance_only(folder: Path) -> dict:
    """A step of images that belong to no cluster."""
    model = cc_model()
    model.head.requires_grad_(False)
    return step(model, instance_only=Batch(views(2), torch.arange(ROWS)))
