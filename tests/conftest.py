"""Fixtures of the tests that build Runners. This folder is on the path, so that all tests can import ``reduced``."""
import pytest
import torch
from mmengine.registry import init_default_scope

import mmcluster  # noqa: F401

torch.set_num_threads(1)  # small tensors gain nothing from more, and equal runs need equal numbers of threads


@pytest.fixture
def engine():
    """Our default scope before a test; no logger, hub or visualiser is left after it."""
    from reduced import forget
    init_default_scope('mmcluster')
    yield
    forget()
