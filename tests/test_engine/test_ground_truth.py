"""Labels that a user gives: files, draws, and what does not fit; and that no unsupervised config asks for them."""
import ast
import re

import numpy as np
import pytest
import torch
from reduced import ROOT, read_stage, stage_keys

from mmcluster.datasets import IndexedDataset, StreamSampler
from mmcluster.datasets.few_labels import read_few_labels
from mmcluster.engine.hooks import GroundTruthHook, PoolHook
from mmcluster.functional.labels.select import draw_per_class
from mmcluster.recipes import stages

from .fake import D, K, N, blobs, fake_runner, rowwise

PATHS = ['cat/1.png', 'cat/2.png', 'dog/1.png', 'dog/3.png', '7']
SEMI_SUPERVISED = re.compile(r'(fix|flex|free|soft|ada|mutex|mix)match_\w+_\d+/\w+|asd_freematch_wrn28_2_svhn/given')


def csv_file(tmp_path, *lines):
    path = tmp_path / 'labels.csv'
    path.write_text('\n'.join(lines), encoding='utf-8')
    return path


def runner_of(labels=None, head=K, classes=()):
    features, _ = blobs()
    runner = fake_runner(rowwise(head=dict(type='LinearClusterHead', in_channels=D, num_clusters=head)))
    labels = None if labels is None else np.asarray(labels)
    runner.train_dataloader.dataset = IndexedDataset(dict(type='ArraySource', array=features, labels=labels,
                                                          classes=classes))
    return runner


def target_of(runner, **options):
    GroundTruthHook(**options).before_train_epoch(runner)
    return runner.model.bank.target


# ---- files

@pytest.mark.parametrize('lines', [
    ['0,2', '3,0', '4,1'], ['row,label', '0,2', '', '3,0', '1,-1', '2,', '4,1'],
    ['path,label', 'cat/1.png,2', r'dog\3.png,0', '7,1'], ['cat/1.png,2', './dog/3.png,0', '4,1']])
def test_rows_and_paths(tmp_path, lines):
    """A file called 7 is meant before the row of that number."""
    assert read_few_labels(csv_file(tmp_path, *lines), 5, PATHS).tolist() == [2, -1, -1, 0, 1]


@pytest.mark.parametrize('classes, expected', [(('dog', 'cat'), [1, -1, 0, -1, -1]), ((), [0, -1, 1, -1, -1])])
def test_names_of_classes(tmp_path, classes, expected):
    table = csv_file(tmp_path, 'image,label', 'cat/1.png,cat', 'dog/1.png,dog')
    assert read_few_labels(table, 5, PATHS, classes).tolist() == expected


def test_a_number_may_be_a_name(tmp_path):
    table = csv_file(tmp_path, '0,5', '1,3', '2,0')
    assert read_few_labels(table, 3, classes=('3', '5')).tolist() == [1, 0, 0]
    assert read_few_labels(table, 3).tolist() == [5, 3, 0]


@pytest.mark.parametrize('lines, problem', [
    (['0,1', '0,2'], 'line 2: image 0 has a label already'), (['0,1', '5,2'], 'line 2: there is no image 5 among 5'),
    (['0,1', 'cat/9.png,2'], 'there is no image cat/9.png'),
    (['cat/9.png,2', '0,1'], 'line 1: there is no image cat/9.png among 5'),
    (['0,1,2'], 'line 1: 3 columns, expected row or path'),
    (['0,1', '1,bird'], r"'bird' \(row 1\) is neither one of the classes \['cat', 'dog'\] nor a number"),
    (['cat/1.png,1', '0,1'], 'line 2: image 0 has a label already')])
def test_a_file_that_does_not_fit(tmp_path, lines, problem):
    with pytest.raises(ValueError, match=rf'labels.csv does not fit the data set:\n  .*{problem}'):
        read_few_labels(csv_file(tmp_path, *lines), 5, PATHS, ('cat', 'dog'))


def test_an_array_of_labels(tmp_path):
    np.save(tmp_path / 'good.npy', np.array([0, -1, 2]))
    assert read_few_labels(tmp_path / 'good.npy', 3).tolist() == [0, -1, 2]
    with pytest.raises(ValueError, match=r'expected whole numbers of shape \(4,\)'):
        read_few_labels(tmp_path / 'good.npy', 4)
    np.save(tmp_path / 'float.npy', np.array([0., np.nan, 2.]))
    assert read_few_labels(tmp_path / 'float.npy', 3).tolist() == [0, -1, 2]
    for name, wrong in dict(part=np.full(3, .5), low=np.array([0, -2, 1]), flat=np.zeros((3, 1), int)).items():
        np.save(tmp_path / f'{name}.npy', wrong)
        with pytest.raises(ValueError, match='whole numbers'):
            read_few_labels(tmp_path / f'{name}.npy', 3)
    with pytest.raises(FileNotFoundError, match='nowhere.csv'):
        read_few_labels(tmp_path / 'nowhere.csv', 3)


# ---- draws

def test_a_draw_per_class():
    label = torch.tensor([0, 1, 2, -1] * 25)
    drawn = draw_per_class(label, 4, 3)
    chosen = drawn >= 0
    assert torch.bincount(drawn[chosen]).tolist() == [4, 4, 4] and torch.equal(drawn[chosen], label[chosen])
    assert torch.equal(drawn, draw_per_class(label, 4, 3)) and not torch.equal(drawn, draw_per_class(label, 4, 3, 1))
    more = draw_per_class(label, 10, 3) >= 0
    assert more[chosen].all(), 'a larger draw of the same seed contains the smaller one'
    counts = sum((draw_per_class(label, 5, 3, seed) >= 0).long() for seed in range(200))
    assert counts[label < 0].sum() == 0 and counts[label >= 0].min() > 15 and counts[label >= 0].max() < 70
    assert (draw_per_class(label, 25, 3) >= 0).sum() == 75


def test_a_class_with_too_few_rows():
    with pytest.raises(ValueError, match=r'3 rows of every class are wanted.*fewer: \{1: 2, 3: 0\}'):
        draw_per_class(torch.tensor([0, 0, 0, 1, 1, 2, 2, 2]), 3, 4)


# ---- the hook

def test_a_draw_reaches_the_bank_and_the_pool():
    _, label = blobs()
    runner = runner_of(label)
    target = target_of(runner, per_class=3, seed=5)
    assert torch.equal(target, draw_per_class(label, 3, K, 5))
    runner.train_dataloader.sampler = StreamSampler(runner.train_dataloader.dataset,
                                                    dict(labelled=dict(size=6, pool='target')), length=4)
    PoolHook().before_train_epoch(runner)
    rows = torch.cat([runner.train_dataloader.sampler.chunk('labelled', step) for step in range(20)])
    assert rows.unique().tolist() == (target >= 0).nonzero().flatten().tolist()


def test_a_file_reaches_the_bank(tmp_path):
    runner = runner_of()
    target = target_of(runner, labels=str(csv_file(tmp_path, '3,0', '17,1', '18,3')))
    assert target[[3, 17, 18]].tolist() == [0, 1, 3] and (target >= 0).sum() == 3


def test_labels_that_are_known_stay():
    """As after a resume: neither file nor labels are asked for."""
    runner = runner_of()
    runner.model.bank.fill(target=torch.arange(N) % K)
    assert torch.equal(target_of(runner, labels='gone.csv'), torch.arange(N) % K)


@pytest.mark.parametrize('labels, options, problem', [
    (None, dict(per_class=1), 'the training set has no labels to draw per_class from'),
    ([-1] * N, dict(per_class=1), 'no image has a label'),
    ([0] * 30 + [1] * 30, dict(per_class=1), r'fewer: \{2: 0, 3: 0\}'),
    ([4] + [0, 1, 2, 3] * 14 + [0] * 3, dict(per_class=1), 'labels go up to 4, but the head has num_clusters=4'),
    ([0] * N, dict(per_class=1, fingerprint=7), r'belong to another data set \(fingerprint 7, the training set has')])
def test_labels_that_do_not_fit(labels, options, problem):
    with pytest.raises(ValueError, match=problem):
        target_of(runner_of(labels), **options)


def test_a_file_beyond_the_head_and_an_empty_one(tmp_path):
    with pytest.raises(ValueError, match='labels go up to 9, but the head has num_clusters=4; labels count from 0'):
        target_of(runner_of(), labels=csv_file(tmp_path, '3,9'))
    with pytest.raises(ValueError, match='no image has a label'):
        target_of(runner_of(), labels=csv_file(tmp_path, '3,-1'))
    runner = runner_of()
    fingerprint = runner.train_dataloader.dataset.fingerprint
    assert target_of(runner, labels=csv_file(tmp_path, '3,1'), fingerprint=fingerprint)[3] == 1


@pytest.mark.parametrize('lines, counted', [
    (['3,0', '17,1'], True), (['row,label', '3,0'], True), (['a/5.png,0', '3,1'], True),
    (['a/5.png,0', 'path,1'], False), (['path,label', 'a/5.png,0'], False), (['7,0'], False)])
def test_row_numbers_without_a_fingerprint_are_warned_of(tmp_path, monkeypatch, caplog, lines, counted):
    """A file called 7 is a name."""
    runner = runner_of()
    dataset = runner.train_dataloader.dataset
    paths = ['a/5.png', 'path', '7', *(f'b/{i}.png' for i in range(N - 3))]
    monkeypatch.setattr(IndexedDataset, 'paths', paths)
    file = csv_file(tmp_path, *lines)
    target_of(runner, labels=str(file))
    found = re.search(rf'labels.csv names images by row number.*fingerprint={dataset.fingerprint}:', caplog.text)
    assert (found is not None) is counted
    caplog.clear()
    runner.model.bank.fill(target=torch.full((N,), -1))
    target_of(runner, labels=str(file), fingerprint=dataset.fingerprint)
    assert 'row number' not in caplog.text


def test_an_array_of_labels_counts_rows(tmp_path, caplog):
    np.save(tmp_path / 'labels.npy', np.arange(N) % K)
    target_of(runner_of(), labels=str(tmp_path / 'labels.npy'))
    assert 'names images by row number' in caplog.text
    caplog.clear()
    target_of(runner_of(blobs()[1]), per_class=2)
    assert 'row number' not in caplog.text


def test_a_class_without_labels_is_named(tmp_path, caplog):
    target_of(runner_of(), labels=csv_file(tmp_path, '3,1', '4,3'))
    assert 'classes [0, 2] have no labelled image' in caplog.text


@pytest.mark.parametrize('options', [{}, dict(labels='a.csv', per_class=4)])
def test_one_source_of_labels(options):
    with pytest.raises(ValueError, match='either labels, a file, or per_class'):
        GroundTruthHook(**options)
    with pytest.raises(ValueError, match='at least 1, got 0'):
        GroundTruthHook(per_class=0)


# ---- law 3: only semi-supervised configs ask for it

def asks_for_labels(cfg):
    return 'GroundTruthHook' in str(cfg.to_dict())


@pytest.mark.parametrize('key', stage_keys())
def test_only_semi_supervised_stages_ask_for_labels(key):
    assert asks_for_labels(read_stage(key)) is bool(SEMI_SUPERVISED.fullmatch(key))


def test_a_config_that_asks_is_found(tmp_path):
    path = tmp_path / 'propos_cnn_digits.py'
    path.write_text("data = 'data/digits'\nstages = dict(a=dict(parts=['propos/cnn_digits'], options=dict(hooks=dict("
                    "given=dict(type='GroundTruthHook', per_class=4)))))")
    assert asks_for_labels(stages.read_stage(path, 'a'))


def reads_labels(tree):
    """Whether code asks a data set or a source for its labels."""
    return any(isinstance(node, ast.Attribute) and node.attr in ('labels', '_labels') and
               ast.unparse(node.value).split('.')[-1] in ('dataset', 'source') for node in ast.walk(tree))


def test_one_file_outside_the_data_sets_reads_their_labels():
    files = [path.relative_to(ROOT / 'mmcluster') for path in (ROOT / 'mmcluster').rglob('*.py')
             if reads_labels(ast.parse(path.read_text(encoding='utf-8')))]
    assert sorted(str(path) for path in files if path.parts[0] != 'datasets') == [
        'engine/hooks/ground_truth.py', 'experiments/controls.py']      # k-means without training, for comparison
    assert reads_labels(ast.parse('f(runner.train_dataloader.dataset.labels)'))
