"""Ablation tables: what a row trains, what it refuses, what is printed."""
import importlib
import json
import sys
from pathlib import Path

import numpy as np
import pytest
from mmengine.config import Config
from reduced import ROOT, write_digits
from reduced_asd import asd_cfg
from sklearn.datasets import load_digits

from mmcluster.datasets import ArraySource, DigitsSource, IndexedDataset
from mmcluster.recipes.stages import read_stage
from mmcluster.registry import HOOKS, MODELS

pytestmark = pytest.mark.usefixtures('engine')
TOOLS = Path(__file__).parents[2] / 'tools'
TABLES = sorted((TOOLS / 'ablations').glob('*.py'))


@pytest.fixture
def ablation(monkeypatch):
    monkeypatch.syspath_prepend(str(TOOLS / 'analysis_tools'))
    yield importlib.import_module('ablation')
    for name in ('ablation', 'opened', 'pixels'):
        sys.modules.pop(name, None)


@pytest.fixture
def config(tmp_path):
    cfg = asd_cfg('', write_digits(tmp_path / 'data'), epochs=1)
    cfg.pop('work_dir')
    cfg.dump(tmp_path / 'asd.py')
    return str(tmp_path / 'asd.py')


def test_a_row_is_trained_once_and_read_afterwards(ablation, config, tmp_path):
    row, folder = dict(options={'model.labeller.window': 3}), tmp_path / 'run'
    first = ablation.train(config, row, 1, str(folder))
    summary = json.loads((folder / 'summary.json').read_text())
    assert summary['seed'] == 1 and summary['metrics'] == first and first['kmeans/acc'] > 0
    assert len(list(folder.glob('epoch_1.pth'))) == 1
    (folder / 'epoch_1.pth').unlink()
    assert ablation.train(config, row, 1, str(folder)) == first and not list(folder.glob('epoch_1.pth'))


def test_a_folder_of_other_options_is_refused(ablation, config, tmp_path):
    ablation.train(config, dict(control='pixels'), 0, str(tmp_path / 'run'))
    with pytest.raises(ValueError, match='other options'):
        ablation.train(config, dict(control='untrained'), 0, str(tmp_path / 'run'))
    with pytest.raises(ValueError, match='control must be one of'):
        ablation.train(config, dict(control='pixel'), 0, str(tmp_path / 'other'))


def test_controls_know_neither_training_nor_each_other(ablation, config, tmp_path):
    pixels, untrained = [[ablation.control(config, kind, seed)['head/acc'] for seed in (0, 0, 1)]
                         for kind in ablation.CONTROLS]
    assert pixels[0] == pixels[1] > 0.6             # four digits by their pixels
    assert untrained[0] == untrained[1] and untrained != pixels


def test_raw_pixels_have_the_range_of_their_publisher(ablation, tmp_path):
    pixels = importlib.import_module('pixels')
    assert np.array_equal(pixels.raw_pixels(IndexedDataset(DigitsSource())), load_digits().data)
    data = write_digits(tmp_path)
    found = pixels.raw_pixels(IndexedDataset(ArraySource(**data)))
    assert found.dtype == np.float64 and np.array_equal(found.reshape(-1, 8, 8), np.load(data['array']))


def test_the_quickstart_has_the_same_control(ablation, monkeypatch, tmp_path, capsys):
    monkeypatch.syspath_prepend(str(TOOLS))
    quickstart = importlib.import_module('quickstart')
    monkeypatch.setattr(quickstart, 'run', lambda cfg, overwrite: None)
    monkeypatch.setattr(quickstart, 'stage_metrics', lambda work_dir, stage: ())
    monkeypatch.setattr(quickstart, 'leave_page', lambda work_dir, stage, seed: 'report.html')
    monkeypatch.setattr(sys, 'argv', ['quickstart.py', '--work-dir', str(tmp_path), '--seed', '1'])
    quickstart.main()
    assert capsys.readouterr().out.splitlines()[-1].endswith('report.html')
    found = json.loads((tmp_path / 'summary.json').read_text())['metrics']['raw pixels, k-means']
    control = ablation.control(str(ROOT / 'configs' / 'asd_ps_freematch_cnn_digits.py'), 'pixels', 1)
    assert found == {name: control[f'head/{name}'] for name in quickstart.NAMES}
    for name in ('quickstart', 'analysis_tools.pixels', 'analysis_tools'):
        sys.modules.pop(name, None)


def test_the_table_reports_mean_and_deviation(ablation):
    text = ablation.table('x', ['head/acc', 'head/nmi'], dict(row=[{'head/acc': 0.5, 'head/nmi': 0.25},
                                                                 {'head/acc': 0.7, 'head/nmi': 0.25}]))
    assert text.splitlines()[0] == '| x | ACC | NMI | ACC of each seed |'
    assert text.splitlines()[2] == '| row | 0.600 ± 0.141 | 0.250 ± 0.000 | 0.500, 0.700 |'


@pytest.mark.parametrize('path', TABLES, ids=lambda path: path.stem)
def test_every_row_of_a_table_can_be_built(ablation, path):
    spec = Config.fromfile(path, lazy_import=False)
    for name, row in spec.rows.items():
        options = ablation.of_stage(row.get('options', {}), spec.get('stage'))
        cfg = read_stage(path.parent / row.get('config', spec.config), spec.get('stage'), options)
        plain = read_stage(path.parent / row.get('config', spec.config), spec.get('stage'))
        elsewhere = all(key.startswith('stages.') for key in row.get('options', {}))
        assert (plain.to_dict() == cfg.to_dict()) <= elsewhere, f'{name} changes nothing'
        cfg.model.bank.num_samples = 10
        MODELS.build(cfg.model)
        assert None not in [HOOKS.build(hook) for hook in cfg.get('custom_hooks', ())]
        assert row.get('control') in (None, *ablation.CONTROLS)
