"""Images of a test go to the clusters of the training, whether they are many, few or one."""
import csv
import json
import logging
import runpy
import sys

import numpy as np
import pytest
import torch
from reduced import ROOT, K, N, clusmatch_cfg, forget, load, propos_cfg, train, write_base, write_digits

from mmcluster.apis import open_config, open_model
from mmcluster.engine.launch import prepare
from mmcluster.evaluation import ClusteringMetric, PatientEvaluator
from mmcluster.models.final_centers import FinalCenters
from mmcluster.recipes import recipe
from mmcluster.strict import load_strictly, state_dict_problems
from mmcluster.structures import Rows

pytestmark = pytest.mark.usefixtures('engine')


@pytest.fixture(scope='module')
def run(tmp_path_factory):
    """A ProPos of two epochs: folder, config file, data, checkpoint, clusters of the images."""
    folder = tmp_path_factory.mktemp('final')
    data = write_digits(folder)
    cfg = propos_cfg(folder / 'work', data, epochs=2, warmup=1)
    cfg.dump(folder / 'cfg.py')
    checkpoint = train(cfg)['train']
    with open(folder / 'work' / 'assignments.csv', encoding='utf-8') as file:
        clusters = [int(row['cluster']) for row in csv.DictReader(file)]
    return folder, data, checkpoint, np.array(clusters)


def evaluate(run, rows, checkpoint=None, **metric):
    """Test some of the images; returns the metrics and the clusters."""
    folder, data, final, _ = run
    forget()
    cfg = open_config(str(folder / 'cfg.py'), work_dir=str(folder / 'test'))
    cfg.load_from = checkpoint or final
    cfg.test_dataloader.dataset.indices = list(rows)
    one = cfg.test_evaluator[0] if isinstance(cfg.test_evaluator, list) else cfg.test_evaluator
    cfg.test_evaluator = [dict(one, **metric)]
    cfg.log_level = 'INFO'
    runner = recipe.build_runner(prepare(cfg, 'none'))
    return runner.test(), runner.test_evaluator.metrics[0].assignments.cluster.numpy()


@pytest.mark.parametrize('rows', [range(N), range(3, 27), [17]], ids=['all', 'some', 'one'])
def test_images_keep_their_clusters(run, rows):
    metrics, clusters = evaluate(run, rows)
    assert np.array_equal(clusters, run[3][list(rows)])
    assert metrics['kmeans/cluster_max'] == np.bincount(clusters).max()
    if len(rows) == N:
        assert metrics == json.loads((run[0] / 'work' / 'summary.json').read_text())['metrics']


def test_refitting_is_an_option(run):
    with pytest.raises(ValueError, match=f'1 images cannot form {K} clusters'):
        evaluate(run, [17], refit=True)
    rows = list(range(30, 54))
    assert not np.array_equal(evaluate(run, rows, refit=True)[1], run[3][rows])


def test_an_older_checkpoint_says_that_k_means_runs_anew(run, tmp_path):
    old = load(run[2])
    old['state_dict'] = {key: value for key, value in old['state_dict'].items() if 'final_centers' not in key}
    torch.save(old, tmp_path / 'old.pth')
    evaluate(run, range(N), str(tmp_path / 'old.pth'))
    logs = ''.join(path.read_text() for path in sorted((run[0] / 'test').rglob('*.log')))
    assert 'keeps no centres of a final clustering' in logs
    assert 'given to the 4 centres that the checkpoint keeps' in logs


def test_only_the_final_checkpoint_has_centres(run):
    first, last = (load(str(run[0] / 'work' / f'epoch_{epoch}.pth')) for epoch in (1, 2))
    assert set(last['state_dict']) ^ set(first['state_dict']) == {
        f'final_centers.kmeans.{name}' for name in ('value', 'metric', 'is_result')}
    assert last['state_dict']['final_centers.kmeans.value'].shape == (K, 8)
    assert set(first) == set(last)
    assert not list((run[0] / 'work').glob('.*tmp'))


def test_a_longer_run_forgets_the_centres_of_its_middle(run, tmp_path):
    for epochs in (1, 3):
        train(propos_cfg(tmp_path, run[1], epochs=epochs, warmup=0), resume=epochs == 3, allow_config_change=True)
    kept = [any('final_centers' in key for key in load(str(tmp_path / f'epoch_{epoch}.pth'))['state_dict'])
            for epoch in (1, 2, 3)]
    assert kept == [True, False, True]


def test_a_model_predicts_the_clusters_of_the_run(run):
    folder, data, checkpoint, clusters = run
    model = open_model(open_config(str(folder / 'cfg.py')), checkpoint)
    images = torch.from_numpy(np.load(data['array']))[..., None]
    rows = Rows([images], torch.arange(N), torch.zeros(N, dtype=torch.long))
    x = model.data_preprocessor(dict(test=rows))['data_samples']['test'].views[0]
    model.train()
    found = model.predict(x)
    assert model.training and not found.score.requires_grad
    assert np.array_equal(found.cluster.cpu().numpy(), clusters)
    assert torch.equal(model(x, mode='predict').cluster, found.cluster)
    assert found.score.shape == (N, K) and found.embed.shape == (N, 8)
    model.final_centers.clear()
    with pytest.raises(ValueError, match='no head, and no final centres'):
        model.predict(x)
    with pytest.raises(ValueError, match="mode must be .* got 'embed'"):
        model(x, mode='embed')
    with pytest.raises(ValueError, match="mode='loss' takes data_samples"):
        model(x, mode='loss')
    with pytest.raises(ValueError, match="mode='predict' takes inputs"):
        model(mode='predict')


def test_a_head_predicts_where_it_is_the_result(tmp_path):
    data = write_digits(tmp_path)
    cfg = clusmatch_cfg(tmp_path / 'work', data, write_base(tmp_path / 'base.pth', data), epochs=1)
    cfg.dump(tmp_path / 'cfg.py')
    model = open_model(open_config(str(tmp_path / 'cfg.py')))
    x = torch.rand(3, 1, 8, 8).to(next(model.parameters()).device)
    assert torch.equal(model.predict(x).score, model.logits(x).softmax(1))
    model.final_centers.keep('kmeans', torch.eye(K, 8), is_result=False)
    assert torch.equal(model.predict(x).score, model.logits(x).softmax(1))
    model.final_centers.keep('kmeans', torch.eye(K, 8))
    assert not torch.equal(model.predict(x).score, model.logits(x).softmax(1))


def test_centres_load_strictly_and_anything_else_is_still_refused():
    full, empty = (torch.nn.ModuleDict(dict(body=torch.nn.Linear(2, 2), centers=FinalCenters())) for _ in range(2))
    full['centers'].keep('a.b', torch.rand(3, 2), 'euclidean')
    assert state_dict_problems(empty, full.state_dict()) == state_dict_problems(full, empty.state_dict()) == []
    load_strictly(empty, full.state_dict(), 'file')
    assert torch.equal(empty['centers'].get('a.b', 'euclidean'), full['centers'].get('a.b', 'euclidean'))
    assert empty['centers'].get('a.b') is None and empty['centers'].result()[1] == 'euclidean'
    with pytest.raises(ValueError, match='1 unexpected: other'):
        load_strictly(empty, {**full.state_dict(), 'other': torch.zeros(1)}, 'file')


class Given(ClusteringMetric):
    """A metric that has its rows."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        index = torch.arange(3)
        self.results.append((index, torch.eye(3), index))


def test_a_metric_that_cannot_run_does_not_stop_the_others(caplog):
    many, head = Given(num_clusters=9), Given(source='head')
    with caplog.at_level(logging.ERROR):
        found = PatientEvaluator([many, head]).evaluate(3)
    assert found['head/acc'] == 1 and not any('kmeans' in name for name in found)
    with pytest.raises(ValueError, match='3 images cannot form 9 clusters'):
        PatientEvaluator([Given(num_clusters=9), Given(num_clusters=8, prefix='b')]).evaluate(3)


def test_features_and_a_single_image_by_the_command_line(run, tmp_path, monkeypatch):
    out = tmp_path / 'features.npy'
    forget()
    monkeypatch.setattr(sys, 'argv', ['test.py', str(run[0] / 'cfg.py'), run[2], '--out-features', str(out), '--out',
                                      str(tmp_path / 'a.csv'), '--work-dir', str(tmp_path / 'work'), '--cfg-options',
                                      'test_dataloader.dataset.indices=[17]'])
    with pytest.raises(SystemExit, match='0'):
        runpy.run_path(str(ROOT / 'tools' / 'test.py'), run_name='__main__')
    assert np.load(out).shape == (1, 8)
    assert int((tmp_path / 'a.csv').read_text().splitlines()[1].split(',')[1]) == run[3][17]
