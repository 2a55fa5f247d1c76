"""Histories equal mmengine's, and values travel once a log interval."""
import numpy as np
import pytest
import torch
from mmengine.hooks import Hook
from mmengine.logging import HistoryBuffer

from mmcluster.engine.hooks.runtime import host_peak

from .toy import ToyModel, toy_runner


@pytest.fixture
def mixed(monkeypatch):
    """Makes a step return tensors of several types, Python numbers, a value that changes in place, changing keys."""
    counter = torch.zeros((), dtype=torch.long)

    def train_step(self, data, optim_wrapper, step=ToyModel.train_step):
        log = step(self, data, optim_wrapper)
        counter.add_(1)
        log.update(half=log['loss'].bfloat16(), double=log['loss'].double() / 3, counter=counter, python=0.25, whole=7,
                   positive=log['loss'] > 0.1, one=log['loss'].reshape(1))
        return {**log, 'rarely': 2 * log['loss']} if len(data['inputs']) and counter % 3 == 0 else log

    monkeypatch.setattr(ToyModel, 'train_step', train_step)
    return counter


def history(work_dir, hook, counter, interval=3, **changes):
    counter.zero_()
    optimizer = dict(type='SGD', lr=0.1)
    runner = toy_runner(work_dir, optim_wrapper=dict(type=changes.pop('wrapper', 'OptimWrapper'), optimizer=optimizer,
                                                     clip_grad=dict(max_norm=0.5)),
                        param_scheduler=dict(type='ExponentialLR', gamma=0.9, by_epoch=False),
                        default_hooks=dict(logger=dict(type='LoggerHook', interval=interval),
                                           seed=dict(type='SeedHook'), runtime_info=dict(type=hook)), **changes)
    runner.train()
    return {key: buffer.data for key, buffer in runner.message_hub.log_scalars.items() if 'time' not in key}


@pytest.mark.parametrize('interval', [1, 3, 100])
def test_history_equals_mmengines(tmp_path, mixed, interval):
    ours = history(tmp_path / 'ours', 'RuntimeInfoHook', mixed, interval)
    theirs = history(tmp_path / 'theirs', 'mmengine.RuntimeInfoHook', mixed, interval, wrapper='mmengine.OptimWrapper')
    assert set(ours) == set(theirs) == {f'train/{name}' for name in (
        'lr', 'loss', 'loss_fit', 'seen', 'half', 'double', 'counter', 'python', 'whole', 'positive', 'one',
        'rarely', 'grad_norm')}
    for key in theirs:
        np.testing.assert_array_equal(ours[key][0], theirs[key][0], err_msg=key)
        np.testing.assert_array_equal(ours[key][1], theirs[key][1], err_msg=key)
    assert len(ours['train/rarely'][0]) == 5 and len(ours['train/grad_norm'][0]) == 16


def test_values_travel_once_an_interval(tmp_path):
    class Watch(Hook):
        priority = 'LOWEST'
        lengths: list = []

        def after_train_iter(self, runner, *args, **kwargs):
            self.lengths.append(len(runner.message_hub.log_scalars.get('train/loss', HistoryBuffer()).data[0]))

    runner = toy_runner(tmp_path, train_cfg=dict(by_epoch=True, max_epochs=1), custom_hooks=[Watch()])
    runner.train()
    assert Watch.lengths == [0, 0, 3, 3, 3, 6, 6, 8]


def test_one_transfer_for_all_values(tmp_path, monkeypatch):
    calls = []
    runner = toy_runner(tmp_path, default_hooks=dict(runtime_info=dict(type='RuntimeInfoHook', interval=4)),
                        train_cfg=dict(by_epoch=True, max_epochs=1))
    monkeypatch.setattr(torch, 'cat', lambda tensors, cat=torch.cat: (calls.append(len(tensors)), cat(tensors))[1])
    runner.train()
    assert calls == [4, 4]


def test_histories_are_bounded(tmp_path):
    hook = dict(type='RuntimeInfoHook', history=5)
    runner = toy_runner(tmp_path, default_hooks=dict(runtime_info=hook, logger=dict(type='LoggerHook', interval=3)))
    runner.train()
    scalars = runner.message_hub.log_scalars
    assert {'train/loss', 'train/lr', 'train/time', 'train/data_time'} <= set(scalars)
    for key in ('train/loss', 'train/lr', 'train/seen', 'train/time', 'train/data_time'):
        log, count = scalars[key].data
        assert len(log) == len(count) == 5 and scalars[key].max_length == 5
    assert scalars['train/seen'].data[0].tolist() == [48, 52, 56, 60, 64]


def test_peak_memory_is_logged_at_the_end(tmp_path):
    runner = toy_runner(tmp_path, log_level='INFO', train_cfg=dict(by_epoch=True, max_epochs=1))
    runner.train()
    text = next((tmp_path / runner.timestamp).glob('*.log')).read_text()
    assert text.count('peak memory: host') == 1
    assert 2 ** 26 < host_peak() < 2 ** 40
    assert runner.message_hub.get_info('loop_stage') is None
