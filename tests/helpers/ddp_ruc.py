"""Steps of RUC's networks and runs of both, on one process or on a share of the rows. Every job takes a folder."""
from __future__ import annotations

from pathlib import Path
from typing import Any, Optional

import torch
from ddp_jobs import captured
from ddp_pool import job, mine, random
from ddp_scan import sharpen
from ddp_steps import step, views
from mmengine.dist import get_rank
from reduced import K, N, forget, write_digits
from reduced_ruc import ruc_asd_cfg, ruc_cfg

from mmcluster.models.base_parts import build_base
from mmcluster.registry import MODELS
from mmcluster.structures import Batch

M, U, D = 8, 14, 8


def two_turns(last: int, clean: Optional[int] = None, **options: Any) -> dict:
    """A step of each network, mixed with the other weak view of the same image; the result of the second step.

    Args:
        last: Which network has the second turn.
        clean: The only clean row; ``None``: two of three, and others become clean.
        options: A labeller.
    """
    torch.manual_seed(4)
    model = MODELS.build(dict(
        type='RUC', backbone=dict(type='SmallCNN', widths=(4, D)), bank=dict(num_samples=N),
        relabel_threshold=0.6 if clean is None else 1.1,
        head=dict(type='LinearClusterHead', num_clusters=K), **options))
    model.init_weights()
    sharpen(model.head.fc, model.eval().backbone(views(1, U)[0]), 2.)
    sharpen(model.twin.head.fc, model.twin.backbone(views(1, U)[0]), 2.)
    model.draw = lambda rows, device: (0.75, torch.arange(rows, device=device).roll(rows // 2))
    anchor = torch.arange(M) * 2
    if 'labeller' in options:
        model.bank.fill(index=anchor, anchor=torch.arange(M))
        model.labeller.set_map(torch.arange(M) % K)
    else:
        known = torch.arange(N) % 3 > 0 if clean is None else torch.arange(N) == clean
        model.bank.fill(target=torch.where(known, torch.arange(N) % K, -1))

    def streams(seed: int) -> dict[str, Batch]:
        index = torch.arange(U) * 3 % (20 + seed * (clean is None))     # some rows of the second step occur twice
        if 'labeller' not in options:
            return dict(unlabelled=Batch(views(4, U, seed), index))
        return dict(unlabelled=Batch(views(2, U, seed), index),
                    labelled=Batch(views(4, M, seed + 5), (anchor + 7 * seed) % N),
                    reference=Batch([random(M, 1, 8, 8, seed=20)], anchor))

    model.train()
    for module in model.modules():
        if isinstance(module, torch.nn.modules.batchnorm._BatchNorm):
            module.eval()
    for seed, turn in ((0, 1 - last), (1, last)):
        model.turn = turn
        model.start_turn()
        batch = streams(seed)
        if turn == last:
            return step(model, **batch)
        model(None, {name: Batch([mine(view) for view in rows.views], mine(rows.index))
                     for name, rows in batch.items()}, mode='loss')


@job
def step_ruc(folder: Path) -> dict:
    """Of the first network, refined by the twin."""
    return two_turns(0)


@job
def step_ruc_twin(folder: Path) -> dict:
    """Of the twin."""
    return two_turns(1)


@job
def step_ruc_one_clean(folder: Path) -> dict:
    """One process has no clean row, the other one."""
    return two_turns(0, clean=3)


def asd(**options: Any) -> dict:
    """ASD's labels."""
    return dict(labeller=dict(type='ASDLabels', num_clusters=K, num_labelled=M, num_unlabelled=U,
                              window=2, **options))


@job
def step_ruc_asd(folder: Path) -> dict:
    """The first network and the labeller."""
    return two_turns(0, **asd())


@job
def step_ruc_asd_twin(folder: Path) -> dict:
    """The twin, while the labeller asks the first network; soft labels."""
    return two_turns(1, **asd(soft=True))


def given(folder: Path) -> tuple[dict, tuple[str, str]]:
    """Data, and checkpoints of a clustering and an embedding with random weights."""
    forget()
    data, paths = write_digits(folder / f'{get_rank()}'), []
    select = ruc_cfg('unused', data).custom_hooks[0]
    for i, source in enumerate((select.network, select.embed.network)):
        torch.manual_seed(3)
        model = build_base(source)
        model.init_weights()
        paths.append(str(folder / f'ruc_{i}_{get_rank()}.pth'))
        torch.save(dict(state_dict=model.state_dict()), paths[-1])
    return data, tuple(paths)


@job
def train_ruc(folder: Path) -> dict:
    """Two turns of both networks."""
    data, paths = given(folder)
    cfg = ruc_cfg(folder / 'ruc', data, paths)
    cfg.custom_hooks[0].selector.threshold = 0.25
    return captured(cfg)[1]


@job
def train_ruc_asd(folder: Path) -> dict:
    """The same with ASD's labels."""
    data, paths = given(folder)
    return captured(ruc_asd_cfg(folder / 'ruc_asd', data, paths[0]))[1]
