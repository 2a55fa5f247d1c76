"""What hundreds of tests repeat and none is about happens once a process: reading a shipped config, asking for versions.

And dumped configs are not laid out by yapf, which takes longer than most runs of the tests.
"""
from __future__ import annotations

import functools
import os
import pickle
from typing import Any

from mmengine.config import Config
from mmengine.config import config as config_module
from mmengine.runner import runner as runner_module
from reduced import CONFIGS

_read = Config._file2dict
_results: dict[tuple, bytes] = {}


def _read_once(filename: str, *args: Any, **kwargs: Any) -> tuple:
    """Read a config; a shipped one only if it, its arguments or the environment are new. The result may be changed."""
    if not os.path.realpath(filename).startswith(f'{CONFIGS}{os.sep}'):
        return _read(filename, *args, **kwargs)
    environment = frozenset(item for item in os.environ.items() if not item[0].startswith('PYTEST_'))
    key = os.path.abspath(filename), args, frozenset(kwargs.items()), environment
    if key not in _results:
        _results[key] = pickle.dumps(_read(filename, *args, **kwargs))
    return pickle.loads(_results[key])


def install() -> None:
    """Replace the functions for the rest of this process."""
    Config._file2dict = staticmethod(_read_once)
    config_module.FormatCode = lambda text, **options: (text, True)
    runner_module.collect_env = functools.lru_cache(runner_module.collect_env)
