"""Two steps of SeCu, on one process or on a share of the rows. Every job takes a folder."""
from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from ddp_pool import job
from ddp_steps import ROWS, step, views
from reduced import K, N

from mmcluster.registry import MODELS
from mmcluster.structures import Batch


def secu_steps(**options: Any) -> dict:
    """The second of two steps that share half of their images, with other centres than those of the epoch before."""
    torch.manual_seed(3)
    model = MODELS.build(dict(
        type='SeCu', backbone=dict(type='SmallCNN', widths=(4, 8)), num_clusters=K, heads=2,
        neck=dict(type='MLPProjector', in_channels=8, hid_channels=16, out_channels=8), bank=dict(num_samples=N),
        **options))
    model.init_weights()
    with torch.no_grad():
        for weight in model.heads.parameters():
            weight.add_(0.3 * torch.randn_like(weight))
    step(model, batch=Batch(views(2, seed=1), torch.arange(ROWS)))
    model.zero_grad()
    index = torch.arange(ROWS) + ROWS // 2
    index[-1] = index[0]       # an image that both processes see
    return step(model, batch=Batch(views(2), index))


@job
def step_secu(folder: Path) -> dict:
    """Least sizes."""
    return secu_steps(temperature=0.3)


@job
def step_secu_entropy(folder: Path) -> dict:
    """Entropy of the sizes, and a predictor."""
    return secu_steps(entropy_weight=40., temperature=0.3, predictor=dict(
        type='MLPProjector', in_channels=8, hid_channels=16, out_channels=8))
