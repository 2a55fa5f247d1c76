"""Run every parity vector below `tests/data/parity`, or below the folder that PARITY_DIR names, in both precisions."""
from __future__ import annotations

from importlib import import_module
from pathlib import Path

import pytest
import torch

from .registry import check_vector, find_vectors, parity_dir

# Adapters register themselves when their module is imported; a new `*_adapters.py` needs no other mention.
for module in sorted(Path(__file__).parent.glob('*_adapters.py')):
    import_module(f'.{module.stem}', __package__)

VECTORS = find_vectors(parity_dir())


def test_there_are_vectors() -> None:
    assert VECTORS, (f'no <method>/<component>_<case>.npz below {parity_dir().resolve()}; '
                     'PARITY_DIR must name a folder that holds some, or be unset')


@pytest.mark.parametrize('dtype', [torch.float64, torch.float32], ids=['float64', 'float32'])
@pytest.mark.parametrize('path', VECTORS, ids=[f'{path.parent.name}/{path.stem}' for path in VECTORS])
def test_vector(path: Path, dtype: torch.dtype) -> None:
    check_vector(path, dtype)
