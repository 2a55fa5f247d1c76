"""Three steps of the semi-supervised losses, on one process or on a share of the rows. Every job takes a folder."""
from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from ddp_pool import job
from ddp_steps import step, views
from reduced import K, N

from mmcluster.registry import MODELS
from mmcluster.structures import Batch

L, U, D = 6, 14, 8


def three_steps(kind: str, **options: Any) -> dict:
    """Steps on rows that differ in class and confidence, some of which occur twice; the result of the last."""
    torch.manual_seed(4)
    model = MODELS.build(dict(
        type='Boost', backbone=dict(type='SmallCNN', widths=(4, D)), bank=dict(num_samples=N),
        head=dict(type='LinearClusterHead', num_clusters=K), labeller=dict(type='SelectedLabels'),
        pseudo_label_loss=dict(type=kind, num_clusters=K, **options)))
    model.init_weights()
    with torch.no_grad():
        logits = model.eval().head(model.backbone(views(1, U)[0]))
        model.head.fc.weight.mul_(2 / logits.std(0)[:, None])
        model.head.fc.bias.sub_(2 * logits.mean(0) / logits.std(0))
    model.bank.fill(target=torch.arange(N) % (K + 1) - 1)
    if kind == 'MixMatchLoss':
        model.pseudo_label_loss.draw = lambda rows, device: (1., torch.arange(rows, device=device))
    for seed in (1, 2, 3):
        model.zero_grad()
        result = step(model, labelled=Batch(views(1, L, seed), torch.arange(L) * 7 % N),
                      unlabelled=Batch(views(2, U, seed + 5), torch.arange(U) * 3 % (9 + seed)))
    return result


@job
def step_fixmatch(folder: Path) -> dict:
    """No state."""
    return three_steps('FixMatchLoss', threshold=0.6)


@job
def step_flexmatch(folder: Path) -> dict:
    """The same image on both processes."""
    return three_steps('FlexMatchLoss', threshold=0.6, warmup=False)


@job
def step_freematch(folder: Path) -> dict:
    """Fairness over the chosen rows of all processes."""
    return three_steps('FreeMatchLoss', decay=0.2, fairness_weight=0.5)


@job
def step_freematch_quantile(folder: Path) -> dict:
    """A quantile of all rows, clipped."""
    return three_steps('FreeMatchLoss', decay=0.2, quantile=0.8, max_threshold=0.7)


@job
def step_softmatch(folder: Path) -> dict:
    """One Gaussian."""
    return three_steps('SoftMatchLoss', decay=0.5)


@job
def step_softmatch_per_class(folder: Path) -> dict:
    """A Gaussian a class; one row of a class may lie on each process."""
    return three_steps('SoftMatchLoss', decay=0.5, per_class=True, align='labelled')


@job
def step_adamatch(folder: Path) -> dict:
    """Labels that only one process knows."""
    return three_steps('AdaMatchLoss', decay=0.5)


@job
def step_mutexmatch(folder: Path) -> dict:
    """A head of the loss's own."""
    return three_steps('MutexMatchLoss', in_channels=D, threshold=0.6, k=2)


@job
def step_mixmatch(folder: Path) -> dict:
    """Without mixing, which is each process's own."""
    return three_steps('MixMatchLoss')
