"""One value that is not finite is named where it enters, and never moves a result."""
from __future__ import annotations

import math
from typing import Any, Callable

import numpy as np
import pytest
import torch
from mmengine.hooks import Hook
from test_engine.toy import ToyModel, toy_runner

from mmcluster.datasets.sources import ArraySource
from mmcluster.functional.clustering.kmeans import kmeans, lloyd
from mmcluster.functional.clustering.kmedoids import pam
from mmcluster.functional.clustering.neighbors import local_consistency, nearest
from mmcluster.functional.labels.reliable import reliable_labels
from mmcluster.functional.labels.select import accompanied_prototypes, select_by_distance, select_by_variance
from mmcluster.functional.labels.sinkhorn import sinkhorn
from mmcluster.models.bank import SampleBank
from mmcluster.selectors import AccompaniedPrototypes, CentroidDistance, HybridClean, LocalConsistency

N, D, K = 40, 6, 4
READERS: dict[str, Callable[[torch.Tensor], Any]] = {
    'k-means': lambda x: kmeans(x, K),
    'k-means from random rows': lambda x: kmeans(x, K, init='random'),
    'k-means from centres': lambda x: lloyd(x, x[:K].nan_to_num()),
    'centres of k-means': lambda x: lloyd(x.nan_to_num(), x[10:15]),
    'k-medoids': lambda x: pam((x @ x.t()).numpy(), K),
    'neighbors': lambda x: nearest(x, 3),
    'consistency': lambda x: local_consistency(x, torch.zeros(N, dtype=torch.long), 3),
    'reliable': lambda x: reliable_labels(x, torch.zeros(N, dtype=torch.long), 3),
    'prototypes': lambda x: accompanied_prototypes(x, x[:K].nan_to_num(), 2),
    'by distance': lambda x: select_by_distance(x, torch.zeros(N, dtype=torch.long), torch.ones(1, D), 0.5),
    'by variance': lambda x: select_by_variance(x, 0.5),
    'transport': lambda x: sinkhorn(x, 1., tol=1e-3),
    'CentroidDistance': lambda x: CentroidDistance(0.5, K)(x),
    'AccompaniedPrototypes': lambda x: AccompaniedPrototypes(K)(x),
    'LocalConsistency': lambda x: LocalConsistency(K, k=3)(x),
    'HybridClean': lambda x: HybridClean(D, 'confidence')(None, x),
    'ArraySource': lambda x: ArraySource(x.numpy()),
}


@pytest.mark.parametrize('value', [math.nan, math.inf])
@pytest.mark.parametrize('name', READERS)
def test_a_row_that_is_not_finite_is_named(name: str, value: float) -> None:
    x = torch.rand(N, D, generator=torch.Generator().manual_seed(0))
    x[13, 2] = value
    with pytest.raises(ValueError, match='NaN or inf, row (3|0|13)'):
        READERS[name](x)


def test_a_file_of_features_is_named(tmp_path) -> None:
    rows = np.ones((5, 3))
    rows[[1, 4], 0] = np.nan
    np.save(tmp_path / 'rows.npy', rows)
    with pytest.raises(ValueError, match=r'rows\.npy: 2 of 5 feature rows hold NaN or inf, row 1, row 4'):
        ArraySource(str(tmp_path / 'rows.npy'))


class Poison(Hook):
    """Puts NaN into a tensor of the model after an iteration."""

    priority = 'HIGHEST'

    def __init__(self, name: str, iteration: int):
        self.name, self.iteration = name, iteration

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        if runner.iter + 1 == self.iteration:
            runner.model.state_dict()[self.name].fill_(math.nan)


def poisoned(tmp_path, name: str, iteration: int, every: int) -> Any:
    return toy_runner(tmp_path, custom_hooks=[Poison(name, iteration)], default_hooks=dict(
        logger=dict(type='LoggerHook', interval=3), seed=dict(type='SeedHook'),
        runtime_info=dict(type='RuntimeInfoHook'), checkpoint=dict(type='CheckpointHook', interval=every, max_keep_ckpts=1,
                                                                   by_epoch=False)))


def test_a_loss_that_is_not_finite_stops_the_run_at_the_next_log(tmp_path, engine) -> None:
    """The good checkpoint of iteration 4 would be replaced after 8."""
    runner = poisoned(tmp_path, 'body.weight', 4, 4)
    with pytest.raises(FloatingPointError, match=r'iter_4\.pth was not saved.*not finite \(body.weight'):
        runner.train()
    runner = poisoned(tmp_path / 'later', 'body.weight', 5, 4)
    with pytest.raises(FloatingPointError, match=r'loss = nan at iteration 6, .*lower the learning rate'):
        runner.train()
    assert runner.iter == 5, 'iteration 6 is the next one that is logged'
    assert [file.name for file in (tmp_path / 'later').glob('*.pth')] == ['iter_4.pth']


def test_a_loss_is_looked_at_before_a_checkpoint_between_two_logs(tmp_path, engine, monkeypatch) -> None:
    """The weights have recovered, so the loss alone tells."""
    def train_step(self, data, optim_wrapper, step=ToyModel.train_step):
        log = step(self, data, optim_wrapper)
        return {**log, 'loss_fit': log['loss_fit'] * math.inf} if self.seen == 4 * 7 else log

    monkeypatch.setattr(ToyModel, 'train_step', train_step)
    runner = poisoned(tmp_path, 'body.weight', 99, 7)
    with pytest.raises(FloatingPointError, match='loss_fit = inf at iteration 7'):
        runner.train()
    assert not list(tmp_path.glob('*.pth'))


def test_a_buffer_that_is_not_finite_is_not_saved(tmp_path, engine) -> None:
    runner = poisoned(tmp_path, 'norm.running_mean', 8, 4)
    with pytest.raises(FloatingPointError, match=r'iter_8\.pth was not saved.*not finite \(norm.running_mean'):
        runner.train()
    assert [file.name for file in tmp_path.glob('*.pth')] == ['iter_4.pth']


def test_fills_that_are_not_finite_are_known() -> None:
    bank = SampleBank(3, dict(a=dict(dtype='float32', fill=math.inf), b=dict(dtype='float32', fill=0.)))
    assert bank.may_be_infinite == ['a']
