"""Probes on frozen features, against scikit-learn and slow loops."""
import importlib.util
import json
import sys

import numpy as np
import pytest
import torch
from reduced import ROOT, propos_cfg, train, write_digits
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier

from mmcluster.evaluation.probes import KNNMetric, Split, few_label_probe, knn_probe, linear_probe, logistic_probe
from mmcluster.functional.labels.knn import top_accuracy, weighted_knn

pytestmark = pytest.mark.usefixtures('engine')


@pytest.fixture(scope='module')
def digits():
    """Pixels of digits, 1,000 to learn from and the rest."""
    data = load_digits()
    x, y = torch.from_numpy(data.data).float() / 16, torch.from_numpy(data.target)
    return Split(x[:1000], y[:1000], x[1000:], y[1000:])


def test_the_vote_is_that_of_scikit_learn(digits):
    """Equal weights by an infinite temperature; weights of cosines by a function of the distance of unit rows."""
    unit = [torch.nn.functional.normalize(x, dim=1).numpy() for x in (digits.train, digits.test)]
    for temperature, weights in ((1e6, 'uniform'), (0.07, lambda d: np.exp((1 - d ** 2 / 2) / 0.07))):
        theirs = KNeighborsClassifier(20, weights=weights, algorithm='brute').fit(unit[0], digits.labels)
        found = weighted_knn(digits.train, digits.labels, digits.test, 10, 20, temperature, chunk=100)
        assert (found.pred.numpy() == theirs.predict(unit[1])).mean() > 0.998      # ties are open
    accuracy = knn_probe(digits)
    assert accuracy == top_accuracy(found, digits.test_labels) and 0.94 < accuracy < 0.99
    assert top_accuracy(found, digits.test_labels, 5) >= accuracy


def test_the_own_row_has_no_vote(digits):
    x, y = digits.train[:50], digits.labels[:50]
    found = weighted_knn(x, y, x, 10, 49, own=torch.arange(50))
    assert all(i not in row for i, row in enumerate(found.neighbors.tolist()))
    assert knn_probe(Split(x, y, x, y), 1) == 1 and knn_probe(Split(x, y, x, y, True), 1) < 1


@pytest.mark.parametrize('dtype', [torch.bfloat16, torch.float16, torch.float64])
def test_types_and_small_temperatures(digits, dtype):
    x = digits.train[:40].to(dtype)
    found = weighted_knn(x, digits.labels[:40], x, 10, 5, temperature=0.005)
    assert (found.pred == digits.labels[:40]).all(), 'the row itself is nearest; exp(200) would overflow float32'


def test_what_cannot_vote_is_refused():
    x, y = torch.randn(3, 2), torch.tensor([0, 1, 2])
    with pytest.raises(ValueError, match='no neighbour'):
        weighted_knn(x[:1], y[:1], x[:1], 3, own=torch.zeros(1, dtype=torch.long))
    with pytest.raises(ValueError, match=r'0\.\.1'):
        weighted_knn(x, y, x, 2)
    with pytest.raises(ValueError, match='per_class=2'):
        few_label_probe(Split(x, y, x, y), 2)


def test_logistic_regression_and_the_linear_layer(digits):
    mean, std = digits.train.mean(0), digits.train.std(0, unbiased=False)
    scaled = [((x - mean) / std.where(std > 0, 1)).numpy() for x in (digits.train, digits.test)]
    theirs = LogisticRegression(max_iter=1000).fit(scaled[0], digits.labels).score(scaled[1], digits.test_labels)
    assert abs(logistic_probe(digits) - theirs) < 0.003
    plain = LogisticRegression(C=1e3, max_iter=1000).fit(digits.train, digits.labels)
    sgd = linear_probe(digits, epochs=20, lr=1., steps=(12, 16))
    assert abs(sgd - plain.score(digits.test, digits.test_labels)) < 0.03
    assert sgd == linear_probe(digits, epochs=20, lr=1., steps=(12, 16))


def test_lars_and_drawn_features(digits):
    """LARS finds what logistic regression does; features that are drawn anew are learned from, others are not."""
    plain = logistic_probe(digits)
    lars = linear_probe(digits, epochs=100, batch=100, lr=5., lars=True)     # it moves by a share of its small weights
    assert abs(lars - plain) < 0.04
    asked = []

    def drawn(epoch):
        asked.append(epoch)
        return digits.train

    assert linear_probe(digits, epochs=5, lr=1.) == linear_probe(digits, epochs=5, lr=1., drawn=drawn)
    assert asked == list(range(5))
    torch.manual_seed(0)
    assert linear_probe(digits, epochs=5, lr=1., drawn=torch.zeros_like(digits.train).mul) < 0.2, 'nothing to learn from'


def test_few_labels_help_less_than_many(digits):
    few, deviation = few_label_probe(digits, 2, draws=3)
    many, _ = few_label_probe(digits, 20, draws=3)
    assert 0.4 < few < many < 1 and deviation > 0


def test_the_metric_is_logged_and_needs_no_labels(tmp_path):
    data = write_digits(tmp_path / 'data')
    cfg = propos_cfg(tmp_path / 'work', data, epochs=1, warmup=0)
    cfg.val_evaluator = [cfg.val_evaluator, dict(type='KNNMetric', k=5)]
    train(cfg)
    summary = json.loads((tmp_path / 'work' / 'summary.json').read_text())
    assert 0.25 < summary['metrics']['knn/accuracy'] <= 1
    assert KNNMetric().compute_metrics([]) == {}


def test_the_tool_prints_every_probe_of_both_spaces(tmp_path, monkeypatch, capsys):
    data = write_digits(tmp_path / 'data')
    cfg = propos_cfg(tmp_path / 'work', data, epochs=1, warmup=0)
    checkpoint = train(cfg)['train']
    cfg.pop('work_dir')
    cfg.dump(tmp_path / 'propos.py')
    monkeypatch.syspath_prepend(str(ROOT / 'tools' / 'analysis_tools'))
    spec = importlib.util.spec_from_file_location('probe', ROOT / 'tools' / 'analysis_tools' / 'probe.py')
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    monkeypatch.setattr(sys, 'argv', ['probe.py', str(tmp_path / 'propos.py'), checkpoint, '--epochs', '5', '--k', '5',
                                      '--per-class', '2', '--json', str(tmp_path / 'probes.json'),
                                      '--augmented', 'lars', 'sgd', '--augmented-epochs', '3'])
    views = []
    monkeypatch.setattr(tool, 'drawn_features', lambda *args, original=tool.drawn_features: views.append(
        original(*args)) or views[-1])
    tool.main()
    assert len(views) == 2 * 2 * 3 and not torch.equal(views[0], views[1])
    assert torch.equal(views[0], views[3]), 'both protocols have the views of an epoch'
    found = json.loads((tmp_path / 'probes.json').read_text())
    assert len(capsys.readouterr().out.splitlines()) == 12 and list(found) == ['backbone', 'embedding']
    assert all(0.2 < value <= 1 for space in found.values() for name, value in space.items() if 'augmented' not in name)
    assert sum('augmented' in name and 0 <= value <= 1 for name, value in found['backbone'].items()) == 2
    sys.modules.pop('opened', None)
