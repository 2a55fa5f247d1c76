"""Fixtures of the tool tests."""
import importlib
import sys
from pathlib import Path

import pytest

TOOLS = Path(__file__).parents[2] / 'tools' / 'model_converters'


@pytest.fixture(scope='module')
def tools():
    """The converter modules, imported as the command line does."""
    sys.path.insert(0, str(TOOLS))
    names = ('propos_to_mmcluster', 'clusmatch_to_mmcluster', 'released', 'resnet_names')
    yield {name.split('_')[0]: importlib.import_module(name) for name in names}
    sys.path.remove(str(TOOLS))
    for name in names:
        sys.modules.pop(name)
