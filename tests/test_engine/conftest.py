"""Every test starts with our default scope and leaves no logger, hub or visualiser behind."""
import pytest
import torch
from mmengine.logging import MessageHub, MMLogger
from mmengine.registry import DefaultScope, init_default_scope
from mmengine.visualization import Visualizer

import mmcluster  # noqa: F401


@pytest.fixture(autouse=True)
def fresh_engine():
    torch.set_num_threads(1)
    init_default_scope('mmcluster')
    yield
    for manager in (MMLogger, MessageHub, Visualizer, DefaultScope):
        manager._instance_dict.clear()
