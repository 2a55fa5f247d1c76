"""DEC and IDEC trained on a few images: laws, resume, the end, bad input."""
import json

import numpy as np
import pytest
import torch
from killed import Killed
from reduced import K, N, differences, load, read_stage, train, write_digits, write_recipe
from reduced_dec import autoencoder_cfg, dec_cfg

from mmcluster.engine.hooks import SeedHook, targets
from mmcluster.functional.losses.dec import target_distribution
from mmcluster.registry import MODELS

pytestmark = pytest.mark.usefixtures('engine')


def weights(path):
    return {part: load(path)[part] for part in ('state_dict', 'optimizer')}


def run_recipe(folder, name, permute=None, **options):
    data = write_digits(folder, permute)
    stages = {'autoencoder': autoencoder_cfg('', data), name: dec_cfg(name, '', data, **options)}
    return train(write_recipe(folder, stages))


def metrics(work):
    return json.loads((work / 'metrics.jsonl').read_text().splitlines()[-1])


@pytest.fixture(scope='module', params=['dec', 'idec'])
def original(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp(request.param)
    return request.param, run_recipe(folder, request.param), folder / 'work'


def test_the_recipe(original):
    name, stages, work = original
    first, second = (weights(path)['state_dict'] for path in stages.values())
    assert {key.split('.')[0] for key in first} == {'neck', 'decoder', 'final_centers'}
    assert {key.split('.')[0] for key in second} == {'neck', 'head', 'bank', 'changed'} | (
        {'decoder'} if name == 'idec' else set())
    label, target = second['bank.label'], second['bank.soft_target']
    assert len(label) == N and set(label.tolist()) <= set(range(K))
    torch.testing.assert_close(target.sum(1), torch.ones(N))
    assert 'neck.layers.0.weight' in differences(first, second), 'it trains what it started from'
    rows = (work / name / 'assignments.csv').read_text().splitlines()[1:]
    assert [int(row.split(',')[1]) for row in rows] == label.tolist(), 'the last E-step is the result'
    assert 'kmeans/acc' in metrics(work / 'autoencoder') and 'head/acc' in metrics(work / name)


def test_the_first_centres_are_means_of_embeddings(tmp_path, monkeypatch):
    """k-means in Euclidean space, where Student's kernel measures."""
    seen, original = [], targets.kmeans

    def kmeans(rows, *given, **options):
        seen.append((rows, original(rows, *given, **options)))
        return seen[-1][1]

    monkeypatch.setattr(targets, 'kmeans', kmeans)
    run_recipe(tmp_path, 'dec')
    rows, found = seen[0]
    means = torch.stack([rows[found.labels == k].mean(0) for k in range(K)])
    torch.testing.assert_close(found.centers, means, rtol=1e-4, atol=1e-5)


def test_the_targets_are_those_of_the_whole_set(original):
    """Of the model after the last step, in evaluation mode."""
    name, stages, work = original
    cfg = dec_cfg(name, '', dict(array='', labels=''), base=None)
    cfg.model.bank.num_samples = N
    cfg.model.pop('data_preprocessor')
    model = MODELS.build(cfg.model).eval()
    state = weights(stages[name])['state_dict']
    state['bank.fingerprint'].zero_()
    model.load_state_dict(state)
    pixels = torch.from_numpy(np.load(work.parent / 'images.npy')).float()
    scale = read_stage('dec_digits/autoencoder').model.data_preprocessor.std[0]
    with torch.no_grad():
        prob = model.logits(pixels[:, None] / scale).softmax(1)
    torch.testing.assert_close(target_distribution(prob).target, model.bank.soft_target, rtol=1e-4, atol=1e-6)


def test_permuted_labels_leave_the_weights_bit_identical(original, tmp_path):
    name, stages, work = original
    permuted = run_recipe(tmp_path, name, permute=1)
    for stage in stages:
        assert differences(weights(stages[stage]), weights(permuted[stage])) == []
    assert metrics(tmp_path / 'work' / name) != metrics(work / name), 'the labels that metrics saw were permuted'


@pytest.mark.parametrize('name', ['dec', 'idec'])
def test_interrupted_equals_uninterrupted(tmp_path, monkeypatch, name):
    """Killed in the middle of an epoch, and before the first step of one."""
    before, at = SeedHook.before_train_iter, []

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        if at and runner.iter == at[0]:
            raise Killed
        before(self, runner, batch_idx, data_batch)

    monkeypatch.setattr(SeedHook, 'before_train_iter', before_train_iter)
    whole = train(dec_cfg(name, tmp_path / 'whole', write_digits(tmp_path), base=None))['train']
    assert load(whole)['meta']['iter'] == 6
    for i, iteration in enumerate((3, 4)):
        at[:] = [iteration]
        with pytest.raises(Killed):
            train(dec_cfg(name, tmp_path / 'parts', write_digits(tmp_path), base=None), resume=bool(i))
    at.clear()
    parts = train(dec_cfg(name, tmp_path / 'parts', write_digits(tmp_path), base=None), resume=True)['train']
    assert differences(weights(whole), weights(parts)) == []


def test_it_ends_when_labels_stand_still_and_stays_ended(tmp_path):
    """It says so in its state, so that a run which is cut off right then ends, too."""
    cfg = dec_cfg('dec', tmp_path / 'work', write_digits(tmp_path), base=None, epochs=40, tol=0.1)
    path = train(cfg)['train']
    epochs = load(path)['meta']['epoch']
    assert 1 <= epochs < 40 and float(load(path)['state_dict']['changed']) < 0.1
    summary = json.loads((tmp_path / 'work' / 'summary.json').read_text())
    assert summary['epochs'] == epochs and 'head/acc' in summary['metrics'], 'the end is evaluated'
    for name in ('done.json', 'summary.json'):
        (tmp_path / 'work' / name).unlink(missing_ok=True)
    again = train(dec_cfg('dec', tmp_path / 'work', write_digits(tmp_path), base=None, epochs=40, tol=0.1), resume=True)
    assert load(again['train'])['meta']['epoch'] == epochs and again['train'] == path
    assert (tmp_path / 'work' / 'summary.json').exists()


def test_its_end_is_a_checkpoint_whatever_the_interval(tmp_path):
    cfg = dec_cfg('dec', tmp_path / 'work', write_digits(tmp_path), base=None, epochs=40, tol=0.1)
    cfg.default_hooks.checkpoint.interval = 100
    state = load(train(cfg)['train'])
    summary = json.loads((tmp_path / 'work' / 'summary.json').read_text())
    assert state['meta']['epoch'] == summary['epochs'] < 40 and float(state['state_dict']['changed']) < 0.1


def test_more_clusters_than_images(tmp_path):
    cfg = dec_cfg('dec', tmp_path / 'work', write_digits(tmp_path, num_rows=20), base=None)
    cfg.model.head.num_clusters = 21
    with pytest.raises(ValueError, match='20 images, fewer than num_clusters=21'):
        train(cfg)


def test_without_its_hook(tmp_path):
    cfg = dec_cfg('dec', tmp_path / 'work', write_digits(tmp_path), base=None)
    cfg.custom_hooks = []
    with pytest.raises(ValueError, match="DEC needs dict\\(type='TargetHook'\\)"):
        train(cfg)


def test_the_hook_on_another_model(tmp_path):
    cfg = autoencoder_cfg(tmp_path / 'work', write_digits(tmp_path))
    cfg.custom_hooks = [dict(type='TargetHook')]
    with pytest.raises(ValueError, match='TargetHook writes the targets of DEC and IDEC, and Autoencoder has none'):
        train(cfg)
