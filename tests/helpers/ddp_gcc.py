"""GCC on one process and on a share of the rows: a step of each stage, and a run. Every job takes a folder."""
from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from ddp_jobs import captured
from ddp_pool import job, random
from ddp_scan import sharpen
from ddp_steps import ROWS, step, views
from mmengine.dist import get_rank
from reduced import K, N, write_digits
from reduced_gcc import gcc_cfg
from torch import nn

from mmcluster.registry import MODELS
from mmcluster.structures import Batch

PAPER = dict(memory_decay=0.6, symmetric_weights=True, both_anchors=True, self_contrast=False)


def gcc_model(**options: Any) -> nn.Module:
    """GCC with random weights, a graph and clusters that are not empty."""
    torch.manual_seed(3)
    model = MODELS.build(dict(
        type='GCC', backbone=dict(type='SmallCNN', widths=(4, 8)), bank=dict(num_samples=N),
        projector=dict(type='MLPProjector', in_channels=8, hid_channels=16, out_channels=8, norm=False),
        head=dict(type='LinearClusterHead', num_clusters=K), **options))
    model.init_weights()
    sharpen(model.head.fc, model.eval().backbone(views(2)[0]), 2.)
    model.bank.fill(neighbors=(random(N, 6) * 1e6).long() % N, degree=6 + torch.arange(N) % 5)
    return model


def gcc_step(**options: Any) -> dict:
    """A step along the graph, after one of the pretext stage."""
    model, index = gcc_model(**options), torch.arange(ROWS)
    model.head.requires_grad_(False)
    step(model, batch=Batch(views(2, seed=4), index + 6))
    model.zero_grad()
    model.head.requires_grad_(True)
    lists = model.bank.read('neighbors', index)
    return step(model, batch=Batch(views(2), index),
                near=Batch(views(1, 3 * ROWS, seed=7), lists[:, :3].flatten()),
                neighbor=Batch(views(1, seed=8), lists[:, 4]))


@job
def step_gcc(folder: Path) -> dict:
    """The release."""
    return gcc_step()


@job
def step_gcc_paper(folder: Path) -> dict:
    """The options of the paper."""
    return gcc_step(**PAPER)


@job
def step_gcc_pretext(folder: Path) -> dict:
    """Without a graph."""
    model = gcc_model()
    model.head.requires_grad_(False)
    return step(model, batch=Batch(views(2), torch.arange(ROWS)))


@job
def train_gcc(folder: Path) -> dict:
    """States of a run that reaches the graph."""
    return captured(gcc_cfg(folder / 'gcc', write_digits(folder / f'{get_rank()}')))[1]
