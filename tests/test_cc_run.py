"""CC and boosters on it, trained on a few images: laws, resume, bad input."""
import json

import pytest
import torch
from killed import Killed
from reduced import K, N, differences, load, train, write_digits, write_recipe
from reduced_cc import boost_cc_cfg, cc_cfg, stl10_cfg, write_stl10

from mmcluster.models.clusterers import CC

pytestmark = pytest.mark.usefixtures('engine')


def weights(path):
    return {part: load(path)[part] for part in ('state_dict', 'optimizer')}


def run_recipe(folder, loss, permute=None):
    data = write_digits(folder, permute)
    stages = dict(cc=cc_cfg('', data), **{loss: boost_cc_cfg(loss, '', data)})
    return {name: weights(path) for name, path in train(write_recipe(folder, stages)).items()}


def metrics(work):
    return json.loads((work / 'metrics.jsonl').read_text().splitlines()[-1])


@pytest.fixture(scope='module', params=['clusmatch', 'fixmatch'])
def original(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp(request.param)
    return request.param, run_recipe(folder, request.param), folder / 'work'


def test_the_recipe(original):
    """The booster goes on from CC's head, with the labels that this head gave to the rows it is surest of."""
    loss, stages, work = original
    first, second = (stage['state_dict'] for stage in stages.values())
    assert {key.split('.')[0] for key in first} == {'backbone', 'projector', 'head', 'final_centers'}
    assert {key.split('.')[0] for key in second} >= {'backbone', 'head', 'teacher', 'bank'}
    assert 'head.fc2.weight' in differences(first, second) and 'projector.fc1.weight' not in second
    chosen = second['bank.target']
    assert len(chosen) == N and 0 < (chosen >= 0).sum() <= K * int(0.4 * N / K)
    assert 'head/acc' in metrics(work / 'cc') and 'head/acc' in metrics(work / loss)


def test_permuted_labels_leave_the_weights_bit_identical(original, tmp_path):
    loss, stages, work = original
    assert differences(stages, run_recipe(tmp_path, loss, permute=1)) == []
    assert metrics(tmp_path / 'work' / 'cc') != metrics(work / 'cc'), 'the labels that metrics saw were permuted'


def test_permuted_labels_of_stl10(tmp_path):
    first, second = (weights(train(stl10_cfg(tmp_path / f'work{permute}', write_stl10(tmp_path / f'{permute}', permute),
                                             epochs=1))['train']) for permute in (None, 1))
    assert differences(first, second) == []


@pytest.mark.parametrize('kind, steps, at', [('digits', 3, (4, 7)), ('stl10', 5, (6, 13))])
def test_interrupted_equals_uninterrupted(tmp_path, kill, kind, steps, at):
    """Killed among the images without clusters, and among the others."""
    def make(name):
        if kind == 'stl10':
            return stl10_cfg(tmp_path / name, write_stl10(tmp_path / 'data'))
        return cc_cfg(tmp_path / name, write_digits(tmp_path))
    whole = train(make('whole'))['train']
    assert load(whole)['meta']['iter'] == 3 * steps
    for i, iteration in enumerate(at):
        kill(iteration)
        with pytest.raises(Killed):
            train(make('parts'), resume=bool(i))
    kill(None)
    assert differences(weights(whole), weights(train(make('parts'), resume=True)['train'])) == []


def test_an_epoch_of_stl10(tmp_path, monkeypatch):
    """All unlabelled images first, without clusters; then all others. Metrics see only the others."""
    steps, loss = [], CC.loss

    def watched(self, **streams):
        steps.append({name: batch.index.tolist() for name, batch in streams.items()})
        return loss(self, **streams)

    monkeypatch.setattr(CC, 'loss', watched)
    path = train(stl10_cfg(tmp_path / 'work', write_stl10(tmp_path / 'data'), epochs=2))['train']
    for epoch in (steps[:5], steps[5:]):
        assert [list(step) for step in epoch] == [['instance_only']] * 2 + [['batch']] * 3
        assert sorted(row for step in epoch for row in step.get('instance_only', [])) == list(range(24, 44))
        assert sorted(row for step in epoch for row in step.get('batch', [])) == list(range(24))
    moments = load(path)['optimizer']['state']
    counts = {int(state['step']) for state in moments.values()}
    assert counts == {6, 10}, 'the cluster head rests while there are no clusters'
    assert len((tmp_path / 'work' / 'assignments.csv').read_text().splitlines()) == 1 + 24, 'they are not evaluated'


# ---- bad input

@pytest.mark.parametrize('change, message', [
    (dict(size=K - 1), r"CC: stream 'batch' has size=3, fewer rows than the num_clusters=4.*size to at least 4"),
    (dict(size=N + 1), "batch larger than data set: N=60, size=61 of stream 'batch'")])
def test_batches_of_a_wrong_size(tmp_path, change, message):
    cfg = cc_cfg(tmp_path / 'work', write_digits(tmp_path), epochs=1)
    cfg.train_dataloader.sampler.streams.batch.merge(change)
    with pytest.raises(ValueError, match=message):
        train(cfg)
    assert not list((tmp_path / 'work').rglob('*.pth'))


def test_a_batch_of_as_many_rows_as_clusters_is_enough(tmp_path):
    cfg = cc_cfg(tmp_path / 'work', write_digits(tmp_path), epochs=1)
    cfg.train_dataloader.sampler.merge(dict(length=2, streams=dict(batch=dict(size=K))))
    state = load(train(cfg)['train'])['state_dict']
    assert all(torch.isfinite(value).all() for value in state.values())


def test_both_streams_in_one_step(tmp_path):
    cfg = stl10_cfg(tmp_path / 'work', write_stl10(tmp_path / 'data'), epochs=1)
    cfg.train_dataloader.sampler.sequential = False
    with pytest.raises(ValueError, match='rows of one stream a step.*sequential=True'):
        train(cfg)


def test_one_cluster(tmp_path):
    cfg = cc_cfg(tmp_path / 'work', write_digits(tmp_path), epochs=1)
    cfg.model.head.num_clusters = 1
    with pytest.raises(ValueError, match='CC: num_clusters must be at least 2, got 1'):
        train(cfg)
