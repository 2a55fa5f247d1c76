"""What a step draws depends on seed, rank and iteration alone."""
import random
import timeit

import numpy as np
import pytest
import torch
from mmengine.hooks import Hook

from mmcluster.engine.hooks import seed as module
from mmcluster.engine.hooks.seed import reseed

from .toy import toy_runner


def draw():
    return torch.rand(3).tolist(), np.random.rand(3).tolist(), random.random()


class Draw(Hook):
    """Keeps what the global generators give at each place, after some step has disturbed them."""

    priority = 'VERY_HIGH'

    def __init__(self):
        self.drawn = {}

    def before_train_epoch(self, runner):
        self.drawn['epoch', runner.epoch] = draw()

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        self.drawn['iter', runner.iter] = draw()


def run(work_dir, epochs, seed=3, **changes):
    hook = Draw()
    runner = toy_runner(work_dir, custom_hooks=[hook], randomness=dict(seed=seed), **changes,
                        train_cfg=dict(by_epoch=True, max_epochs=epochs))
    runner.train()
    return hook.drawn, runner


def test_a_resumed_run_draws_what_an_uninterrupted_one_does(tmp_path):
    whole, _ = run(tmp_path / 'whole', 4)
    run(tmp_path / 'parts', 2)
    torch.manual_seed(99), np.random.seed(99), random.seed(99)
    rest, _ = run(tmp_path / 'parts', 4, resume=True)
    assert len(rest) == 2 + 16 and all(whole[key] == value for key, value in rest.items())
    values = [str(value) for value in whole.values()]
    assert len(set(values)) == len(values) == 4 + 32  # no two places share their numbers


@pytest.mark.parametrize('change', ['seed', 'rank'])
def test_other_seeds_and_ranks_draw_otherwise(tmp_path, monkeypatch, change):
    first, _ = run(tmp_path / 'a', 1)
    if change == 'rank':
        monkeypatch.setattr(module, 'get_rank', lambda: 1)
    second, _ = run(tmp_path / 'b', 1, seed=4 if change == 'seed' else 3)
    assert all(first[key][i] != second[key][i] for key in first for i in range(3))


def test_it_runs_before_all_other_hooks(tmp_path):
    _, runner = run(tmp_path, 1)
    assert type(runner.hooks[0]).__name__ == 'SeedHook' and runner.hooks[0].__dict__ == {}


def test_reseeding_costs_little():
    best = min(timeit.repeat(lambda: reseed('iter', 0, 0, 7), number=100, repeat=10)) / 100
    assert best < 80e-6  # torch.manual_seed alone takes longer


def test_the_accelerator_in_use_is_seeded(monkeypatch):
    seeded = []
    monkeypatch.setattr(torch.cuda, 'is_initialized', lambda: True)
    monkeypatch.setattr(torch.cuda, 'manual_seed', seeded.append)
    assert seeded == [] and reseed('x') == seeded[0] != reseed('y')
