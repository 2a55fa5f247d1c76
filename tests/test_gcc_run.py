"""GCC and ClusMatch on it, trained on a few images: laws, resume, the graph, bad input."""
import json

import numpy as np
import pytest
import torch
from killed import Killed
from reduced import K, N, differences, load, read_stage, train, write_digits, write_recipe
from reduced_gcc import boost_gcc_cfg, gcc_cfg
from reduced_spice import _finish

from mmcluster.models.clusterers import GCC

pytestmark = pytest.mark.usefixtures('engine')


def weights(path):
    return {part: load(path)[part] for part in ('state_dict', 'optimizer')}


def run_recipe(folder, permute=None):
    data = write_digits(folder, permute)
    stages = dict(gcc=gcc_cfg('', data), clusmatch=boost_gcc_cfg('', data))
    return {name: weights(path) for name, path in train(write_recipe(folder, stages)).items()}


def metrics(work):
    return json.loads((work / 'metrics.jsonl').read_text().splitlines()[-1])


@pytest.fixture(scope='module')
def original(tmp_path_factory):
    folder = tmp_path_factory.mktemp('original')
    return run_recipe(folder), folder / 'work'


def test_the_recipe(original):
    """Every image is remembered and has neighbors; the booster has a new head and labels that the old one gave."""
    stages, work = original
    first, second = (stage['state_dict'] for stage in stages.values())
    assert {key.split('.')[0] for key in first} == {'backbone', 'projector', 'head', 'bank', 'final_centers'}
    assert (first['bank.seen'] >= 3).all() and first['bank.memory'].shape[:2] == (N, 4)
    assert first['bank.neighbors'].shape == (N, 6) and (first['bank.neighbors'] >= 0).all()
    assert (first['bank.degree'] >= 5).all() and (first['bank.degree'] > 6).any()
    assert {key.split('.')[0] for key in second} >= {'backbone', 'head', 'teacher', 'bank'}
    assert 'head.fc.weight' in differences(first, second) and 'projector.fc1.weight' not in second
    chosen = second['bank.target']
    assert len(chosen) == N and 0 < (chosen >= 0).sum() <= K * int(0.4 * N / K)
    assert 'head/acc' in metrics(work / 'gcc') and 'kmeans/acc' in metrics(work / 'clusmatch')


def test_permuted_labels_leave_the_weights_bit_identical(original, tmp_path):
    stages, work = original
    assert differences(stages, run_recipe(tmp_path, permute=1)) == []
    assert metrics(tmp_path / 'work' / 'gcc') != metrics(work / 'gcc'), 'the labels that metrics saw were permuted'


def test_interrupted_equals_uninterrupted(original, tmp_path, kill):
    """Killed before the first graph, in the epoch after it, and in one of the second graph: memories, too."""
    def make():
        return gcc_cfg(tmp_path / 'parts', write_digits(tmp_path))
    for i, iteration in enumerate((4, 11, 13)):
        kill(iteration)
        with pytest.raises(Killed):
            train(make(), resume=bool(i))
    kill(None)
    assert differences(original[0]['gcc'], weights(train(make(), resume=True)['train'])) == []


def test_which_rows_a_step_has(tmp_path, monkeypatch):
    """Two epochs without a graph; then the first three of each list, and one of its six."""
    steps, loss = [], GCC.loss

    def watched(self, **streams):
        steps.append({name: batch.index for name, batch in streams.items()})
        if 'near' in streams:
            lists = self.bank.read('neighbors', streams['batch'].index)
            assert torch.equal(streams['near'].index.view(20, 3), lists[:, :3])
            assert (streams['neighbor'].index[:, None] == lists).any(1).all()
            assert [len(batch.views) for batch in streams.values()] == [2, 1, 1]
            assert len(set(streams['neighbor'].index.tolist())) > 5
        return loss(self, **streams)

    monkeypatch.setattr(GCC, 'loss', watched)
    train(gcc_cfg(tmp_path / 'work', write_digits(tmp_path), epochs=3))
    assert [list(step) for step in steps] == [['batch']] * 6 + [['batch', 'near', 'neighbor']] * 3


# ---- the first steps on photographs

def write_hands(folder, num_rows=64):
    """Pictures (N, 32, 32, 3) of one wall with a patch somewhere: two views of one differ more than two of them do."""
    rng, folder = np.random.default_rng(0), folder / 'hands'
    folder.mkdir()
    images = np.full((num_rows, 32, 32, 3), (172., 165., 157.)) + np.linspace(-25, 25, 32)[:, None, None]
    for row, (x, y) in enumerate(rng.integers(4, 20, (num_rows, 2))):
        images[row, y:y + 8, x:x + 8] = (205, 160, 135)
    np.save(folder / 'images.npy', (images + rng.normal(0, 6, images.shape)).clip(0, 255).astype(np.uint8))
    np.save(folder / 'labels.npy', np.arange(num_rows) % K)
    return dict(array=str(folder / 'images.npy'), labels=str(folder / 'labels.npy'))


def first_steps(cfg, data, monkeypatch, epochs):
    """Spread of the projections in each step of GCC on photographs, four steps an epoch."""
    seen, loss = [], GCC.loss

    def watched(self, **streams):
        losses = loss(self, **streams)
        seen.append(float(losses['feat_std']))
        return losses

    monkeypatch.setattr(GCC, 'loss', watched)
    cfg.train_dataloader.sampler.streams.batch.size = 16
    train(_finish(cfg, data, epochs))
    return seen


def test_features_do_not_fall_to_a_point_on_photographs(tmp_path, monkeypatch):
    """The config's rate keeps them from the point where steps of SGD, at the rate of digits, leave them."""
    data, spread = write_hands(tmp_path), {}
    for name, optimizer in (('config', None), ('sgd', dict(type='SGD', lr=0.1, momentum=0.9))):
        cfg = read_stage('gcc_cnn_sign_digits')
        cfg.work_dir = str(tmp_path / name)
        cfg.optim_wrapper.optimizer = optimizer or cfg.optim_wrapper.optimizer
        with monkeypatch.context() as patch:
            spread[name] = first_steps(cfg, data, patch, epochs=5)
    assert spread['config'][0] == spread['sgd'][0] > 0.03 and len(spread['sgd']) == 20
    assert min(spread['config']) > 0.006 and max(spread['sgd'][4:]) < 0.002


# ---- bad input

@pytest.mark.parametrize('change, message', [
    (dict(near=dict(begin=1)), "stream 'near' begins at epoch 1, and the graph that it draws from at 2"),
    (dict(neighbor=dict(begin=3)), "'near' and 'neighbor' come together")])
def test_streams_that_do_not_fit_the_graph(tmp_path, change, message):
    cfg = gcc_cfg(tmp_path / 'work', write_digits(tmp_path), epochs=3)
    cfg.train_dataloader.sampler.streams.merge(change)
    with pytest.raises(ValueError, match=message):
        train(cfg)
