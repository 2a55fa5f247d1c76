"""The benchmark of masked transformers runs and compares what it says."""
import importlib
import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def measure(monkeypatch, capsys, engine):
    """Options of the benchmark -> what it prints."""
    monkeypatch.syspath_prepend(str(ROOT / 'tools' / 'benchmarks'))

    def run(*options):
        monkeypatch.setattr(sys, 'argv', ['masked_vit', *options])
        importlib.import_module('masked_vit').main()
        return capsys.readouterr().out

    yield run
    for name in ('masked_vit', 'multi_head', 'train_step'):
        sys.modules.pop(name, None)


def test_four_pairs(measure):
    text = measure(str(ROOT / 'configs' / 'pici_vit_digits.py'), '--batch', '10', '--rounds', '2')
    assert 'two views of 10 images, median of 2 rounds, processor time' in text
    pairs = re.findall(r'^(.+): (.+) \d+ ms, (.+) \d+ ms, ratio [\d.]+', text, re.M)
    assert pairs == [('encoder, forward and backward', '12 of 16 patches', 'all'),
                     ('training step', '12 of 16 patches', '14'), ('boosting step', 'no decoder', 'decoder run'),
                     ('prediction', 'no decoder', 'decoder run')]
    assert re.search(r'peak memory: host \d+ MB', text)
