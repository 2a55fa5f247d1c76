"""The graph of GCC: from remembered features, when, and of which images."""
import logging
from types import SimpleNamespace

import pytest
import torch
from small_models import FlatNet

from mmcluster.datasets import StreamSampler
from mmcluster.engine.hooks import GraphHook, PoolHook
from mmcluster.functional.losses.contrast import unit_rows
from mmcluster.models.clusterers import GCC
from mmcluster.models.heads import LinearClusterHead
from mmcluster.models.necks import MLPProjector

from .fake import D, K, N, blobs, fake_runner, rowwise, scalar

BEGIN = 2


def gcc(k=4, **options):
    torch.manual_seed(0)
    model = GCC(FlatNet(), MLPProjector(6, 8, D, norm=False), LinearClusterHead(6, K), bank=dict(num_samples=N),
                num_neighbors=k, **options)
    for seed in range(3):       # three unit features an image, which agree more or less
        rows = torch.from_numpy(blobs(seed=seed)[0]) * (1 + torch.arange(N)[:, None] / N)
        model._remember(torch.arange(N), unit_rows(rows + seed * torch.randn(N, D) * torch.rand(N, 1)))
    return model


def streams(begin=BEGIN):
    return StreamSampler(range(N), dict(
        batch=dict(size=6), near=dict(of='batch', pool='neighbors', entries=3, begin=begin),
        neighbor=dict(of='batch', pool='neighbors', begin=begin)))


def run(hook, model, epochs=range(BEGIN + 1), begin=BEGIN):
    runner = fake_runner(model)
    runner.train_dataloader = SimpleNamespace(dataset=runner.train_dataloader.dataset, sampler=streams(begin))
    hook.before_train(runner)
    for runner.epoch in epochs:
        hook.before_train_epoch(runner)
        PoolHook().before_train_epoch(runner)
    return runner


@pytest.mark.parametrize('normalize', [False, True])
@pytest.mark.parametrize('include_self', [False, True])
def test_the_graph(normalize, include_self):
    model = gcc()
    runner = run(GraphHook(BEGIN, normalize=normalize, include_self=include_self), model)
    rows = model.bank.field('memory').sum(1) / 3
    rows = (unit_rows(rows) if normalize else rows).double()
    lists, total = [], 0.
    for i in range(N):
        order = sorted((j for j in range(N) if include_self or j != i), key=lambda j: -float(rows[i] @ rows[j]))[:5]
        lists.append(order)
        total += sum(float(rows[i] @ rows[j]) for j in order)
    assert model.bank.neighbors.tolist() == lists
    degree = [len({j for j in range(N) if j in lists[i] or i in lists[j]}) for i in range(N)]
    assert model.bank.degree.tolist() == degree
    assert scalar(runner, 'largest_degree') == max(degree)
    assert scalar(runner, 'neighbor_similarity') == pytest.approx(total / (5 * N), rel=1e-5)
    itself = model.bank.neighbors[:, 0] == torch.arange(N)
    assert itself.all() == (include_self and normalize), 'by inner product another one may come first'


def test_when():
    """From its first epoch on, every second epoch; streams are fed from then on."""
    model, built = gcc(), []
    runner = run(GraphHook(BEGIN, interval=2), model, range(BEGIN))
    assert (model.bank.neighbors == -1).all()
    with pytest.raises(RuntimeError, match="stream 'near' takes its rows from the bank field 'neighbors'"):
        runner.train_dataloader.sampler.chunk('near', 0)
    hook = GraphHook(BEGIN, interval=2)
    hook.estimate = lambda *args: built.append(runner.epoch) or GraphHook.estimate(hook, *args)
    for runner.epoch in range(BEGIN, 8):
        hook.before_train_epoch(runner)
        PoolHook().before_train_epoch(runner)
    assert built == [2, 4, 6]
    sampler = runner.train_dataloader.sampler
    assert torch.equal(sampler.chunk('near', 0).view(6, 3), model.bank.neighbors[sampler.chunk('batch', 0), :3])


def test_images_that_no_step_had():
    """They are alone, and nobody's neighbors."""
    model = gcc()
    for name in ('memory', 'seen'):
        model.bank.field(name)[3:7] = 0
    run(GraphHook(BEGIN), model)
    table = model.bank.neighbors
    assert (table[3:7] == torch.arange(3, 7)[:, None]).all() and (model.bank.degree[3:7] == 5).all()
    others = torch.cat([table[:3], table[7:]])
    assert not ((others >= 3) & (others < 7)).any() and (others >= 0).all()


def test_the_log(caplog):
    with caplog.at_level(logging.INFO, logger='fake'):
        run(GraphHook(BEGIN), gcc())
    assert f'graph of {N} of {N} images at epoch 2, mean similarity 0.' in caplog.text
    assert 'one point' not in caplog.text


def test_a_graph_of_features_that_fell_to_a_point_is_told(caplog):
    model = gcc()
    point = unit_rows(torch.ones(N, 1, D) + 1e-3 * torch.randn(N, 1, D)).expand(-1, 4, -1)
    model.bank.fill(memory=point.contiguous())
    with caplog.at_level(logging.INFO, logger='fake'):
        run(GraphHook(BEGIN), model)
    assert 'almost one point (spread 0.0' in caplog.text and 'lower the rate' in caplog.text


def test_misuse():
    with pytest.raises(ValueError, match='begin must be at least 1'):
        GraphHook(0)
    with pytest.raises(ValueError, match='Rowwise remembers no features; it is for GCC'):
        run(GraphHook(BEGIN), rowwise())
    with pytest.raises(ValueError, match=f'lists of {N + 1} neighbors need more than {N} images; lower num_neighbors'):
        run(GraphHook(BEGIN), gcc(k=N))
    with pytest.raises(ValueError, match="stream 'near' begins at epoch 1, and the graph that it draws from at 2"):
        run(GraphHook(BEGIN), gcc(), begin=1)
    model = gcc()
    model.bank.fill(seen=torch.zeros(N))
    with pytest.raises(RuntimeError, match='0 images have been in a step so far, .*begin later than epoch 2'):
        run(GraphHook(BEGIN), model)
