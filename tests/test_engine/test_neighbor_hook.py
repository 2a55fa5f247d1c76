"""Mining neighbours: once, from which network, from which file; and how they are drawn."""
import logging
import sys

import numpy as np
import pytest
import torch
from shard_threads import held

from mmcluster.datasets import StreamSampler
from mmcluster.engine.approximate import inverted_file
from mmcluster.engine.extract import extract, sweep_loader
from mmcluster.engine.hooks import NeighborHook, PoolHook
from mmcluster.functional.clustering.neighbors import nearest
from mmcluster.functional.losses.contrast import unit_rows

from .fake import N, blobs, fake_runner, rowwise, scalar

WIDTH = 5


def model_with(k=WIDTH - 1, **kwargs):
    model = rowwise(fields=(), **kwargs)
    model.bank.add_field('neighbors', shape=(k + 1,))
    return model


def run(hook, runner=None, epochs=(0,)):
    runner = runner or fake_runner(model_with())
    hook.before_train(runner)
    for runner.epoch in epochs:
        hook.before_train_epoch(runner)
    return runner.model.bank.neighbors


def features(runner):
    return extract(runner.model, sweep_loader(runner.train_dataloader.dataset), N)


def by_hand(rows, k):
    """Sets of the k nearest other rows, and the mean of their similarities."""
    found, total = [], 0.
    for i in range(len(rows)):
        order = sorted((j for j in range(len(rows)) if j != i), key=lambda j: -float(rows[i] @ rows[j]))[:k]
        found.append(set(order))
        total += sum(float(rows[i] @ rows[j]) for j in order)
    return found, total / (len(rows) * k)


# ---- what is mined

def test_the_nearest_rows_of_every_row():
    runner = fake_runner(model_with())
    index = run(NeighborHook(), runner)
    expected, mean = by_hand(unit_rows(features(runner).double()), WIDTH - 1)
    assert index.shape == (N, WIDTH) and torch.equal(index[:, 0], torch.arange(N))
    assert [set(row) for row in index[:, 1:].tolist()] == expected
    assert scalar(runner, 'neighbor_similarity') == pytest.approx(mean, rel=1e-5)


def test_length_does_not_count_among_unit_rows():
    scaled = blobs()[0] * np.linspace(0.1, 5, N, dtype=np.float32)[:, None]
    blob = blobs()[1]
    assert (blob[run(NeighborHook(), fake_runner(model_with(), features=scaled))] == blob[:, None]).all()


def test_an_image_that_is_not_its_own_neighbor():
    index = run(NeighborHook(include_self=False))
    assert (index[:, 0] == -1).all()
    assert torch.equal(index[:, 1:], run(NeighborHook())[:, 1:])


def test_copies_of_an_image_do_not_hide_it():
    rows = np.repeat(blobs()[0][:10], 6, 0)
    index = run(NeighborHook(), fake_runner(model_with(), features=rows))
    assert torch.equal(index[:, 0], torch.arange(N))
    assert (index[:, 1:] // 6 == torch.arange(N)[:, None] // 6).all()
    assert all(len(set(row)) == WIDTH for row in index.tolist())


def test_another_output():
    model = model_with()
    model.project = lambda x: -x[:, :2]
    found = run(NeighborHook(output='project'), fake_runner(model))
    rows = unit_rows(torch.from_numpy(blobs()[0])[:, :2].double())
    expected, _ = by_hand(rows, WIDTH - 1)
    assert sum(set(row) == wanted for row, wanted in zip(found[:, 1:].tolist(), expected)) > 0.9 * N


# ---- when

def test_once_and_not_after_a_resume():
    hook, runner = NeighborHook(), fake_runner(model_with())
    before = run(hook, runner).clone()
    torch.nn.init.orthogonal_(runner.model.backbone.fc.weight)
    runner.model.backbone.fc.weight.data[:, 0] = 5
    assert torch.equal(run(hook, runner, range(1, 4)), before)
    resumed = model_with()
    resumed.load_state_dict(runner.model.state_dict())
    hook.features = lambda runner: pytest.fail('it was mined again')
    assert torch.equal(run(hook, fake_runner(resumed)), before)


# ---- bad input

def test_more_neighbors_than_images():
    assert run(NeighborHook(), fake_runner(model_with(N - 1))).sort(1).values.eq(torch.arange(N)).all()
    with pytest.raises(ValueError, match=f'{N} neighbours besides the image itself need {N + 1} images.*has {N}; lower'):
        run(NeighborHook(), fake_runner(model_with(N)))


def test_features_that_are_not_finite():
    model = model_with()
    model.backbone.fc.weight.data[0, 0] = float('nan')
    with pytest.raises(FloatingPointError, match='not finite'):
        run(NeighborHook(), fake_runner(model))


@pytest.mark.parametrize('hook, problem', [
    (lambda: NeighborHook(views='train'), "views='test'")])
def test_wrong_arguments(hook, problem):
    with pytest.raises(ValueError, match=problem):
        hook()


def test_a_missing_field_is_named():
    with pytest.raises(KeyError, match="no field 'neighbors'"):
        run(NeighborHook(), fake_runner())


# ---- files

def test_a_file_is_written_and_takes_the_place_of_a_sweep(tmp_path, caplog):
    path = tmp_path / 'new' / 'neighbors.npz'
    first = run(NeighborHook(file=str(path))).clone()
    assert [file.name for file in path.parent.iterdir()] == ['neighbors.npz']
    hook, narrow = (NeighborHook(file=str(path)) for _ in range(2))
    for each in (hook, narrow):
        each.features = lambda runner: pytest.fail('the sweep was not needed')
    with caplog.at_level(logging.INFO, 'fake'):
        assert torch.equal(run(hook), first)
    assert str(path) in caplog.text
    assert torch.equal(run(narrow, fake_runner(model_with(2))), first[:, :3])
    without = NeighborHook(file=str(path), include_self=False)
    assert torch.equal(run(without)[:, 1:], first[:, 1:]) and (run(without)[:, 0] == -1).all()


def test_files_that_do_not_fit(tmp_path):
    path = tmp_path / 'neighbors.npz'
    hook = NeighborHook(file=str(path))
    run(hook)
    other = fake_runner(model_with(), features=blobs(seed=1)[0])
    with pytest.raises(ValueError, match=r'belong to other images \(60 rows, fingerprint \d+.*delete the file'):
        run(hook, other)
    with pytest.raises(ValueError, match='holds 4 neighbours an image, the model asks for 6.*lower num_neighbors'):
        run(hook, fake_runner(model_with(6)))
    index = np.zeros((N, 4), np.int64)
    np.savez(path, index=index)
    with pytest.raises(ValueError, match='is no file of NeighborHook'):
        run(hook)
    np.savez(path, index=index[0], fingerprint=1)
    with pytest.raises(ValueError, match='is no file of NeighborHook'):
        run(hook)
    for content in (b'', b'PK\x03\x04 cut off', b'text'):
        path.write_bytes(content)
        with pytest.raises(ValueError, match='is no file of NeighborHook'):
            run(hook)
    np.save(tmp_path / 'plain.npy', index)
    with pytest.raises(ValueError, match='is no file of NeighborHook'):
        run(NeighborHook(file=str(tmp_path / 'plain.npy')))


# ---- draws

@pytest.mark.parametrize('include_self', [True, False])
def test_a_pair_is_drawn_from_the_published_neighbors(include_self):
    runner = fake_runner(model_with())
    sampler = StreamSampler(range(N), dict(anchor=dict(size=20), neighbor=dict(of='anchor', pool='neighbors')))
    runner.train_dataloader.sampler = sampler
    index = run(NeighborHook(include_self=include_self), runner)
    PoolHook().before_train_epoch(runner)
    steps = 600
    anchor, drawn = (torch.cat([sampler.chunk(name, step) for step in range(steps)]) for name in ('anchor', 'neighbor'))
    assert (drawn[:, None] == index[anchor]).any(1).all()
    column = (drawn[:, None] == index[anchor]).int().argmax(1)
    share = torch.bincount(column, minlength=WIDTH) / len(column)
    expected = torch.full((WIDTH,), 1 / WIDTH) if include_self else torch.tensor([0.] + [1 / (WIDTH - 1)] * (WIDTH - 1))
    torch.testing.assert_close(share, expected, rtol=0, atol=0.015)


def test_a_pool_that_was_never_mined_is_named():
    runner = fake_runner(model_with())
    sampler = StreamSampler(range(N), dict(anchor=dict(size=20), neighbor=dict(of='anchor', pool='neighbors')))
    runner.train_dataloader.sampler = sampler
    with pytest.raises(ValueError, match="stream 'neighbor' is empty"):
        PoolHook().before_train_epoch(runner)


# ---- approximately

def test_most_neighbours_are_found_and_a_row_is_not_its_own():
    """Of rows in blobs, of which few lists hold nearly all neighbours; also where a list holds too few."""
    pytest.importorskip('faiss')
    rows = unit_rows(torch.from_numpy(blobs(2000)[0]))
    exactly = nearest(rows, 10, include_self=False)
    for parts in ([2000], [700, 0, 1300]):
        found = held(lambda share, shards: nearest(share, 10, None, False, shards, inverted_file(8)), [rows], parts)
        index = torch.cat([each.index for each in found])
        assert (index != torch.arange(2000)[:, None]).all() and all(len(set(row)) == 10 for row in index.tolist())
        recall = (index[:, :, None] == exactly.index[:, None]).any(1).float().mean()
        assert recall > 0.8
        torch.testing.assert_close(torch.cat([each.similarity for each in found]), (rows[index] * rows[:, None]).sum(2))
    few = nearest(rows, 900, include_self=False, search=inverted_file(1))
    assert (few.index >= 0).all() and few.similarity.isfinite().all()
    index = run(NeighborHook(probes=2))
    assert (blobs()[1][index] == blobs()[1][:, None]).all() and torch.equal(index[:, 0], torch.arange(N))


def test_approximate_neighbours_need_faiss(monkeypatch):
    monkeypatch.setitem(sys.modules, 'faiss', None)
    with pytest.raises(ImportError, match='pip install faiss-cpu, or leave out probes'):
        NeighborHook(probes=2)
