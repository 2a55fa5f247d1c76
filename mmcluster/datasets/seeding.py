"""Seeds that depend on what is asked for, never on who asks or when."""
from __future__ import annotations

import hashlib
import random
from contextlib import contextmanager
from typing import Iterator, Union

import numpy as np
import torch


def stable_hash(*parts: Union[int, str, bytes, memoryview]) -> int:
    """Hash the parts to 63 bits, equal in every process and on every machine.

    The length of each part enters the hash, so ``('ab', 'c')`` and ``('a', 'bc')`` differ.

    Args:
        parts: Whole numbers below 2**127 in size, texts, or contiguous bytes.

    Returns:
        A number in [0, 2**63).
    """
    digest = hashlib.blake2b(digest_size=8)
    for part in parts:
        if isinstance(part, str):
            part = part.encode('utf-8', 'surrogateescape')  # names of files need not be UTF-8
        elif isinstance(part, int):
            part = part.to_bytes(16, 'little', signed=True)
        size = part.nbytes if isinstance(part, memoryview) else len(part)
        digest.update(size.to_bytes(8, 'little'))
        digest.update(part)
    return int.from_bytes(digest.digest(), 'little') >> 1


def seed_view(draw: int, index: int, view: int) -> None:
    """Seed everything that a CPU transform draws from, for one view of one sample.

    Seeds Python's ``random``, numpy's global generator and torch's default CPU generator by a hash of the three
    numbers. ``torch.manual_seed`` would do the last too, but visits every accelerator and is about 70 times slower.

    Args:
        draw: See :class:`~mmcluster.structures.Key`.
        index: Data set index of the sample.
        view: Number of the view, from 0.
    """
    seed = stable_hash(draw, index, view)
    random.seed(seed)
    np.random.seed(seed & 0xFFFFFFFF)
    torch.default_generator.manual_seed(seed)


@contextmanager
def preserve_random_state() -> Iterator[None]:
    """Give Python's, numpy's and torch's CPU generators back as they were found, also after an error.

    Without it a loader without workers would leave the seed of the last sample to whatever the process draws next.
    """
    states = random.getstate(), np.random.get_state(), torch.default_generator.get_state()
    try:
        yield
    finally:
        random.setstate(states[0])
        np.random.set_state(states[1])
        torch.default_generator.set_state(states[2])


def make_draws(seed: int, first: int, count: int) -> list[int]:
    """Join the seed of a run with running row numbers: ``(seed << 32) | number``, always below 2**63.

    Args:
        seed: Seed of the run; its lowest 31 bits count.
        first: Running number of the first row, counted over all ranks; the lowest 32 bits count.
        count: Number of rows.

    Returns:
        The draws of ``count`` consecutive rows.
    """
    high = (seed % 2**31) << 32
    return [high | number % 2**32 for number in range(first, first + count)]
