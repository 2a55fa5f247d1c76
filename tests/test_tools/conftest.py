"""Fixtures of the tool tests."""
import importlib
import sys
from pathlib import Path

import matplotlib
import numpy as np
import pytest
import torch
from mmengine.registry import init_default_scope
from PIL import Image
from reduced import clusmatch_cfg, propos_cfg, spice_cfg, train, write_base, write_digits, write_recipe

matplotlib.use('Agg')
ANALYSES = Path(__file__).parents[2] / 'tools' / 'analysis_tools'
TOOLS = Path(__file__).parents[2] / 'tools' / 'model_converters'


@pytest.fixture(scope='module', autouse=True)
def one_thread():
    """Small networks on a busy machine: threads that wait for each other cost more than they bring."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope='module')
def tools():
    """The converter modules, imported as the command line does."""
    sys.path.insert(0, str(TOOLS))
    names = ('propos_to_mmcluster', 'clusmatch_to_mmcluster', 'spice_to_mmcluster', 'scan_to_mmcluster', 'dino_to_vit',
             'cc_to_mmcluster', 'gcc_to_mmcluster', 'pici_to_mmcluster', 'secu_to_mmcluster', 'released', 'resnet_names',
             'head_names', 'wide_names', 'vit_names')
    yield {name.split('_')[0]: importlib.import_module(name) for name in names}
    sys.path.remove(str(TOOLS))
    for name in names:
        sys.modules.pop(name)


@pytest.fixture(scope='package')
def runs(tmp_path_factory):
    """Config and work dir of a SPICE of three epochs, of a ClusMatch and of its base, all in one folder."""
    init_default_scope('mmcluster')
    folder = tmp_path_factory.mktemp('runs')
    data = write_digits(folder)
    base = write_base(folder / 'base.pth', data)
    stages = dict(spice=spice_cfg('', data, epochs=3), clusmatch=clusmatch_cfg('', data, base, epochs=1))
    recipe = write_recipe(folder, stages)
    train(recipe)
    propos_cfg('', data).dump(folder / 'propos.py')
    recipe.dump(folder / 'recipe.py')
    return folder


@pytest.fixture
def draw(monkeypatch, capsys, tmp_path):
    """(tool, its arguments) -> what it prints, the picture that it writes."""
    monkeypatch.syspath_prepend(str(ANALYSES))

    def run(name, *arguments):
        out = tmp_path / f'{name}.png'
        monkeypatch.setattr(sys, 'argv', [name, *map(str, arguments), '--out', str(out)])
        importlib.import_module(name).main()
        return capsys.readouterr().out, np.asarray(Image.open(out).convert('RGB'))

    yield run
    for name in ('analyse', 'checkpoints', 'curves', 'drawings', 'head_selection', 'opened', 'pictures', 'prototypes',
                 'reliability'):
        sys.modules.pop(name, None)
