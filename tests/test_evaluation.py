"""Metrics of a data set and the files that a run leaves behind."""
import csv
import json
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from mmengine.logging import MessageHub
from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score

from mmcluster.cli import test as command
from mmcluster.engine.hooks import ResultHook
from mmcluster.evaluation import ClusteringMetric, clustering, information, write_assignments, write_json
from mmcluster.evaluation.clustering import Assignments
from mmcluster.evaluation.results import last_words
from mmcluster.functional.clustering import metrics
from mmcluster.functional.clustering.kmeans import center_similarity, kmeans
from mmcluster.functional.clustering.metrics import clustering_metrics
from mmcluster.structures import Rows

pytestmark = pytest.mark.usefixtures('engine')
N, D, K = 70, 6, 4
NAMES = {'acc', 'nmi', 'nmi_geometric', 'ari', 'ami', 'purity'}


def problem(seed=0):
    """Features (N, D) in noisy blobs, probabilities (N, K), classes (N,)."""
    generator = torch.Generator().manual_seed(seed)
    blob = torch.randint(0, K, (N,), generator=generator)
    embed = torch.eye(K, D)[blob] + 0.4 * torch.randn(N, D, generator=generator)
    prob = (3 * torch.randn(N, K, generator=generator) + 2 * torch.eye(K)[blob]).softmax(1)
    return embed, prob, blob


def evaluate(metric, embed, prob, truth, size=N, batch_size=16, rows=None):
    """Hand the rows over in batches, in a shuffled order."""
    order = torch.randperm(N, generator=torch.Generator().manual_seed(1)) if rows is None else rows
    for index in order.split(batch_size):
        label = None if truth is None else truth[index]
        sample = dict(index=index, embed=embed[index], prob=None if prob is None else prob[index])
        metric.process(dict(test=Rows([], index, index, label)), [sample])
    return metric.evaluate(size)


@pytest.mark.parametrize('source', ['kmeans', 'head'])
def test_quality(source):
    embed, prob, blob = problem()
    truth = torch.tensor([3, 1, 0, 2])[blob]
    metric = ClusteringMetric(source, num_clusters=K if source == 'kmeans' else None, n_init=2, seed=4)
    found = evaluate(metric, embed, prob, truth)
    cluster = prob.argmax(1) if source == 'head' else kmeans(embed, K, n_init=2, seed=4).labels
    assert torch.equal(metric.assignments.cluster, cluster)
    assert set(found) == {f'{source}/{name}' for name in NAMES | {'cluster_min', 'cluster_max'}}
    assert found[f'{source}/nmi'] == pytest.approx(normalized_mutual_info_score(truth, cluster))
    assert found[f'{source}/ari'] == pytest.approx(adjusted_rand_score(truth, cluster))
    assert {name: found[f'{source}/{name}'] for name in NAMES} == clustering_metrics(truth, cluster)
    sizes = torch.bincount(cluster, minlength=K)
    assert (found[f'{source}/cluster_min'], found[f'{source}/cluster_max']) == (sizes.min(), sizes.max())
    assert 0.3 < found[f'{source}/acc'] < 1


def test_the_model_says_how_many_clusters():
    embed, _, blob = problem()
    rows = dict(test=Rows([], torch.arange(N), torch.arange(N), blob))
    sample = dict(index=torch.arange(N), embed=embed, prob=None, num_clusters=K)
    asked, told = ClusteringMetric(n_init=2), ClusteringMetric(n_init=2, num_clusters=K)
    for metric in (asked, told):
        metric.process(rows, [sample])
    assert asked.evaluate(N) == told.evaluate(N) and len(asked.centers) == K
    other = ClusteringMetric(n_init=2, num_clusters=K + 1)          # what is asked for by number stays
    other.process(rows, [sample])
    assert other.evaluate(N) and len(other.centers) == K + 1
    with pytest.raises(ValueError, match='does not say how many clusters it has'):
        ClusteringMetric().process(rows, [dict(sample, num_clusters=None)])


def test_top1_does_not_rename_clusters():
    """Rows without a label do not count."""
    embed, prob, truth = problem()
    truth[::5] = -1
    renamed = torch.tensor([3, 1, 0, 2, -1])[truth]
    for labels in (truth, renamed):
        found = evaluate(ClusteringMetric('head', top1=True), embed, prob, labels)
        known = labels >= 0
        assert found['head/top1'] == pytest.approx((prob.argmax(1) == labels)[known].float().mean().item())
        assert (found['head/top1'] == found['head/acc']) is (labels is truth)
    assert 'head/top1' not in evaluate(ClusteringMetric('head', top1=True), embed, prob, torch.full_like(truth, -1))
    with pytest.raises(ValueError, match="top1 needs source='head'"):
        ClusteringMetric('kmeans', num_clusters=K, top1=True)


def test_batches_and_their_order_do_not_matter():
    embed, prob, truth = problem()
    metrics = [ClusteringMetric('kmeans', K, n_init=2) for _ in range(3)]
    found = [evaluate(metrics[0], embed, prob, truth), evaluate(metrics[1], embed, prob, truth, batch_size=70),
             evaluate(metrics[2], embed, prob, truth, rows=torch.arange(N))]
    assert found[0] == found[1] == found[2]
    for other in metrics[1:]:
        assert all(torch.equal(a, b) for a, b in zip(metrics[0].assignments, other.assignments))
    assert evaluate(metrics[0], embed, prob, truth) == found[0], 'nothing is left over from the first time'


def test_known_rows_alone_are_compared():
    embed, prob, truth = problem()
    known = torch.arange(N) % 3 > 0
    found = evaluate(ClusteringMetric('head', prefix='h'), embed, prob, truth.where(known, torch.tensor(-1)))
    expected = clustering_metrics(truth[known], prob.argmax(1)[known])
    assert {name: found[f'h/{name}'] for name in NAMES} == expected
    assert expected != clustering_metrics(truth, prob.argmax(1))
    assert found['h/cluster_max'] == torch.bincount(prob.argmax(1)).max(), 'sizes count all rows'
    assert found['h/labelled'] == known.sum(), 'the gap is reported'
    assert 'h/labelled' not in evaluate(ClusteringMetric('head', prefix='h'), embed, prob, truth)


@pytest.mark.parametrize('truth', [None, torch.full((N,), -1)])
def test_without_ground_truth(truth):
    embed, prob, _ = problem()
    metric = ClusteringMetric('kmeans', K, n_init=2)
    found = evaluate(metric, embed, prob, truth)
    assert set(found) == {'kmeans/cluster_min', 'kmeans/cluster_max'}
    assert torch.equal(metric.assignments.cluster, kmeans(embed, K, n_init=2).labels)


@pytest.mark.parametrize('metric', ['cosine', 'euclidean'])
def test_assignments_agree_with_the_clusters(metric):
    """Row i is image i; confidence is the similarity to the own centre, second the next best centre."""
    embed, prob, truth = problem()
    head, centres = ClusteringMetric('head'), ClusteringMetric('kmeans', K, n_init=2, metric=metric)
    for one, score in ((head, prob), (centres, None)):
        evaluate(one, embed, prob, truth)
        if score is None:
            result = kmeans(embed, K, n_init=2, metric=metric)
            score = center_similarity(embed, result.centers, metric)
            assert torch.equal(one.assignments.cluster, result.labels)
        order = score.argsort(1, descending=True)
        index, cluster, confidence, second = one.assignments
        assert torch.equal(index, torch.arange(N)) and torch.equal(cluster, order[:, 0])
        assert torch.equal(second, order[:, 1])
        torch.testing.assert_close(confidence, score.gather(1, order[:, :1])[:, 0])


def test_a_head_that_uses_one_cluster():
    embed, prob, truth = problem()
    found = evaluate(ClusteringMetric('head'), embed, torch.eye(K)[torch.zeros(N, dtype=torch.long)], truth)
    assert (found['head/cluster_min'], found['head/cluster_max']) == (0, N)
    assert found['head/nmi'] == 0 and found['head/acc'] == torch.bincount(truth).max().item() / N


@pytest.mark.parametrize('rows', [torch.arange(1, N), torch.cat([torch.arange(1, N), torch.tensor([5])]),
                                  torch.cat([torch.arange(N), torch.tensor([5])])])
def test_missing_and_repeated_rows_are_refused(rows):
    with pytest.raises(RuntimeError, match=f'of {N} rows were evaluated.*use a SweepSampler'):
        evaluate(ClusteringMetric('kmeans', K, n_init=2), *problem(), rows=rows)


@pytest.mark.parametrize('arguments, problem_text', [
    (dict(source='neck'), r"source must be one of \('kmeans', 'head'\), got 'neck'"),
    (dict(source='kmeans', num_clusters=1), 'num_clusters must be at least 2')])
def test_wrong_arguments(arguments, problem_text):
    with pytest.raises(ValueError, match=problem_text):
        ClusteringMetric(**arguments)


def test_a_head_is_needed():
    with pytest.raises(ValueError, match='needs a model with a head'):
        evaluate(ClusteringMetric('head'), problem()[0], None, None)


def test_more_clusters_than_images():
    with pytest.raises(ValueError, match=f'{N} images cannot form {N + 1} clusters'):
        evaluate(ClusteringMetric('kmeans', N + 1), *problem())


# ---- files

ASSIGNMENTS = Assignments(torch.arange(3), torch.tensor([2, 0, 1]), torch.tensor([0.5, 0.123456789, 1.]),
                          torch.tensor([1, 1, 0]))


@pytest.mark.parametrize('paths', [None, ['a/1.png', 'b, "c".png', 'ü.png']])
def test_assignments_as_csv(tmp_path, paths):
    path = tmp_path / 'assignments.csv'
    write_assignments(str(path), ASSIGNMENTS, SimpleNamespace(paths=paths) if paths else SimpleNamespace())
    with open(path, encoding='utf-8', newline='') as file:
        rows = list(csv.reader(file))
    names = paths or ['0', '1', '2']
    assert rows == [['image', 'cluster', 'confidence', 'second'], [names[0], '2', '0.500000', '1'],
                    [names[1], '0', '0.123457', '1'], [names[2], '1', '1.000000', '0']]
    assert [file.name for file in tmp_path.iterdir()] == ['assignments.csv']


def test_a_crash_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / 'summary.json'
    write_json(str(path), dict(b=1, a=[2]))
    assert json.loads(path.read_text()) == dict(a=[2], b=1)
    before = path.read_bytes()
    monkeypatch.setattr('os.replace', lambda *args: (_ for _ in ()).throw(OSError('no space')))
    with pytest.raises(OSError, match='no space'):
        write_json(str(path), dict(b=2))
    assert path.read_bytes() == before and [file.name for file in tmp_path.iterdir()] == ['summary.json']
    with pytest.raises(TypeError):
        write_json(str(path), dict(b=torch.ones(1)))


# ---- the results of a run

class ThreeRows:
    """What the summary says of a data set."""

    fingerprint, paths = 77, None

    def __len__(self):
        return 3


class Validation:
    """Calls the hook with the next of some metrics, as a validation loop does."""

    def __init__(self, runner, hook, metrics):
        self.runner, self.hook, self.metrics, self.runs = runner, hook, list(metrics), 0

    def run(self):
        self.runs += 1
        self.runner.val_evaluator.metrics[0].assignments = ASSIGNMENTS
        self.hook.after_val_epoch(self.runner, self.metrics.pop(0))


def finished(work_dir, accs, epoch=0, validate=lambda epoch: True, last=None):
    """Train from an epoch to the last one; returns the Runner after its results are written."""
    data = ThreeRows()
    metric = ClusteringMetric('head')
    runner = SimpleNamespace(
        work_dir=str(work_dir), model=torch.nn.Module(), epoch=epoch, iter=10 * epoch, seed=5, experiment_name='test',
        visualizer=SimpleNamespace(_vis_backends={}), message_hub=SimpleNamespace(get_info=lambda name, default: default),
        train_dataloader=SimpleNamespace(dataset=data), val_dataloader=SimpleNamespace(dataset=data),
        val_evaluator=SimpleNamespace(metrics=[metric]), train_loop=SimpleNamespace(val_begin=1))
    hook = ResultHook()
    runner.val_loop = Validation(runner, hook, [{'head/acc': acc, 'head/nmi': 1 - acc, 'head/cluster_min': 1}
                                                for acc in accs])
    hook.before_train(runner)
    for runner.epoch in range(epoch + 1, (last or epoch + len(accs)) + 1):
        runner.iter = 10 * runner.epoch
        if validate(runner.epoch):
            runner.val_loop.run()
    hook.after_train(runner)
    return runner


def read(work_dir):
    lines = [json.loads(line) for line in (work_dir / 'metrics.jsonl').read_text().splitlines()]
    return json.loads((work_dir / 'summary.json').read_text()), lines


def test_the_last_result_counts_and_the_best_stands_beside_it(tmp_path):
    finished(tmp_path, [0.5, 0.9, 0.7])
    summary, lines = read(tmp_path)
    assert summary['metrics'] == {'head/acc': 0.7, 'head/nmi': pytest.approx(0.3), 'head/cluster_min': 1}
    assert summary['best_by_ground_truth'] == {'head/acc': 0.9, 'head/nmi': 0.5}
    assert {key: summary[key] for key in ('epochs', 'iterations', 'seed', 'num_samples', 'data_fingerprint')} == dict(
        epochs=3, iterations=30, seed=5, num_samples=3, data_fingerprint=77)
    assert set(summary['versions']) == {'mmcluster', 'torch', 'python'} and summary['seconds'] >= 0
    assert [(line['epoch'], line['head/acc']) for line in lines] == [(1, 0.5), (2, 0.9), (3, 0.7)]
    assert (tmp_path / 'assignments.csv').read_text().splitlines()[1] == '0,2,0.500000,1'


def test_a_resumed_run_cuts_what_it_will_write_again(tmp_path):
    """The run was killed after its third evaluation; its last checkpoint is that of epoch 1."""
    finished(tmp_path, [0.5, 0.95, 0.7])
    finished(tmp_path, [0.6, 0.8], epoch=1)
    summary, lines = read(tmp_path)
    assert [(line['epoch'], line['head/acc']) for line in lines] == [(1, 0.5), (2, 0.6), (3, 0.8)]
    assert summary['best_by_ground_truth']['head/acc'] == 0.8 and summary['metrics']['head/acc'] == 0.8


def test_the_seconds_of_an_interrupted_run_are_those_of_all_its_parts():
    hook, (hub, again) = ResultHook(), (MessageHub(name) for name in ('first', 'second'))
    hub.update_info('seconds', 100.)
    hook.before_train(SimpleNamespace(message_hub=hub, model=torch.nn.Module(), val_loop=None))
    checkpoint = dict(message_hub=hub.state_dict())
    hook.before_save_checkpoint(None, checkpoint)
    again.load_state_dict(checkpoint['message_hub'])
    assert 100 <= again.get_info('seconds') < 200


def test_a_fresh_run_forgets_an_older_history(tmp_path):
    finished(tmp_path, [0.99, 0.5])
    finished(tmp_path, [0.6])
    summary, lines = read(tmp_path)
    assert len(lines) == 1 and summary['best_by_ground_truth']['head/acc'] == 0.6


def test_a_damaged_history_is_named(tmp_path):
    finished(tmp_path, [0.9, 0.5])
    (tmp_path / 'metrics.jsonl').write_text('{"epoch": 1, "head/acc": 0.9}\n{"epo\x00\x00}\n')
    with pytest.raises(ValueError, match=r'metrics\.jsonl is damaged .*put back a copy, or remove it'):
        finished(tmp_path, [0.6], epoch=2)


@pytest.mark.parametrize('evaluated', [[1], [1, 2, 3]])
def test_a_run_killed_in_its_last_evaluation_gets_its_result(tmp_path, evaluated):
    """Resumed at its end it trains no more, so the hook evaluates; the numbers of an older epoch are no result."""
    finished(tmp_path, [0.5, 0.6, 0.7])
    lines = (tmp_path / 'metrics.jsonl').read_text().splitlines(keepends=True)
    (tmp_path / 'metrics.jsonl').write_text(''.join(lines[:len(evaluated)]))
    for name in ('summary.json', 'assignments.csv'):
        (tmp_path / name).unlink()
    runner = finished(tmp_path, [0.7], epoch=3, last=3)
    summary, lines = read(tmp_path)
    assert runner.val_loop.runs == 1 and summary['metrics']['head/acc'] == 0.7 and lines[-1]['epoch'] == 3
    assert [line['epoch'] for line in lines] == sorted({*evaluated, 3}) and (tmp_path / 'assignments.csv').exists()


def test_the_last_evaluation_is_not_repeated(tmp_path):
    assert finished(tmp_path, [0.5, 0.6], last=4, validate=lambda epoch: epoch % 2 == 0).val_loop.runs == 2


def test_without_evaluation_there_is_no_summary(tmp_path):
    runner = SimpleNamespace(message_hub=MessageHub('none'), work_dir=str(tmp_path), model=torch.nn.Module(), epoch=0,
                             iter=0, val_loop=None)
    hook = ResultHook()
    hook.before_train(runner)
    hook.after_train(runner)
    assert not (tmp_path / 'summary.json').exists()
    runner.val_loop, runner.train_loop = SimpleNamespace(run=lambda: pytest.fail()), SimpleNamespace(val_begin=9)
    hook.after_train(runner)


def test_numbers_of_numpy_do_not_stop_a_run(tmp_path):
    found = evaluate(ClusteringMetric('kmeans', K, n_init=2), *problem())
    assert json.loads(json.dumps(found)) == found and not any(isinstance(v, np.generic) for v in found.values())


def test_clusters_that_a_metric_could_not_make_are_not_written(tmp_path, monkeypatch):
    runner = SimpleNamespace(test=dict, test_loop=SimpleNamespace(
        evaluator=SimpleNamespace(metrics=[ClusteringMetric('kmeans', K)])))
    monkeypatch.setattr('mmcluster.recipes.recipe.build_runner', lambda cfg: runner)
    monkeypatch.setattr(command, 'load_config', lambda args: None)
    with pytest.raises(ValueError, match='ClusteringMetric was left out; its log line says why'):
        command.evaluate(SimpleNamespace(out=str(tmp_path / 'out.csv'), out_item=None))


def test_the_last_words_of_training(tmp_path):
    metrics = {'head/acc': 0.91, 'head/nmi': 0.85, 'head/cluster_min': 3.}
    for stage in ('base', 'boost', 'cut'):
        (tmp_path / stage).mkdir()
    write_json(str(tmp_path / 'boost' / 'summary.json'), dict(metrics=metrics))
    (tmp_path / 'cut' / 'summary.json').write_text('{"metr')
    lines = last_words({stage: str(tmp_path / stage / 'epoch_1.pth') for stage in ('base', 'boost', 'cut')}).splitlines()
    assert 'base: no metrics; ' in lines[1] and 'cut: no metrics' in lines[3]
    assert 'boost: head/acc 0.910, head/nmi 0.850; ' in lines[2] and lines[2].endswith('boost')


def test_ami_of_many_cells_is_computed_apart(monkeypatch):
    table = torch.randint(5, (12, 9), generator=torch.Generator().manual_seed(0))
    cells = torch.arange(12 * 9), table.flatten(), 12, 9
    inside = information.adjusted_mutual_information(*cells)
    monkeypatch.setattr(information, 'APART', 0)
    assert information.adjusted_mutual_information(*cells) == inside < 0.1
    monkeypatch.setattr(information, '_CODE', 'raise ValueError("no room")')
    with pytest.raises(RuntimeError, match='AMI could not be computed: .*no room'):
        information.adjusted_mutual_information(*cells)
    monkeypatch.setattr(information, 'MOST', 12 * 9 + 9 * int(table.sum()) - 1)
    assert information.adjusted_mutual_information(*cells) is None


@pytest.mark.parametrize('most', [0, 1 << 34])
def test_large_tables_are_never_laid_out(monkeypatch, most):
    """Equal values from the cells that occur; AMI is left out where it would take too long."""
    generator = torch.Generator().manual_seed(0)
    label, prob = torch.randint(-1, 9, (200,), generator=generator), torch.rand(200, 7, generator=generator)
    found = []
    for dense in (True, False):
        if not dense:
            monkeypatch.setattr(metrics, 'laid_out', lambda classes, clusters, rows: False)
            monkeypatch.setattr(clustering, 'laid_out', lambda classes, clusters, rows: False)
            monkeypatch.setattr(clustering, 'contingency', lambda *args: pytest.fail('laid out'))
            monkeypatch.setattr(metrics, '_count_table', lambda *args: pytest.fail('laid out'))
            monkeypatch.setattr(information, 'MOST', most)
        metric, index = ClusteringMetric('head'), torch.arange(200)
        metric.process(dict(test=Rows([], index, index, label)), [dict(index=index, embed=None, prob=prob)])
        found.append(metric.evaluate(200))
    if not most:
        assert found[0].pop('head/ami')
    assert found[0] == found[1]
