"""ScheduleHook, TeacherHook, PoolHook and the results that they publish."""
import math
from types import SimpleNamespace

import pytest
import torch
from mmengine.runner import get_priority

from mmcluster.datasets import StreamSampler
from mmcluster.engine.hooks import (AccumulationHook, BroadcastBNHook, KMeansHook, PoolHook, ScheduleHook, SelectHook,
                                    TeacherHook)
from mmcluster.functional.imbalance import balanced_weights
from mmcluster.models import MomentumTeacher
from mmcluster.models.clusterers import BYOL
from mmcluster.structures import Batch

from .fake import K, N, fake_runner, rowwise


def model_of(**numbers):
    model = rowwise()
    for name, value in numbers.items():
        setattr(model, name, value)
    model.teacher = MomentumTeacher(dict(backbone=model.backbone), decay=0.9)
    return model


def course(hook, runner, attribute, epochs=6, length=5):
    """The value at every iteration of a run."""
    values = []
    runner.max_iters = epochs * length
    for runner.epoch in range(epochs):
        runner.iter = runner.epoch * length
        hook.before_train_epoch(runner)
        values.append([attribute()])
        for runner.iter in range(runner.epoch * length, (runner.epoch + 1) * length):
            hook.before_train_iter(runner, runner.iter % length)
            values[-1].append(attribute())
    return values


# ---- schedules

def test_steps_are_the_warm_up_of_propos():
    model = model_of(psl_weight=7.)
    hook = ScheduleHook('psl_weight', steps=[(0, 0.), (2, 0.1)])
    found = course(hook, fake_runner(model), lambda: model.psl_weight)
    expected = [[0.] * 5] * 2 + [[0.1] * 5] * 4
    assert [epoch[1:] for epoch in found] == expected
    assert [epoch[0] for epoch in found] == [0., 0., 0.1, 0.1, 0.1, 0.1], 'an E-step of the epoch sees its value'


def test_several_steps():
    model = model_of(sigma=0.)
    hook = ScheduleHook('sigma', steps=[(0, 3), (4, 5.), (1, 2.)])
    assert [epoch[-1] for epoch in course(hook, fake_runner(model), lambda: model.sigma)] == [3, 2, 2, 2, 5, 5]


def test_a_cosine_of_a_dotted_name():
    """m(n) = 1 - (1 - m) (cos(pi n / n_total) + 1) / 2 with n from 1."""
    model = model_of()
    hook = ScheduleHook('teacher.decay', cosine=dict(start=0.996, end=1.))
    found = course(hook, fake_runner(model), lambda: model.teacher.decay)
    expected = [1 - 0.004 * (math.cos(math.pi * n / 30) + 1) / 2 for n in range(1, 31)]
    assert [value for epoch in found for value in epoch[1:]] == pytest.approx(expected, rel=1e-12)
    assert model.teacher.decay == 1.


def test_a_line_that_stays():
    """MixMatch: lambda_U min(1, t / (0.4 T)) with t from 0."""
    model = model_of(weight=7.)
    hook = ScheduleHook('weight', linear=dict(start=0., end=100., until=0.4))
    found = course(hook, fake_runner(model), lambda: model.weight)
    assert [value for epoch in found for value in epoch[1:]] == pytest.approx([100 * min(1, t / 12) for t in range(30)])
    assert [epoch[0] for epoch in found] == pytest.approx([100 * min(1, t / 12) for t in range(0, 30, 5)])


def test_a_line_with_a_bound():
    """RUC: lambda_U clip(t / T, 0.1, 1)."""
    model = model_of(weight=7.)
    found = course(ScheduleHook('weight', linear=dict(start=0., end=50., least=5.)), fake_runner(model),
                   lambda: model.weight)
    assert [value for epoch in found for value in epoch[1:]] == pytest.approx([max(5, 50 * t / 30) for t in range(30)])


def test_a_schedule_has_no_memory():
    """A resumed run sets the value of its iteration at once."""
    model = model_of()
    runner = fake_runner(model, epoch=3, iter=17, max_iters=30)
    ScheduleHook('teacher.decay', cosine=dict(start=0.9, end=1.)).before_train_iter(runner, 2)
    assert model.teacher.decay == pytest.approx(1 - 0.1 * (math.cos(math.pi * 18 / 30) + 1) / 2)


@pytest.mark.parametrize('arguments, problem', [
    ({}, 'either steps or cosine'), (dict(steps=[(0, 1.)], cosine=dict(start=0., end=1.)), 'either steps or cosine'),
    (dict(linear=dict(start=0., end=1.), cosine=dict(start=0., end=1.)), 'either steps or cosine or linear'),
    (dict(linear=dict(start=0., end=1., until=0.)), r'until is a share of the run in \(0, 1\]'),
    (dict(steps=[(1, 0.1)]), 'must start at epoch 0'), (dict(steps=[]), 'must start at epoch 0')])
def test_wrong_schedules(arguments, problem):
    with pytest.raises(ValueError, match=f"ScheduleHook for 'sigma'.*{problem}"):
        ScheduleHook('sigma', **arguments)


@pytest.mark.parametrize('name', ['sigmas', 'teacher', 'backbone.fc.weight', 'teacher.decays', 'student.decay'])
def test_only_numbers_that_exist_are_moved(name):
    model = model_of(sigma=0.1)
    with pytest.raises(ValueError, match=f"ScheduleHook: Rowwise has no number '{name}'"):
        ScheduleHook(name, steps=[(0, 1.)]).before_train_epoch(fake_runner(model))
    assert not hasattr(model, 'sigmas') and isinstance(model.teacher, MomentumTeacher)


# ---- teacher

def test_the_teacher_moves_once_after_a_step():
    model = model_of()
    old = model.teacher.backbone.fc.weight.clone()
    model.backbone.fc.weight.data.add_(1)
    TeacherHook().after_train_iter(fake_runner(model), 0)
    torch.testing.assert_close(model.teacher.backbone.fc.weight, old + 0.1)


def test_the_teacher_waits_for_the_last_pass_of_a_step():
    model, moved = model_of(), []
    model.backbone.fc.weight.data.add_(1)
    runner = fake_runner(model)
    runner.optim_wrapper = SimpleNamespace(_accumulative_counts=3)
    for runner.iter in range(6):
        before = model.teacher.backbone.fc.weight.clone()
        TeacherHook().after_train_iter(runner, runner.iter)
        moved.append(not torch.equal(before, model.teacher.backbone.fc.weight))
    assert moved == [False, False, True] * 2


def test_a_momentum_network_moves_once_a_step_of_several_passes():
    model = BYOL(dict(type='SmallCNN', widths=(4, 8)), dict(type='MLPProjector', in_channels=8, hid_channels=6,
                                                             out_channels=4),
                 dict(type='MLPProjector', in_channels=4, hid_channels=6, out_channels=4), decay=0.5)
    runner = SimpleNamespace(model=model, iter=0, optim_wrapper=SimpleNamespace(_accumulative_counts=3))
    hook, moved = AccumulationHook(), []
    hook.before_train(runner)
    with torch.no_grad():
        for param in model.backbone.parameters():
            param.add_(1)
    for runner.iter in range(6):
        hook.before_train_iter(runner, runner.iter)
        before = next(model.teacher.parameters()).clone()
        model.loss(Batch([torch.rand(4, 1, 8, 8)] * 2, torch.arange(4)))
        moved.append(not torch.equal(before, next(model.teacher.parameters())))
    assert moved == [False, False, True] * 2
    with pytest.raises(ValueError, match='AccumulationHook: Linear moves no momentum network'):
        hook.before_train(SimpleNamespace(model=torch.nn.Linear(1, 1)))


def test_a_teacher_is_needed():
    model = rowwise()
    model.teacher = None
    with pytest.raises(ValueError, match='TeacherHook: Rowwise has no teacher; give it teacher=dict'):
        TeacherHook().before_train(fake_runner(model))
    TeacherHook().before_train(fake_runner(model_of()))


# ---- pools

def with_sampler(model, **streams):
    runner = fake_runner(model)
    runner.train_dataloader.sampler = StreamSampler(runner.train_dataloader.dataset, streams, length=4)
    return runner


def drawn(runner, name, steps=200):
    sampler = runner.train_dataloader.sampler
    return torch.cat([sampler.chunk(name, step) for step in range(steps)])


def test_the_pool_is_the_set_rows_of_a_field():
    model = rowwise()
    runner = with_sampler(model, labelled=dict(size=6, pool='target'), unlabelled=dict(size=14))
    chosen = torch.tensor([3, 17, 18, 40, 41, 42, 59])
    model.bank.fill(chosen, target=torch.tensor([0, 1, 2, 3, 0, 1, 2]))
    PoolHook().before_train_epoch(runner)
    assert drawn(runner, 'labelled').unique().tolist() == chosen.tolist()
    assert len(drawn(runner, 'unlabelled').unique()) == N
    model.bank.fill(target=torch.where(torch.arange(N) < 10, 1, -1))
    PoolHook().before_train_epoch(runner)
    assert drawn(runner, 'labelled').unique().tolist() == list(range(10)), 'a later E-step replaces the pool'


def test_an_empty_pool():
    with pytest.raises(ValueError, match="pool of stream 'labelled' is empty"):
        PoolHook().before_train_epoch(with_sampler(rowwise(), labelled=dict(size=6, pool='target')))


def test_partners_of_another_stream():
    model = rowwise(fields=())
    model.bank.add_field('neighbors', shape=(2,))
    partners = torch.stack([(torch.arange(N) + 1) % N, torch.full((N,), -1)], 1)
    model.bank.fill(neighbors=partners)
    runner = with_sampler(model, batch=dict(size=6), partner=dict(pool='neighbors', of='batch'))
    PoolHook().before_train_epoch(runner)
    assert torch.equal(drawn(runner, 'partner', 5), (drawn(runner, 'batch', 5) + 1) % N)


def test_balance_gives_every_cluster_the_same_chance(monkeypatch):
    model = rowwise()
    label = torch.where(torch.arange(N) < 50, 0, torch.where(torch.arange(N) < 58, 1, -1))
    model.bank.fill(label=label)
    runner = with_sampler(model, batch=dict(size=10, order='replace', balance='label'))
    PoolHook().before_train_epoch(runner)
    share = torch.bincount(label[drawn(runner, 'batch', 400)] + 1, minlength=3) / 4000
    torch.testing.assert_close(share, torch.tensor([0., 0.5, 0.5]), atol=0.04, rtol=0)
    given = []
    monkeypatch.setattr(runner.train_dataloader.sampler, 'set_weights', lambda *args: given.append(args))
    PoolHook().before_train_epoch(runner)
    assert given[0][0] == 'batch' and torch.equal(given[0][1], balanced_weights(label))


def test_pools_are_published_after_the_estep():
    """In the order in which a Runner calls them, the pool of the first epoch is what its own E-steps selected."""
    select = SelectHook(dict(type='CentroidDistance', num_clusters=K, sigma=0.2, n_init=2))
    hooks = sorted([PoolHook(), BroadcastBNHook(), select, KMeansHook(K), ScheduleHook('sigma', steps=[(0, 0.)])],
                   key=lambda hook: get_priority(hook.priority))
    assert [type(hook).__name__ for hook in hooks] == ['ScheduleHook', 'BroadcastBNHook', 'SelectHook', 'KMeansHook',
                                                       'PoolHook']
    model = model_of(sigma=1.)
    runner = with_sampler(model, labelled=dict(size=6, pool='target'))
    for hook in hooks:
        hook.before_train_epoch(runner)
    assert drawn(runner, 'labelled').unique().tolist() == (model.bank.target >= 0).nonzero().flatten().tolist()


def test_streams_that_draw_from_all_rows_need_no_bank():
    model = rowwise()
    model.bank = None
    runner = with_sampler(model, batch=dict(size=6))
    PoolHook().before_train_epoch(runner)
    runner.train_dataloader.sampler = SimpleNamespace()
    PoolHook().before_train_epoch(runner)


def test_one_process_broadcasts_nothing():
    runner = fake_runner()
    before = {name: value.clone() for name, value in runner.model.state_dict().items()}
    BroadcastBNHook().after_train_epoch(runner)
    assert all(torch.equal(value, before[name]) for name, value in runner.model.state_dict().items())
