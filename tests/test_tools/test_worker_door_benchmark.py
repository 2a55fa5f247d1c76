"""The benchmark of the worker door runs on the shipped views and reports what it says it reports."""
import importlib
import re
import sys
from pathlib import Path

import pytest
import torch
from PIL import Image

FOLDER = Path(__file__).parents[2] / 'tools' / 'benchmarks'


@pytest.fixture
def tool(monkeypatch, engine):
    monkeypatch.syspath_prepend(str(FOLDER))
    yield importlib.import_module('worker_door')
    sys.modules.pop('worker_door', None)


def test_it_measures_loader_step_and_both(tool, capsys, monkeypatch):
    monkeypatch.setattr(tool, 'DEPTH', 1)
    tool.main(['--images', '4', '--size', '40', '--batch', '2', '--steps', '2', '--threads', '1', '--format', 'tif'])
    text = capsys.readouterr().out
    rates = [float(value) for value in re.findall(r'([\d.]+) images/s with \d workers', text)]
    assert len(rates) == 3 and min(rates) > 0 and '4 tif images of 40 x 40, batch 2' in text
    wait, work, share, slower = map(float, re.search(
        r'waits ([\d.]+) s and works ([\d.]+) s: ([\d.]+) % of the time waiting, ([\d.]+) times', text).groups())
    assert share == pytest.approx(100 * wait / (wait + work), abs=5) and slower > 0
    assert re.search(r'second epoch: [\d.]+ s with persistent workers, [\d.]+ s with fresh ones', text)


def test_the_step_trains_on_the_visible_patches(tool, monkeypatch):
    monkeypatch.setattr(tool, 'DEPTH', 1)
    step, seen = tool.Step(), []
    step.encoder.register_forward_hook(lambda module, args, output: seen.append(output.shape))
    before = step.patches.weight.detach().clone()
    step([torch.randint(0, 256, (2, 3, 224, 224), dtype=torch.uint8) for _ in range(2)])
    assert seen == [(4, 98, 384)] and not torch.equal(before, step.patches.weight)


@pytest.mark.parametrize('suffix', ['jpg', 'tif', 'png'])
def test_images_of_two_classes(tool, tmp_path, suffix):
    tool.write_images(tmp_path, 5, 24, suffix)
    paths = sorted(tmp_path.rglob(f'*.{suffix}'))
    assert [path.parent.name for path in paths] == ['0', '0', '0', '1', '1']
    assert all(Image.open(path).size == (24, 24) for path in paths)
