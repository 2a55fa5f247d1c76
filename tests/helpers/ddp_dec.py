"""Steps and runs of DEC, IDEC and a classical method, on one process or on a share of the rows. Every job takes a folder."""
from __future__ import annotations

from pathlib import Path

import torch
from ddp_pool import job
from ddp_steps import ROWS, step, views
from mmengine.dist import get_rank, get_world_size
from reduced import K, N, forget, write_digits
from reduced_dec import classical_cfg, dec_cfg
from torch import nn

from mmcluster.engine.extract import unwrap
from mmcluster.engine.launch import prepare
from mmcluster.recipes import recipe
from mmcluster.registry import MODELS
from mmcluster.structures import Batch


def dec_model(name: str) -> nn.Module:
    """Random weights and targets of every row."""
    cfg = dec_cfg(name.lower(), 'unused', dict(array='', labels='')).model
    cfg.bank.num_samples = N
    torch.manual_seed(3)
    model = MODELS.build({key: value for key, value in cfg.items() if key != 'data_preprocessor'})
    nn.init.normal_(model.head.centers)
    prob = torch.randn(N, K).softmax(1)
    model.bank.fill(label=prob.argmax(1), soft_target=prob)
    return model


@job
def step_dec(folder: Path) -> dict:
    """Clusters."""
    return step(dec_model('DEC'), batch=Batch(views(1), torch.arange(ROWS) * 3))


@job
def step_idec(folder: Path) -> dict:
    """Clusters and reconstruction."""
    return step(dec_model('IDEC'), batch=Batch(views(1), torch.arange(ROWS) * 3))


@job
def train_dec(folder: Path) -> dict:
    """The state after two epochs, with the centres of one process's k-means; the rows of a step are the same ones."""
    forget()
    cfg = dec_cfg('dec', folder / 'dec', write_digits(folder / f'{get_rank()}'), base=None, epochs=2)
    cfg.randomness = dict(seed=0)
    recipe.bind_data(cfg)
    runner = recipe.build_runner(prepare(cfg, 'pytorch' if get_world_size() > 1 else 'none'))
    runner.train()
    state = {name: value.clone() for name, value in unwrap(runner.model).state_dict().items()}
    recipe.close(runner)
    return state


@job
def train_classical(folder: Path) -> dict:
    """Labels and metrics of spectral clustering, by which one process labels for all."""
    forget()
    cfg = classical_cfg(folder / 'classical', write_digits(folder / f'{get_rank()}'), 'spectral')
    cfg.randomness = dict(seed=0)
    recipe.bind_data(cfg)
    runner = recipe.build_runner(prepare(cfg, 'pytorch' if get_world_size() > 1 else 'none'))
    runner.train()
    label = unwrap(runner.model).bank.label.clone()
    recipe.close(runner)
    return dict(label=label)
