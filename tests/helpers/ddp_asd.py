"""ASD's labels and a run of it, on one process or on a share of the rows. Every job takes a folder."""
from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from ddp_jobs import captured
from ddp_pool import job, mine, random
from ddp_steps import step, views
from mmengine.dist import get_rank
from reduced import K, N, write_digits
from reduced_asd import asd_cfg

from mmcluster.registry import MODELS
from mmcluster.structures import Batch

M, U, D = 8, 14, 8


def three_steps(**options: Any) -> dict:
    """The anchors, other rows, and a step with a map; some unlabelled rows occur twice. The result of the last."""
    torch.manual_seed(4)
    model = MODELS.build(dict(
        type='Boost', backbone=dict(type='SmallCNN', widths=(4, D)), bank=dict(num_samples=N), teacher=dict(decay=0.9),
        head=dict(type='LinearClusterHead', num_clusters=K),
        labeller=dict(type='ASDLabels', num_clusters=K, num_labelled=M, num_unlabelled=U, window=2,
                      **options),
        pseudo_label_loss=dict(type='FreeMatchLoss', num_clusters=K, decay=0.2, fairness_weight=0.5)))
    model.init_weights()
    with torch.no_grad():
        model.labeller.head.weight.mul_(5)
    anchor = torch.arange(M) * 2
    model.bank.fill(index=anchor, anchor=torch.arange(M))
    if model.labeller.given:
        model.bank.fill(target=torch.arange(N) % K)

    def streams(seed: int) -> dict[str, Batch]:
        unlabelled = torch.arange(U) * 3 % (9 + seed)
        labelled = anchor.flip(0) if seed == 0 else (anchor + 7 * seed) % N
        return dict(labelled=Batch(views(1, M, seed), labelled), unlabelled=Batch(views(2, U, seed + 5), unlabelled),
                    reference=Batch([random(M, 1, 8, 8, seed=20)], anchor))
    model.train()
    model.watch.start()
    for seed in (0, 1):
        share = {name: Batch([mine(view) for view in batch.views], mine(batch.index))
                 for name, batch in streams(seed).items()}
        for module in model.modules():
            if isinstance(module, torch.nn.modules.batchnorm._BatchNorm):
                module.eval()
        model(None, share, mode='loss')
    model.labeller.set_map(torch.arange(M) % K)
    return step(model, **streams(2))


@job
def step_asd(folder: Path) -> dict:
    """Anchors that are recomputed."""
    return three_steps()


@job
def step_asd_soft(folder: Path) -> dict:
    """Anchors that follow, and soft labels."""
    return three_steps(anchor_mode='frozen', soft=True)


@job
def step_asd_noise(folder: Path) -> dict:
    """Given labels, of which a share of all rows is wrong: 1 of 8 rows, which is none of 4."""
    return three_steps(given='target', noise=0.1)


@job
def reference_asd(folder: Path) -> dict:
    """Embeddings of the same images by an average whose running statistics differ between processes."""
    torch.manual_seed(4)
    model = MODELS.build(dict(
        type='Boost', backbone=dict(type='SmallCNN', widths=(4, D)), bank=dict(num_samples=N), teacher=dict(decay=0.9),
        head=dict(type='LinearClusterHead', num_clusters=K),
        pseudo_label_loss=dict(type='FixMatchLoss', num_clusters=K)))
    model.init_weights()
    for module in model.teacher.modules():
        if isinstance(module, torch.nn.modules.batchnorm._BatchNorm):
            module.running_mean.add_(get_rank())
    return model.embed_reference(random(M, 1, 8, 8, seed=20), random(M, 1, 8, 8, seed=21))._asdict()


@job
def train_asd(folder: Path) -> dict:
    """States of a run, whose maps are made on rank 0."""
    return captured(asd_cfg(folder / 'asd', write_digits(folder / f'{get_rank()}'), epochs=2))[1]
