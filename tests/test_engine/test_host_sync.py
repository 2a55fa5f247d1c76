"""A training step off the log interval never waits for the device, and the counter sees it when one does."""
import functools
import importlib.util
from pathlib import Path

import pytest
import torch
from mmengine.hooks import Hook

ROOT = Path(__file__).parents[2]
SPEC = importlib.util.spec_from_file_location('host_sync', ROOT / 'tools' / 'benchmarks' / 'host_sync.py')
host_sync = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(host_sync)

SMALLER = {
    'spice_cnn_digits.py:spice_self': {'train_dataloader.sampler.streams.batch.size': 260, 'model.repeat': 2},
    'asd_ps_freematch_cnn_digits.py': {
        'train_dataloader.sampler.streams.unlabelled.size': 56, 'model.labeller.num_unlabelled': 56},
}

X = torch.arange(6.).view(2, 3)
WAITS = {
    'item': lambda: X[0, 0].item(),
    'float': lambda: float(X.sum()),
    'truth': lambda: bool((X > 1).any()),
    'if': lambda: 1 if X.sum() else 0,
    'mask': lambda: X[X > 1],
    'mask write': lambda: X.clone().__setitem__(X > 1, torch.zeros(4)),
    'mask write of one number by two masks': lambda: X.clone().__setitem__((X[:, 0] > -1, X[0] > 0), 0.),
    'nonzero': lambda: (X > 1).nonzero(),
    'where': lambda: torch.where(X > 1),
    'masked_select': lambda: X.masked_select(X > 1),
    'unique': lambda: X.unique(),
    'equal': lambda: torch.equal(X, X),
    'allclose': lambda: torch.allclose(X, X),
    'tolist': lambda: X.tolist(),
    'numpy': lambda: X.numpy(),
    'cpu': lambda: X.cpu(),
    'bincount': lambda: X.flatten().long().bincount(),
    'repeats': lambda: X.repeat_interleave(torch.tensor([1, 2]), dim=0),
    'classes unknown': lambda: torch.nn.functional.one_hot(torch.arange(3)),
    'in backward': lambda: _Reads.apply(X.clone().requires_grad_()).sum().backward(),
}
FREE = {
    'arithmetic': lambda: (X @ X.T).softmax(1).argmax(1),
    'index by numbers': lambda: X[torch.tensor([1, 0])],
    'mask write of one number': lambda: X.clone().__setitem__(X > 1, 0.),
    'mask write of one number in a row': lambda: X.clone().__setitem__((0, X[0] > 1), 0.),
    'three-way where': lambda: torch.where(X > 1, X, -X),
    'repeats of known length': lambda: X.repeat_interleave(torch.tensor([1, 2]), dim=0, output_size=3),
    'optimiser': lambda: _train(torch.nn.Linear(3, 2)),
    'step counters': lambda: _train(torch.nn.Linear(3, 2), torch.optim.AdamW),
    'classes known': lambda: torch.nn.functional.one_hot(torch.arange(3), 5),
}


class _Reads(torch.autograd.Function):
    """Identity whose backward pass reads a value."""

    @staticmethod
    def forward(ctx, x):
        return x.clone()

    @staticmethod
    def backward(ctx, grad):
        return grad * grad.sum().item()


class ItemHook(Hook):
    """Reads a weight at every step."""

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        next(runner.model.parameters()).detach().sum().item()


def _train(model, optimizer=functools.partial(torch.optim.SGD, momentum=0.9)):
    optimizer = optimizer(model.parameters(), lr=0.1, weight_decay=0.1)
    model(X).square().mean().backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.)
    optimizer.step()
    optimizer.zero_grad()


@pytest.mark.parametrize('name', WAITS)
def test_a_wait_is_counted(name):
    assert sum(host_sync.count_host_syncs(WAITS[name]).values()) >= 1


@pytest.mark.parametrize('name', FREE)
def test_what_does_not_wait_is_not_counted(name):
    assert not host_sync.count_host_syncs(FREE[name])


def test_every_kind_of_method_is_counted():
    assert {part for name in host_sync.STAGES for part in name.split('_')} >= {'propos', 'clusmatch', 'moco', 'spice', 'fixmatch'}


@pytest.mark.parametrize('name', host_sync.STAGES)
def test_no_step_of_the_digits_stages_waits(name, tmp_path):
    path, options = str(ROOT / 'configs' / name), SMALLER.get(name)
    off, on = host_sync.count_steps(host_sync.short_runner(path, str(tmp_path), steps=6, options=options))
    assert len(off) == 4 and len(on) == 2
    assert sum(off, host_sync.Counter()) == {}
    assert all(sum(counts.values()) == 1 for counts in on), 'a logging step transfers once'


def test_clipping_in_bfloat16_does_not_wait(tmp_path):
    options = {'optim_wrapper.type': 'AutocastOptimWrapper', 'optim_wrapper.clip_grad': dict(max_norm=1.)}
    path = str(ROOT / 'configs' / host_sync.STAGES[0])
    off, _ = host_sync.count_steps(host_sync.short_runner(path, str(tmp_path), steps=6, options=options))
    assert sum(off, host_sync.Counter()) == {}


def test_a_planted_read_is_found_in_every_step(tmp_path):
    runner = host_sync.short_runner(str(ROOT / 'configs' / host_sync.STAGES[0]), str(tmp_path), steps=6)
    runner.register_hook(ItemHook())
    off, _ = host_sync.count_steps(runner)
    assert [counts['aten::_local_scalar_dense'] for counts in off] == [1] * 4
