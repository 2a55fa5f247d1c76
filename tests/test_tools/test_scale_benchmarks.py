"""The benchmarks of scale: a folder of many files in small, and what a step keeps for its backward pass."""
import importlib
import re
import sys
import time
from pathlib import Path

import pytest
import torch
from torch import nn
from torch._subclasses.fake_tensor import FakeTensorMode

from mmcluster.structures import Batch

FOLDER = Path(__file__).parents[2] / 'tools' / 'benchmarks'


@pytest.fixture
def tool(monkeypatch, engine):
    """name -> a benchmark."""
    monkeypatch.syspath_prepend(str(FOLDER))
    yield importlib.import_module
    for name in ('large_folder', 'step_memory'):
        sys.modules.pop(name, None)


def test_a_made_up_folder_is_opened_to_its_first_batch(tool, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv('MMCLUSTER_CACHE', str(tmp_path / 'cache'))
    large_folder = tool('large_folder')
    large_folder.make_tree(tmp_path / 'images', 12, 3)
    assert len(list((tmp_path / 'images').glob('*/*.JPEG'))) == 12
    large_folder.start(tmp_path / 'images', 2, 0, time.time())
    assert re.search(r'^12 paths, fingerprint \w{16}: .* s after the imports; a process has at most \d+ MiB',
                     capsys.readouterr().out)
    monkeypatch.setattr(large_folder, 'RECIPES', {'small': ('propos_cnn_digits.py', None)})
    large_folder.keep(5000)
    assert re.search(r'small: fields label torch.int64 \(5000,\), 0 MiB, saved and loaded', capsys.readouterr().out)


class Squared(nn.Module):
    """Keeps its input, and what it squares."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(10, 6)

    def loss(self, batch):
        out = self.layer(batch.views[0])
        return dict(loss=(out * out).sum() + (out * out).mean())


@pytest.mark.parametrize('autocast, expected', [(False, 4 * 32 * (10 + 6)), (True, 2 * 32 * (10 + 6))])
def test_what_is_kept_is_counted_once(tool, autocast, expected):
    """Input (32, 10) and output (32, 6), in the type in which autocast computes."""
    with FakeTensorMode():
        batch = Batch([torch.empty(32, 10)], torch.arange(32))
        kept = tool('step_memory').kept_bytes(Squared(), dict(batch=batch), autocast)
    assert expected <= kept <= expected + 16
