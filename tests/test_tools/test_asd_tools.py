"""ASD's tools: the advice on labelled images, and the figure of the transitions."""
import importlib.util
import re
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from reduced import K, train, write_digits
from reduced_asd import LABELLED, asd_cfg

from mmcluster.functional.labels.coverage import coverage_probability
from mmcluster.functional.labels.diagnostics import inside_share

pytestmark = pytest.mark.usefixtures('engine')
FOLDER = Path(__file__).parents[2] / 'tools' / 'analysis_tools'


@pytest.fixture
def tool(monkeypatch, capsys):
    """(name, its arguments) -> what it prints."""

    def run(name, *arguments):
        spec = importlib.util.spec_from_file_location(f'tool_{name}', FOLDER / f'{name}.py')
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        monkeypatch.setattr(sys, 'argv', [name, *map(str, arguments)])
        module.main()
        return capsys.readouterr().out

    return run


# ---- advice

def advice(text):
    """n_l -> (P_all, mark) of the table."""
    rows = re.findall(r'^ *(\d+) +\d+\.\d +(\d\.\d+) *(.*)$', text, re.M)
    return {int(number): (float(value), mark) for number, value, mark in rows}


def test_advice_on_cifar(tool):
    text = tool('coverage', '--num-images', 50000, '--num-clusters', 10, '--num-labelled', 64, '--target', 0.9)
    rows = advice(text)
    assert set(rows) == {10, 20, 30, 40, 44, 50, 60, 64, 80, 100}
    for number, (value, _) in rows.items():
        assert value == pytest.approx(coverage_probability(number, 10, 50000), abs=5e-5)
    assert rows[40] == (0.8583, "the paper's 4 K") and rows[44][1] == 'advised'
    assert 'advised: n_l = 44, P_all = 0.9056 (target 0.9)' in text and 'n_l = 50, per_cluster = 5' in text


def test_the_paper_s_choice_is_enough(tool):
    assert advice(tool('coverage', '--num-images', 50000, '--num-clusters', 10))[40][1] == "advised; the paper's 4 K"


def test_draws_stand_beside_the_theorem(tool):
    text = tool('coverage', '--num-images', 50000, '--num-clusters', 10, '--draws', 4000)
    drawn = {int(number): float(share) for number, share in re.findall(r'n_l (\d+): (\S+) of 4000 draws', text)}
    assert len(drawn) == 8
    for number, share in drawn.items():
        assert share == pytest.approx(coverage_probability(number, 10, 50000), abs=0.03), 'five standard errors'
    uneven = tool('coverage', '--num-images', 1000, '--num-clusters', 2, '--draws', 500, '--sizes', 990, 10)
    assert 'n_l 20: 0.1' in uneven or 'n_l 20: 0.2' in uneven
    with pytest.raises(SystemExit):
        tool('coverage', '--num-images', 1000, '--num-clusters', 2, '--draws', 5, '--sizes', 990, 9)


def test_few_images(tool):
    text = tool('coverage', '--num-images', 12, '--num-clusters', 10, '--target', 1)
    assert set(advice(text)) == {10, 12} and advice(text)[12][0] == 1 and 'per_cluster' not in text


@pytest.mark.parametrize('arguments, problem', [
    (('--num-images', 5, '--num-clusters', 10), '5 images cannot hold 10 clusters'),
    (('--num-images', 5, '--num-clusters', 1), '--num-clusters must be at least 2, got 1'),
    (('--num-images', 50, '--num-clusters', 2, '--target', 1.2), r'a probability in \(0, 1\], got 1.2'),
    (('--num-images', 50, '--num-clusters', 2, '--num-labelled', 51), '51 images cannot be drawn from 50'),
    (('--num-clusters', 2), 'required: --num-images')])
def test_wrong_numbers(tool, capsys, arguments, problem):
    with pytest.raises(SystemExit):
        tool('coverage', *arguments)
    assert re.search(problem, capsys.readouterr().err)


# ---- figure

@pytest.fixture(scope='module')
def checkpoints(tmp_path_factory):
    """Checkpoint after the first epoch of a run, before a map of any use, and the last one."""
    folder = tmp_path_factory.mktemp('asd')
    train(asd_cfg(folder / 'work', write_digits(folder)))
    return folder / 'work'


def test_transitions_of_a_run(tool, checkpoints, tmp_path):
    path, out = checkpoints / 'epoch_4.pth', tmp_path / 'figure.png'
    text = tool('transitions', path, '--out', out)
    state = torch.load(path, weights_only=True)['state_dict']
    counts, class_map = state['labeller.counts'], state['labeller.class_map']
    lines = re.findall(r'cluster (\d): instance classes \[(.*)\]', text)
    assert {int(cluster): [int(one) for one in classes.split(', ')] for cluster, classes in lines} == \
        {c: (class_map == c).nonzero().flatten().tolist() for c in range(K)}
    share = float(inside_share(counts, class_map))
    assert f'{LABELLED} instance classes, {int(counts.sum())} transitions, {share:.2f} inside clusters' in text
    picture = np.asarray(Image.open(out).convert('RGB'))
    assert picture.shape[0] > 400 and picture.std() > 0
    for options in (('--norm', 'jaccard', '--directed'), ('--tsne',)):
        tool('transitions', path, '--out', out, *options)
        other = np.asarray(Image.open(out).convert('RGB'))
        assert not np.array_equal(other, picture) and other.std() > 0


def test_transitions_before_a_map(tool, checkpoints, tmp_path):
    form = torch.load(checkpoints / 'epoch_4.pth', weights_only=True)
    form['state_dict']['labeller.class_map'].fill_(-1)
    torch.save(form, tmp_path / 'early.pth')
    text = tool('transitions', tmp_path / 'early.pth', '--out', tmp_path / 'early.png')
    assert 'there was no map yet' in text and 'inside clusters' not in text and (tmp_path / 'early.png').exists()


def test_another_method_has_no_transitions(tool, tmp_path):
    torch.save(dict(state_dict={'head.fc.weight': torch.zeros(2, 2)}), tmp_path / 'other.pth')
    with pytest.raises(ValueError, match='holds no labeller.counts; take a checkpoint of a booster with ASDLabels'):
        tool('transitions', tmp_path / 'other.pth', '--out', tmp_path / 'x.png')
    with pytest.raises(FileNotFoundError, match='no checkpoint at'):
        tool('transitions', tmp_path / 'missing.pth', '--out', tmp_path / 'x.png')
