"""Fixtures of the tests that build Runners. This folder is on the path, so that all tests can import ``reduced``."""
import pytest
import torch
from mmengine.registry import init_default_scope

import mmcluster  # noqa: F401


@pytest.fixture
def engine():
    """Our default scope and one thread before a test; no logger, hub or visualiser is left after it."""
    from reduced import forget
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    init_default_scope('mmcluster')
    yield
    torch.set_num_threads(before)
    forget()
