"""Fixtures of the tool tests."""
import importlib
import sys
from pathlib import Path

import pytest
import torch

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
