"""Several optimiser steps per iteration."""
import itertools

import numpy as np
import pytest
import torch
from mmengine.hooks import Hook
from mmengine.optim import OptimWrapper
from mmengine.runner import Runner
from torch import nn
from torch.utils.data import DataLoader

from mmcluster.datasets import StreamSampler
from mmcluster.engine.loops import GroupedLoader, InnerStepLoop
from mmcluster.models.clusterers.base import BaseClusterer
from mmcluster.recipes import recipe
from mmcluster.registry import HOOKS, MODELS

N, WIDTH, SIZE, LENGTH, EPOCHS, STEPS = 24, 4, 8, 3, 2, 5
_NUMBER = itertools.count()


@MODELS.register_module(force=True)
class Stepping(BaseClusterer):
    """Learns the mean of the rows of a group in STEPS steps, with noise in each."""

    def __init__(self, **kwargs):
        super().__init__(nn.Linear(WIDTH, 2), **kwargs)
        self.seen = []

    def steps(self, groups):
        groups = list(groups)
        rows = torch.cat([group['batch'].views[0] for group in groups])
        self.seen.append(([len(group['batch'].index) for group in groups],
                          torch.cat([group['batch'].index for group in groups]).tolist(), self.training))
        for step in range(STEPS):
            yield dict(rows=rows + 0.1 * torch.randn_like(rows), step=step)

    def loss(self, rows, step):
        return dict(loss_fit=self.backbone(rows).square().mean() + step, step=torch.tensor(float(step)))


@HOOKS.register_module(force=True)
class Record(Hook):
    """Notes what hooks are called with."""

    calls: list = []

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        self.calls.append(('before', runner.epoch, runner.iter, batch_idx, None))

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        assert isinstance(data_batch, list)
        self.calls.append(('after', runner.epoch, runner.iter, batch_idx, {k: v.item() for k, v in outputs.items()}))


def loader_cfg(parts=1):
    rows = np.random.default_rng(0).standard_normal((N, WIDTH)).astype(np.float32)
    sampler = dict(type='StreamSampler', length=LENGTH, seed=5, micro_batches=parts, streams=dict(batch=dict(size=SIZE)))
    return dict(dataset=dict(type='IndexedDataset', source=dict(type='ArraySource', array=rows)), batch_size=None,
                num_workers=0, collate_fn=dict(type='mmcluster.identity'), sampler=sampler)


def runner_of(folder, parts=1, epochs=EPOCHS, **changes):
    given = dict(
        model=dict(type='Stepping', data_preprocessor=dict(type='ViewPreprocessor', mean=[0.], std=[1.])),
        work_dir=str(folder), default_scope='mmcluster', experiment_name=f'loop{next(_NUMBER)}', log_level='WARNING',
        randomness=dict(seed=3), train_dataloader=loader_cfg(parts),
        train_cfg=dict(type='InnerStepLoop', max_epochs=epochs),
        optim_wrapper=dict(type='OptimWrapper', optimizer=dict(type='SGD', lr=0.1, momentum=0.9)),
        default_hooks=dict(runtime_info=dict(type='RuntimeInfoHook'), logger=dict(type='LoggerHook', interval=1),
                           seed=dict(type='SeedHook'), sampler_seed=dict(type='DistSamplerSeedHook'),
                           checkpoint=dict(type='CheckpointHook', interval=1)),
        custom_hooks=[dict(type='Record')])
    torch.manual_seed(0)
    Record.calls = []
    return Runner(**{**given, **changes})


@pytest.fixture
def updates(monkeypatch):
    """Counts optimiser steps."""
    count, original = [], OptimWrapper.update_params
    monkeypatch.setattr(OptimWrapper, 'update_params', lambda *a, **k: (count.append(1), original(*a, **k))[1])
    return count


@pytest.mark.parametrize('parts', [1, 2, 3, 8])
def test_an_iteration_is_one_group_of_parts(tmp_path, updates, parts):
    runner = runner_of(tmp_path, parts)
    runner.train()
    assert isinstance(runner.train_loop, InnerStepLoop) and len(runner.train_dataloader) == LENGTH
    assert runner.iter == runner.max_iters == LENGTH * EPOCHS and runner.epoch == EPOCHS
    assert len(updates) == LENGTH * EPOCHS * STEPS
    seen = runner.model.seen
    assert len(seen) == LENGTH * EPOCHS and all(training for *_, training in seen)
    assert all(len(sizes) == parts and sum(sizes) == SIZE for sizes, *_ in seen)
    whole = StreamSampler(range(N), dict(batch=dict(size=SIZE)), LENGTH, 5)
    assert [rows for _, rows, _ in seen] == [whole.chunk('batch', step).tolist() for step in range(LENGTH * EPOCHS)]


def test_hooks_run_once_an_iteration_and_see_the_mean_of_its_steps(tmp_path):
    runner_of(tmp_path, 2).train()
    counted = [(epoch, epoch * LENGTH + i, i) for epoch in range(EPOCHS) for i in range(LENGTH)]
    assert [call[1:4] for call in Record.calls if call[0] == 'before'] == counted
    assert [call[1:4] for call in Record.calls if call[0] == 'after'] == counted
    assert [call[0] for call in Record.calls] == ['before', 'after'] * len(counted)
    for *_, outputs in Record.calls[1::2]:
        assert set(outputs) == {'loss', 'loss_fit', 'step'}
        assert outputs['step'] == sum(range(STEPS)) / STEPS and outputs['loss'] == outputs['loss_fit']
        assert STEPS / 2 - 0.5 < outputs['loss_fit'] < STEPS / 2 + 2


def test_schedules_count_iterations(tmp_path):
    runner = runner_of(tmp_path, param_scheduler=dict(type='MultiStepLR', milestones=[2], gamma=0.5, by_epoch=False),
                       default_hooks=dict(param_scheduler=dict(type='ParamSchedulerHook'), seed=dict(type='SeedHook')))
    rates = []
    runner.model.register_forward_pre_hook(lambda *_: rates.append(runner.optim_wrapper.get_lr()['lr'][0]))
    runner.train()
    assert rates == [0.1] * 2 * STEPS + [0.05] * (LENGTH * EPOCHS - 2) * STEPS


def test_accumulated_gradients_are_refused(tmp_path):
    wrapper = dict(type='OptimWrapper', optimizer=dict(type='SGD', lr=0.1), accumulative_counts=2)
    with pytest.raises(ValueError, match='accumulative_counts=1'):
        runner_of(tmp_path, optim_wrapper=wrapper).train()


def test_it_computes_what_a_loop_by_hand_does(tmp_path):
    runner = runner_of(tmp_path, epochs=1, default_hooks=dict(logger=None, checkpoint=None, runtime_info=None))
    weight = {name: value.clone() for name, value in runner.model.state_dict().items()}
    draws = []
    runner.model.register_forward_pre_hook(lambda module, args, kwargs: draws.append(kwargs['data_samples']['rows']),
                                           with_kwargs=True)
    runner.train()
    net = nn.Linear(WIDTH, 2)
    net.load_state_dict({name[len('backbone.'):]: value for name, value in weight.items() if 'backbone' in name})
    optimizer = torch.optim.SGD(net.parameters(), 0.1, momentum=0.9)
    for rows in draws:
        optimizer.zero_grad()
        net(rows).square().mean().backward()
        optimizer.step()
    assert len(draws) == LENGTH * STEPS
    torch.testing.assert_close(runner.model.backbone.weight, net.weight)


@pytest.mark.parametrize('parts', [1, 2])
def test_a_resumed_run_goes_on_bit_for_bit(tmp_path, parts):
    whole = runner_of(tmp_path / 'whole', parts, epochs=3)
    whole.train()
    expected = list(Record.calls)
    runner_of(tmp_path / 'part', parts, epochs=2).train()
    first = list(Record.calls)
    resumed = runner_of(tmp_path / 'part', parts, epochs=3, load_from=str(tmp_path / 'part' / 'epoch_2.pth'),
                        resume=True)
    resumed.train()
    assert resumed.iter == 3 * LENGTH and len(Record.calls) == 2 * LENGTH
    assert first + Record.calls == expected
    for name, value in whole.model.state_dict().items():
        assert torch.equal(value, resumed.model.state_dict()[name]), name


def test_a_model_without_a_step_logs_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(Stepping, 'steps', lambda self, groups: iter(()))
    runner = runner_of(tmp_path, default_hooks=dict(logger=None, checkpoint=None))
    runner.train()
    assert runner.iter == LENGTH * EPOCHS and all(call[4] == {} for call in Record.calls[1::2])


def test_an_error_of_the_model_is_not_the_end_of_its_steps(tmp_path, monkeypatch):
    def failing(self, groups):
        yield dict(rows=torch.zeros(1, WIDTH), step=0)
        raise ValueError('too few rows')
    monkeypatch.setattr(Stepping, 'steps', failing)
    with pytest.raises(ValueError, match='too few rows'):
        runner_of(tmp_path).train()


# ---- the loader

@pytest.mark.parametrize('items, group', [(6, 1), (6, 2), (6, 3), (7, 3), (2, 3)])
def test_groups_of_consecutive_items(items, group):
    loader = GroupedLoader(DataLoader(list(range(items)), batch_size=None), group)
    expected = [list(range(i, i + group)) for i in range(0, items - group + 1, group)]
    assert list(loader) == expected == list(loader) and len(loader) == len(expected)
    assert loader.dataset == list(range(items)) and loader.batch_size is None
    with pytest.raises(AttributeError):
        loader.no_such_thing


def test_workers_stop_when_a_runner_is_closed(tmp_path):
    runner = runner_of(tmp_path, 2, epochs=1,
                       train_dataloader=dict(loader_cfg(2), num_workers=1, persistent_workers=True))
    runner.train()
    inner = runner.train_dataloader.loader
    workers = inner._iterator._workers
    assert workers and all(worker.is_alive() for worker in workers)
    recipe.close(runner)
    assert inner._iterator is None
