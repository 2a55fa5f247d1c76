"""The benchmark of ASD's share runs, and its sides differ by ASD alone."""
import importlib
import re
import sys
from argparse import Namespace
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / 'tools' / 'benchmarks'
SMALL = ('--image', '8', '--labelled', '12', '--unlabelled', '16', '--rounds', '1', '--repeats', '1')


@pytest.fixture
def share(monkeypatch, engine):
    monkeypatch.syspath_prepend(str(FOLDER))
    yield importlib.import_module('asd_share')
    for name in ('asd_share', 'host_sync', 'train_step'):
        sys.modules.pop(name, None)


@pytest.mark.slow
def test_every_figure_is_printed(share, monkeypatch, capsys):
    monkeypatch.setattr(sys, 'argv', ['asd_share', *SMALL])
    monkeypatch.setattr(share, 'peak_of', lambda side: 7.)
    share.main()
    text = capsys.readouterr().out
    assert len(re.findall(r'without ASD [\d.]+ ms, with [\d.]+ ms, ASD [+-][\d.]+% \(target 5%\)', text)) == 2
    parts = re.findall(r'reference pass ([\d.]+) ms, [\d.]+%; rest ([\d.]+) ms, [\d.]+% \(target 2%\)', text)
    assert len(parts) == 2 and all(float(value) > 0 for pair in parts for value in pair)
    assert "host syncs a step: {'off': {}, 'on': {}}" in text


def test_sides_and_parts(share):
    args = Namespace(image=8, labelled=12, unlabelled=16, relax=1., dtype='float32')
    models = {}
    for side in share.SIDES:
        models[side], step = share.make_step(args, side)
        step()
    own = {name for name, _ in models['on'].named_parameters()} - {name for name, _ in models['off'].named_parameters()}
    assert own == {'labeller.head.weight', 'labeller.head.bias'}
    labeller = models['on'].labeller
    parts = share.added_parts(models['on'], step, 1000)
    before, calls = int(labeller.steps), []
    models['on'].labeller.head.register_forward_hook(lambda *_: calls.append(1))
    assert parts['reference']().anchor.shape == (12, 512) and not calls
    parts['rest']()
    assert int(labeller.steps) == before + 1 and len(calls) == 2
    assert labeller.head.weight.grad is not None and parts['map']().shape == (12,)
