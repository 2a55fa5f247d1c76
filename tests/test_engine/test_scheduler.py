"""Rates are a closed form of the iteration, in every group, however often a run is interrupted."""
import math

import pytest
import torch
from mmengine.hooks import Hook
from mmengine.registry import PARAM_SCHEDULERS
from torch import nn

from mmcluster.engine.scheduler import FixMatchCosineLR, WarmupCosineLR

from .toy import toy_runner

ITERS = 8  # of an epoch of the toy data


class Rates(Hook):
    """Keeps the rates with which each iteration is done."""

    def __init__(self):
        self.rates = []

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        self.rates.append([group['lr'] for group in runner.optim_wrapper.optimizer.param_groups])


def run(work_dir, epochs, scheduler, resume=False, **paramwise):
    hook = Rates()
    runner = toy_runner(
        work_dir, custom_hooks=[hook], resume=resume, train_cfg=dict(by_epoch=True, max_epochs=epochs),
        param_scheduler=scheduler,
        optim_wrapper=dict(type='OptimWrapper', constructor='GroupedOptimWrapperConstructor',
                           optimizer=dict(type='SGD', lr=0.1), paramwise_cfg=paramwise or dict(lr_mult=dict(norm=10.))))
    runner.train()
    return hook.rates, runner


def warmup_cosine(n, warmup, total):
    """The released rate, written out: n counts iterations from 1, the cosine spans all epochs."""
    epoch = n / ITERS
    return epoch / warmup if epoch < warmup else 0.5 * (1 + math.cos(math.pi * (epoch - warmup) / total))


def fixmatch(n, total, warmup=0):
    return n / warmup if n < warmup else math.cos(7 * math.pi * (n - warmup) / (16 * (total - warmup)))


PROPOS = dict(type='WarmupCosineLR', total_epochs=4, warmup_epochs=1.5, convert_to_iter_based=True)
FIXMATCH = dict(type='FixMatchCosineLR', total_epochs=4, warmup_epochs=1, convert_to_iter_based=True)
CASES = [(PROPOS, lambda i: warmup_cosine(i + 1, 1.5, 4)), (FIXMATCH, lambda i: fixmatch(i, 4 * ITERS, ITERS))]


@pytest.mark.parametrize('cfg, factor', CASES)
def test_every_iteration_has_its_rate_in_every_group(tmp_path, cfg, factor):
    rates, runner = run(tmp_path, 4, cfg)
    assert len(rates) == 4 * ITERS and len(rates[0]) == 2
    for i, (slow, fast) in enumerate(rates):
        assert slow == pytest.approx(0.1 * factor(i), rel=1e-12, abs=1e-15)
        assert fast == pytest.approx(factor(i), rel=1e-12, abs=1e-15)
    assert runner.message_hub.get_scalar('train/lr').data[0].tolist() == [slow for slow, _ in rates]


@pytest.mark.parametrize('cfg, factor', CASES)
def test_an_interrupted_run_has_the_same_rates(tmp_path, cfg, factor):
    whole, _ = run(tmp_path / 'whole', 4, cfg)
    parts = []
    for epochs in (1, 3, 4):
        rates, _ = run(tmp_path / 'parts', epochs, cfg, resume=True)
        parts += rates
    assert parts == whole


def test_a_constant_rate_stays_through_warm_up_and_resume(tmp_path):
    whole, _ = run(tmp_path / 'whole', 4, PROPOS, constant_lr=['norm'])
    assert {constant for _, constant in whole} == {0.1} and len({rate for rate, _ in whole}) > 2 * ITERS
    parts = [rate for epochs in (1, 4)
             for rate in run(tmp_path / 'parts', epochs, PROPOS, resume=True, constant_lr=['norm'])[0]]
    assert parts == whole


def test_a_constant_rate_may_rise(tmp_path):
    rates, _ = run(tmp_path, 4, dict(PROPOS, rising=True), constant_lr=['norm'])
    assert [rate for _, rate in rates] == pytest.approx(
        [0.05 * (1 - math.cos(math.pi * i / (4 * ITERS))) for i in range(4 * ITERS)])
    assert [rate for rate, _ in rates] == pytest.approx([0.1 * warmup_cosine(i + 1, 1.5, 4) for i in range(4 * ITERS)])


def test_the_curve_of_a_resumed_run_is_the_configs(tmp_path):
    run(tmp_path, 2, PROPOS)
    rates, _ = run(tmp_path, 3, dict(PROPOS, total_epochs=8), resume=True)
    assert rates[0][1] == pytest.approx(warmup_cosine(2 * ITERS + 1, 1.5, 8))


def test_without_conversion_the_rate_moves_once_an_epoch(tmp_path):
    rates, _ = run(tmp_path, 4, dict(type='FixMatchCosineLR', total_epochs=4))
    assert [rate for _, rate in rates[::ITERS]] == pytest.approx([fixmatch(e, 4) for e in range(4)])
    assert all(rates[i] == rates[i - i % ITERS] for i in range(len(rates)))


def test_several_ways_to_the_same_rate():
    def first(**kwargs):
        optimizer = torch.optim.SGD(nn.Linear(1, 1).parameters(), lr=0.2)
        scheduler = PARAM_SCHEDULERS.build(dict(kwargs, optimizer=optimizer, epoch_length=10))
        for _ in range(19):
            optimizer.step()
            scheduler.step()
        return optimizer.param_groups[0]['lr']

    by_config = first(type='mmcluster.WarmupCosineLR', total_epochs=6, warmup_epochs=1, convert_to_iter_based=True)
    by_hand = first(type='mmcluster.WarmupCosineLR', total_epochs=6, warmup_epochs=1, iters_per_epoch=10,
                    by_epoch=False)
    assert by_config == by_hand == pytest.approx(0.2 * 0.5 * (1 + math.cos(math.pi / 6)))
    rest = first(type='mmcluster.WarmupCosineLR', total_epochs=6, warmup_epochs=1, convert_to_iter_based=True,
                 denominator='rest', eta_min_ratio=0.1)
    assert rest == pytest.approx(0.2 * (0.1 + 0.9 * 0.5 * (1 + math.cos(math.pi / 5))))


def test_only_the_step_is_taken_from_a_state():
    optimizer = torch.optim.SGD(nn.Linear(1, 1).parameters(), lr=0.2)
    for cls in (WarmupCosineLR, FixMatchCosineLR):
        scheduler = cls(optimizer, total_epochs=30)
        scheduler.load_state_dict(dict(cls(optimizer, total_epochs=50).state_dict(), _global_step=7, last_step=3))
        assert scheduler.last_step == 7 and optimizer.param_groups[0]['lr'] == 0.2 * scheduler.factor(7)
        late = cls(optimizer, total_epochs=30, begin=2, end=5)
        late.load_state_dict(dict(_global_step=9))
        assert optimizer.param_groups[0]['lr'] == 0.2 * late.factor(2)
        late.load_state_dict(dict(_global_step=1))
        assert late.last_step == -1


def test_mistakes_are_named():
    optimizer = torch.optim.SGD(nn.Linear(1, 1).parameters(), lr=0.2)
    with pytest.raises(ValueError, match='denominator'):
        WarmupCosineLR(optimizer, total_epochs=3, denominator='all')
    for rest in (dict(rest_epochs=1), dict(rest_epochs=2, warmup_epochs=2),
                 dict(rest_epochs=1, warmup_epochs=2, stepwise=True)):
        with pytest.raises(ValueError, match='rest_epochs=.*of the warmup_epochs'):
            WarmupCosineLR(optimizer, total_epochs=3, **rest)
    with pytest.raises(ValueError, match='by_epoch=True'):
        FixMatchCosineLR.build_iter_from_epoch(optimizer, total_epochs=3, by_epoch=False, epoch_length=4)
    with pytest.raises(ValueError, match='known length'):
        FixMatchCosineLR.build_iter_from_epoch(optimizer, total_epochs=3)
