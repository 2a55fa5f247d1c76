"""All randomness of a step is a function of seed, rank and iteration."""
from __future__ import annotations

import random
import zlib
from typing import Any

import numpy as np
import torch
from mmengine.dist import get_rank
from mmengine.hooks import Hook
from mmengine.runner import Runner

from mmcluster.registry import HOOKS


@HOOKS.register_module()
class SeedHook(Hook):
    """Reseeds the global generators before every epoch and iteration, so that a resumed run continues bit for bit.

    It runs before all other hooks and keeps no state.
    """

    priority = 0

    def before_train_epoch(self, runner: Runner) -> None:
        """Seed what happens between epochs."""
        reseed('epoch', runner.seed or 0, get_rank(), runner.epoch)

    def before_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None) -> None:
        """Seed the iteration."""
        reseed('iter', runner.seed or 0, get_rank(), runner.iter)


def reseed(*key: object) -> int:
    """Seed Python, numpy and torch, on the CPU and on the accelerator in use, from a key.

    ``torch.manual_seed`` would take ten times as long: it visits every back end.

    Args:
        key: Values whose text decides the seed.

    Returns:
        The 32-bit seed.
    """
    seed = zlib.crc32('/'.join(map(str, key)).encode())
    random.seed(seed)
    np.random.seed(seed)
    torch.default_generator.manual_seed(seed)
    if torch.cuda.is_initialized():
        torch.cuda.manual_seed(seed)
    if torch.backends.mps.is_available():
        torch.mps.manual_seed(seed)
    return seed
