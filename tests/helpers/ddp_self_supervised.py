"""One step of methods that learn from two views, on one process or on a share of the rows. Every job takes a folder."""
from __future__ import annotations

from pathlib import Path

import torch
from ddp_pool import job
from ddp_steps import ROWS, step, views

from mmcluster.registry import MODELS
from mmcluster.structures import Batch


@job
def step_simsiam(folder: Path) -> dict:
    """Both directions."""
    torch.manual_seed(3)
    model = MODELS.build(dict(
        type='SimSiam', backbone=dict(type='SmallCNN', widths=(4, 8)),
        neck=dict(type='MLPProjector', in_channels=8, hid_channels=16, out_channels=8, last_bn=True),
        predictor=dict(type='MLPProjector', in_channels=8, hid_channels=4, out_channels=8)))
    model.init_weights()
    return step(model, batch=Batch(views(2), torch.arange(ROWS)))
