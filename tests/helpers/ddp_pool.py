"""A group of processes that is started once and runs many jobs."""
from __future__ import annotations

import datetime
import importlib
import os
import pickle
import traceback
from pathlib import Path
from typing import Any, Callable, Sequence

import torch
import torch.distributed as dist
from mmengine.dist import get_rank, get_world_size
from mmengine.registry import init_default_scope
from torch import Tensor

JOBS: dict[str, Callable[[Path], Any]] = {}


def job(function: Callable[[Path], Any]) -> Callable[[Path], Any]:
    """Register a job by the name of its function."""
    JOBS[function.__name__] = function
    return function


def work(rank: int, world_size: int, folder: Path, modules: Sequence[str]) -> None:
    """Run the jobs of some modules in one process of a group; each leaves a file with its result or its traceback."""
    for name in modules:
        importlib.import_module(name)
    torch.set_num_threads(1)
    os.environ['LOCAL_RANK'] = str(rank)
    dist.init_process_group('gloo', init_method=f'file://{folder}/rendezvous', rank=rank, world_size=world_size,
                            timeout=datetime.timedelta(seconds=60))
    for name, function in JOBS.items():
        (folder / f'{name}_{rank}.pkl').write_bytes(pickle.dumps(attempt(function, folder)))
    dist.barrier()
    dist.destroy_process_group()


def attempt(function: Callable[[Path], Any], folder: Path) -> tuple[bool, Any]:
    """Whether a job ended well, and its value or traceback."""
    init_default_scope('mmcluster')
    torch.manual_seed(get_rank())
    try:
        return True, function(folder)
    except Exception:
        return False, traceback.format_exc()


def mine(rows: Tensor) -> Tensor:
    """This process's share of global rows (M, ...), of which every process must have as many."""
    if len(rows) % get_world_size():
        raise ValueError(f'{get_world_size()} processes cannot share {len(rows)} rows')
    return rows.chunk(get_world_size())[get_rank()]


def random(*shape: int, seed: int = 0) -> Tensor:
    """Normal numbers, equal on all processes."""
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))
