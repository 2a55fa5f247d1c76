"""One step of TEMI and of TURTLE, on one process or on a share of the rows. Every job takes a folder."""
from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from ddp_pool import job
from ddp_steps import ROWS, step, views
from mmengine.dist import get_rank
from reduced import K, N
from torch import nn

from mmcluster.registry import MODELS
from mmcluster.structures import Batch


def model(kind: str, head: dict, **options: Any) -> nn.Module:
    """Two heads on pixels."""
    torch.manual_seed(3)
    built = MODELS.build(dict(
        type=kind, backbone=dict(type='Pixels', out_channels=64), bank=dict(num_samples=N),
        head=dict(type='MultiHead', num_heads=2, head=dict(head, num_clusters=K)), **options))
    built.init_weights()
    return built


@job
def step_temi(folder: Path) -> dict:
    """The shares of the clusters are those of all rows."""
    anchor, neighbor = views(2)
    head = dict(type='CosineClusterHead', hid_channels=8, bottleneck=6)
    return step(model('TEMI', head), anchor=Batch([anchor], torch.arange(ROWS)),
                neighbor=Batch([neighbor], torch.arange(ROWS)))


@job
def step_turtle(folder: Path) -> dict:
    """Inner heads, drawn by one process, see all rows; they are kept."""
    turtle = model('TURTLE', dict(type='TaskHead', widths=[40, 24]), warm=True, inner_lr=0.01)
    torch.manual_seed(7 + get_rank())
    return step(turtle, batch=Batch(views(1), torch.arange(ROWS)))
