"""SCAN's two losses and a run of its clustering step, on one process or on each of two. Every job takes a folder."""
from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from ddp_jobs import captured
from ddp_pool import job
from ddp_steps import ROWS, step, views
from mmengine.dist import get_rank
from reduced import K, N, write_digits
from reduced_scan import scan_cfg, simclr_cfg

from mmcluster.engine.hooks import NeighborHook
from mmcluster.registry import MODELS
from mmcluster.structures import Batch

BACKBONE = dict(type='SmallCNN', widths=(4, 8))
HEAD = dict(type='LinearClusterHead', num_clusters=K)


@torch.no_grad()
def sharpen(layer: torch.nn.Linear, feats: torch.Tensor, scale: float) -> None:
    """Let the rows of ``feats`` (B, D) differ in cluster and confidence."""
    layer.weight.mul_(scale / layer(feats).std(0)[:, None])
    layer.bias.sub_(layer(feats).mean(0))


def scan_step(**options: Any) -> dict:
    """One step of SCAN; the anchors of the two processes have different mean predictions."""
    torch.manual_seed(4)
    model = MODELS.build(dict(type='SCAN', backbone=BACKBONE, bank=dict(num_samples=N), num_neighbors=3,
                              head=dict(type='MultiHead', num_heads=3, head=HEAD), **options))
    model.init_weights()
    anchor, neighbor = views(2)
    for head in model.head.heads:
        sharpen(head.fc, model.eval().backbone(anchor), 2.)
    index = torch.arange(ROWS)
    return step(model, anchor=Batch([anchor], index), neighbor=Batch([neighbor], index + ROWS))


@job
def step_scan(folder: Path) -> dict:
    """Entropy of the mean over all rows."""
    return scan_step()


@job
def step_scan_heads_only(folder: Path) -> dict:
    """A frozen network, and clusters of unequal size."""
    return scan_step(freeze=True, prior=[4., 2., 1., 1.])


def confidence_step(**options: Any) -> dict:
    """One step of self-labelling; certain rows and their clusters are shared unequally by the processes."""
    torch.manual_seed(4)
    model = MODELS.build(dict(type='Boost', backbone=BACKBONE, head=HEAD, bank=dict(num_samples=N),
                              pseudo_label_loss=dict(type='ConfidenceLoss', **options)))
    model.init_weights()
    plain, strong = views(2)
    sharpen(model.head.fc, model.eval().backbone(plain), 4.)
    return step(model, unlabelled=Batch([plain, strong], torch.arange(ROWS)))


@job
def step_confidence(folder: Path) -> dict:
    """Every cluster counts the same, wherever its rows are."""
    return confidence_step(threshold=0.7)


@job
def step_confidence_unbalanced(folder: Path) -> dict:
    """Every row counts the same."""
    return confidence_step(threshold=0.7, class_balance=False)


@job
def step_confidence_nothing(folder: Path) -> dict:
    """No row is certain anywhere."""
    return confidence_step(threshold=1 - 1e-6)


def scan_run(folder: Path, name: str) -> dict:
    """States of a run, whose neighbours are mined on rank 0 unless their file is in the folder."""
    data = write_digits(folder / f'{get_rank()}')
    torch.manual_seed(3)
    model = MODELS.build(dict(simclr_cfg('unused', data).model, data_preprocessor=None))
    model.init_weights()
    path = folder / f'simclr_{get_rank()}.pth'
    torch.save(dict(state_dict=model.state_dict()), path)
    cfg = scan_cfg(folder / name, data, str(path), epochs=2)
    cfg.custom_hooks[0].file = str(folder / 'neighbors.npz')
    return captured(cfg)[1]


@job
def train_scan(folder: Path) -> dict:
    """Mine, and write the file."""
    return scan_run(folder, 'scan')


@job
def train_scan_from_file(folder: Path) -> dict:
    """Read the file that the job before has written."""
    original = NeighborHook.estimate
    NeighborHook.estimate = None
    try:
        return scan_run(folder, 'scan_from_file')
    finally:
        NeighborHook.estimate = original
