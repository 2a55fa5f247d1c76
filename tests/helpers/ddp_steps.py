"""Losses and gradients of one step, on one process or on a share of the rows. Every job takes a folder."""
from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from ddp_pool import job, mine, random
from mmengine.config import ConfigDict
from mmengine.dist import get_rank, get_world_size
from reduced import K, N, clusmatch_cfg, propos_cfg
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from mmcluster.registry import MODELS
from mmcluster.structures import Batch

ROWS = 12


def step(model: nn.Module, **streams: Batch) -> dict[str, dict[str, Tensor]]:
    """Losses, gradients and buffers of one step in training mode, batch norm in evaluation mode.

    Args:
        model: Clusterer.
        streams: Batches of all processes.
    """
    model.train()
    for module in model.modules():
        if isinstance(module, _BatchNorm):
            module.eval()
    share = {name: Batch([mine(view) for view in batch.views], mine(batch.index)) for name, batch in streams.items()}
    net = model
    if get_world_size() > 1:
        resting = hasattr(model, 'twin') or hasattr(model, 'pisd')
        net = nn.parallel.DistributedDataParallel(model, broadcast_buffers=False, find_unused_parameters=resting)
    losses = net(None, share, mode='loss')
    sum(value for name, value in losses.items() if name.startswith('loss_')).backward()
    return dict(losses={name: value.detach() for name, value in losses.items()},
                gradients={name: param.grad for name, param in model.named_parameters() if param.grad is not None},
                buffers={name: value.clone() for name, value in model.named_buffers()})


def views(count: int, rows: int = ROWS, seed: int = 0) -> list[Tensor]:
    """``count`` views (rows, 1, 8, 8) of images that differ in brightness and contrast."""
    return list(random(count, rows, 1, 8, 8, seed=seed) * random(rows, 1, 1, 1) + random(rows, 1, 1, 1, seed=1))


def byol_model(**options: Any) -> nn.Module:
    """BYOL or ProPos with random weights, another teacher, and a bank whose every field is filled."""
    cfg = propos_cfg('unused', dict(array='', labels='')).model
    cfg.merge(dict(bank=dict(num_samples=N), sigma=0., **options))
    if cfg.type == 'BYOL':
        cfg = ConfigDict({key: cfg[key] for key in ('type', 'backbone', 'neck', 'predictor', 'decay')})
    torch.manual_seed(3)
    model = MODELS.build(cfg)
    model.init_weights()
    with torch.no_grad():
        for param in model.teacher.parameters():
            param.add_(0.1 * torch.randn_like(param))
    if model.bank is not None:
        label = torch.arange(N) % (K - 2)
        label[::11] = -1
        label[55] = K - 1  # one cluster has a single row, one is empty
        model.bank.fill(label=label)
        if 'posterior' in model.bank.fills:
            model.bank.fill(posterior=random(N, K, seed=5).softmax(1))
    torch.manual_seed(100 + get_rank())
    return model


def byol_step(**options: Any) -> dict:
    """One step; a queue is filled by a step before it."""
    model = byol_model(**options)
    index = torch.arange(ROWS) * 5
    if options.get('queue_size'):
        step(model, batch=Batch(views(2, seed=1), (index + 1) % N))
        model.zero_grad()
    return step(model, batch=Batch(views(2), index))


@job
def step_byol(folder: Path) -> dict:
    """BYOL."""
    return byol_step(type='BYOL')


@job
def step_propos(folder: Path) -> dict:
    """ProPos with labels."""
    return byol_step(queue_size=0)


@job
def step_propos_joint(folder: Path) -> dict:
    """ProPos whose networks see both views as one batch after the teacher moved."""
    return byol_step(queue_size=0, joint_views=True, ema_before_forward=True)


@job
def step_propos_queue(folder: Path) -> dict:
    """ProPos with a queue that is not full."""
    return byol_step(queue_size=30)


@job
def step_propos_soft(folder: Path) -> dict:
    """ProPos with posteriors and a queue that overflows."""
    return byol_step(queue_size=20, assignment='soft')


def scatter_gradient(gather_grad: str) -> dict[str, Tensor]:
    """Gradient of prototype scattering alone."""
    model = byol_model(queue_size=0, gather_grad=gather_grad)
    align = model.align
    model.align = lambda z, k: 0 * align(z, k)
    return step(model, batch=Batch(views(2), torch.arange(ROWS)))['gradients']


@job
def scatter_sum(folder: Path) -> dict:
    """The whole gradient."""
    return scatter_gradient('sum')


@job
def scatter_local(folder: Path) -> dict:
    """The release's."""
    return scatter_gradient('local')


@job
def step_clusmatch(folder: Path) -> dict:
    """ClusMatch, two steps."""
    cfg = clusmatch_cfg('unused', dict(array='', labels='')).model
    cfg.bank.num_samples = N
    cfg.base.init_cfg = None
    cfg.pseudo_label_loss.fairness_weight = 0.5
    torch.manual_seed(4)
    model = MODELS.build(cfg)
    model.init_weights()
    with torch.no_grad():  # so that rows differ in their cluster and confidence
        logits = model.eval().head(model.neck(model.backbone(views(1, ROWS)[0])))
        model.head.fc.weight.mul_(2 / logits.std(0)[:, None])
        model.head.fc.bias.sub_(2 * logits.mean(0) / logits.std(0))
    model.pseudo_label_loss.negative_thresholds.mul_(0.4)  # so that only confident rows are positive
    model.bank.fill(target=torch.arange(N) % (K + 1) - 1, label=torch.arange(N) % K)
    for seed in (1, 2):
        model.zero_grad()
        result = step(model, labelled=Batch(views(1, 6, seed), torch.arange(6) * 7 % N),
                      unlabelled=Batch(views(2, ROWS, seed + 5), torch.arange(ROWS) * 3 % N))
    return result


@job
def shuffle_bn(folder: Path) -> dict:
    """Momentum embeddings of this process's rows, shuffled over processes and not, in both modes."""
    model, share = byol_model(queue_size=0), [mine(view) for view in views(2)]
    with torch.no_grad():
        found = {mode: (torch.cat(model.train(mode == 'train').target(share)),
                        torch.cat([model._target(view) for view in share])) for mode in ('eval', 'train')}
    return found
