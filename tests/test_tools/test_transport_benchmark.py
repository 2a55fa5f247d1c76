"""The benchmark of ASD's solvers runs, and its sides agree."""
import importlib
import re
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / 'tools' / 'benchmarks'


@pytest.fixture
def transport(monkeypatch):
    monkeypatch.syspath_prepend(str(FOLDER))
    yield importlib.import_module('transport')
    for name in ('transport', 'multi_head', 'train_step'):
        sys.modules.pop(name, None)


def test_every_line_reaches_the_wanted_labels(transport, monkeypatch, capsys):
    monkeypatch.setattr(sys, 'argv', ['transport', '--classes', '24', '--clusters', '6', '--rounds', '1'])
    transport.main()
    text = capsys.readouterr().out
    errors = [float(value) for value in re.findall(r'sweeps, label error (\S+),', text)]
    assert len(errors) == 18 and max(errors) <= transport.LABEL_ERROR
    objectives = re.findall(r'objectives (\S+), (\S+), (\S+)', text)
    assert len(objectives) == 2
    for four, one, plain in objectives:
        assert one == plain and float(four) <= float(one)


@pytest.mark.parametrize('relax', [1., 1.8])
def test_the_fewest_sweeps_are_taken(transport, relax):
    problem = transport.solve(transport.make_cost(24, 6, 0.3), 'relative', 0.2, relax)
    exact = transport.sinkhorn(problem.cost, problem.reg, sweeps=40000, tol=1e-8).label
    fewer = transport.sinkhorn(problem.cost, problem.reg, sweeps=problem.sweeps - 10, relax=relax).label
    assert problem.error <= transport.LABEL_ERROR < float((fewer - exact).abs().max())
