"""The log says what an epoch spent on views, network, loader, evaluation and E-steps."""
import re

import pytest
from mmengine.evaluator import BaseMetric, Evaluator
from mmengine.hooks import Hook

from mmcluster.engine.hooks import CostHook, costs

from .toy import ToyData, ToyModel, toy_runner


class Clock:
    """Time that passes only where a part says so."""

    def __init__(self):
        self.now = 0.

    def slow(self, function, seconds):
        def slowed(*args, **kwargs):
            self.now += seconds
            return function(*args, **kwargs)
        return slowed


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(costs, 'perf_counter', lambda: clock.now)
    monkeypatch.setattr(costs, 'process_time', lambda: clock.now / 2)
    monkeypatch.setattr(ToyData, '__getitem__', clock.slow(ToyData.__getitem__, 0.25))          # 32 rows an epoch
    monkeypatch.setattr(ToyModel, 'forward', clock.slow(ToyModel.forward, 5.))                  # 8 steps an epoch
    return clock


class Nothing(BaseMetric):
    """A metric without values."""

    def process(self, data_batch, data_samples):
        """Look at nothing."""

    def compute_metrics(self, results):
        return {}


def lines(work_dir, clock, monkeypatch, **changes):
    class EStep(Hook):
        def before_train_epoch(self, runner):
            clock.now += 10
            runner.model.data_preprocessor(dict(inputs=[]), False)                              # a sweep's views

    said = []
    runner = toy_runner(work_dir, custom_hooks=[EStep(), CostHook()], **changes)
    monkeypatch.setattr(runner.model.data_preprocessor, 'forward', clock.slow(runner.model.data_preprocessor.forward, 2.))
    monkeypatch.setattr(runner.logger, 'info', said.append)
    runner.train()
    assert not runner.model.data_preprocessor._forward_hooks, 'it watches only while training'
    return [line for line in said if re.match(r'epoch \d+ took', line)]


def test_every_second_is_booked_once(tmp_path, clock, monkeypatch):
    assert lines(tmp_path, clock, monkeypatch) == [
        f'epoch {i} took 76.0 s, 38.0 s of processor time: network 52.6%, views 21.1%, E-steps and other hooks 15.8%, '
        f'loader 10.5%' for i in (1, 2)]


def test_an_evaluation_belongs_to_the_epoch_before_it(tmp_path, clock, monkeypatch):
    sampler = dict(type='DefaultSampler', shuffle=False)
    found = lines(tmp_path, clock, monkeypatch, val_cfg=dict(), val_evaluator=Evaluator(Nothing(prefix='none')),
                  val_dataloader=dict(dataset=dict(type='ToyData'), batch_size=4, num_workers=0, sampler=sampler),
                  train_cfg=dict(by_epoch=True, max_epochs=3, val_interval=2))
    assert [line.split(' s,')[0] for line in found] == ['epoch 1 took 76.0', 'epoch 2 took 140.0', 'epoch 3 took 140.0']
    assert ['evaluation 45.7%' in line for line in found] == [False, True, True], 'the views of an evaluation are its own'
