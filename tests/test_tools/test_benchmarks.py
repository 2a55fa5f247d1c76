"""The benchmarks of SPICE run, and count what they say they count."""
import importlib
import re
import sys
from pathlib import Path

import pytest
import torch

from mmcluster.recipes.stages import read_stage
from mmcluster.registry import MODELS

FOLDER = Path(__file__).parents[2] / 'tools' / 'benchmarks'
NAMES = ('folder', 'multi_head', 'spice_cache', 'sampler', 'train_step', 'base_steps', 'host_sync', 'plain_propos')


@pytest.fixture
def measure(monkeypatch, capsys, engine):
    """(name of a benchmark, its options) -> what it prints."""
    monkeypatch.syspath_prepend(str(FOLDER))

    def run(name, *options):
        monkeypatch.setattr(sys, 'argv', [name, *options])
        importlib.import_module(name).main()
        return capsys.readouterr().out

    yield run
    for name in NAMES:
        sys.modules.pop(name, None)


def test_what_the_folder_command_is_measured_against_imports_what_exists(monkeypatch):
    monkeypatch.syspath_prepend(str(FOLDER))
    lines = importlib.import_module('folder').PLAIN.splitlines()
    exec('\n'.join(line for line in lines if line.startswith(('import ', 'from '))), {})


@pytest.mark.parametrize('repeat', ['1', '3'])
def test_heads_do_not_change_the_passes_of_an_estep(measure, repeat):
    text = measure('multi_head', '--rows', '60', '--dim', '8', '--clusters', '3', '--heads', '4', '--batch', '20',
                   '--rounds', '2', '--threads', '1', '--repeat', repeat)
    assert re.findall(r'(\d+) heads: +[\d.]+ ms an iteration; (\d+) images pass the backbone, (\S+) M', text) == [
        ('1', '120', '2'), ('4', '120', '2')]
    assert re.search(r'4 heads take [\d.]+ of 4 times one head', text)


def test_a_cached_estep_passes_every_image_twice(measure):
    text = measure('spice_cache', '--rows', '6', '--clusters', '3', '--heads', '2', '--batch', '3', '--repeat', '2',
                   '--size', '8', '--rounds', '1', '--threads', '1')
    cached, again = map(int, re.findall(r'(\d+) images pass', text))
    assert cached == 2 * 6 and again == 6 + 2 * 2 * 6, 'two walks of two heads over the pairs of one label a row'
    assert 'ratio of passes 2.5' in text


@pytest.mark.parametrize('order', ['permute', 'replace'])
def test_the_sampler_starts_at_once_and_holds_no_lists(measure, order):
    text = measure('sampler', '--iterations', '200', '--order', order)
    seconds = [float(value) for value in re.findall(r' (\d\.\d{4}) s', text)]
    assert len(seconds) == 3 and max(seconds) < 1
    assert all(float(value) < 512 for value in re.findall(r'([\d.]+) KiB', text))


@pytest.fixture
def propos():
    """ProPos with ResNet-18, and the plain loop with its weights."""
    plain = importlib.import_module('plain_propos').PlainProPos()
    cfg = read_stage(str(FOLDER.parents[1] / 'configs' / 'propos_r18_cifar10.py'), None)
    model = MODELS.build(dict(cfg.model, bank=dict(num_samples=6), psl_weight=0.1, sigma=0.))
    for network, weights in ((plain.online, {**model.backbone.state_dict(), **named(model.neck, 'fc.')}),
                             (plain.predictor, named(model.predictor, ''))):
        network.load_state_dict(weights)
    plain.momentum.load_state_dict(plain.online.state_dict())
    return model, plain


def named(projector, prefix):
    """Weights of a projector under the names of a sequence."""
    places = dict(fc1='0', bn='1', fc2='3')
    return {prefix + places[key.split('.')[0]] + key[key.index('.'):]: value
            for key, value in projector.state_dict().items()}


def test_the_plain_loop_is_propos(measure, propos, monkeypatch):
    model, plain = propos
    monkeypatch.setattr(importlib.import_module('plain_propos'), 'SIGMA', 0.)
    images, label = [torch.randint(256, (6, 3, 32, 32), dtype=torch.uint8) for _ in range(2)], torch.arange(6) // 2 * 3
    model.bank.fill(label=label)
    views = [(image.float() - plain.mean) / plain.std for image in images]
    z, k = model.online(views), model.target(views)
    ours = sum(value for key, value in model.losses(z, k, torch.arange(6)).items() if key.startswith('loss'))
    torch.testing.assert_close(plain.loss(views, label), ours)
    before = [weight.clone() for weight in plain.online.parameters()]
    for weight in plain.momentum.parameters():
        weight.zero_()
    plain.step(images, label)
    share = 1 - importlib.import_module('plain_propos').DECAY
    for slow, old, now in zip(plain.momentum.parameters(), before, plain.online.parameters()):
        torch.testing.assert_close(slow, share * old)       # the momentum network moves before the optimiser
        assert not torch.equal(now, old)


def test_a_plain_loop_is_what_the_step_is_measured_against(measure, capsys):
    text = measure('train_step', '--what', 'loop', '--batch', '2', '--repeats', '1', '--steps', '1', '--threads', '1')
    assert re.search(r'processor time +median ms a step: plain loop \d+, mmcluster in float32 \d+, ratio', text)
    with pytest.raises(SystemExit):
        measure('train_step', '--what', 'loop', '--views')
    assert 'leave CONFIG, --stage and --views out' in capsys.readouterr().err


def test_steps_of_bases_are_compared_in_one_run(measure):
    text = measure('base_steps', '--rounds', '1', '--steps', '1', '--bases', 'gcc')
    rows = {line.split(' | ')[0]: line.split(' | ')[2] for line in text.splitlines() if ' | ' in line}
    assert rows['| propos'] == '1.00' and float(rows['| gcc']) > 0
