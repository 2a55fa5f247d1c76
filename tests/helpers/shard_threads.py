"""Holders of rows as threads of one process: what processes exchange, without starting any."""
from __future__ import annotations

import threading
from typing import Any, Callable, Iterator, Sequence

import torch
from torch import Tensor

from mmcluster.functional.shards import Shards

WAIT = 60       # seconds


class Table:
    """Where the holders lay down what they exchange."""

    def __init__(self, count: int):
        self.parts: list = [None] * count
        self.barrier = threading.Barrier(count)
        self.floats = 0     # numbers that one holder laid down, all exchanges together


class ThreadShards(Shards):
    """:class:`Shards` of threads."""

    def __init__(self, rank: int, table: Table):
        self.rank = rank
        self.count = len(table.parts)
        self.table = table

    def _parts(self, x: Tensor) -> list[Tensor]:
        """What all laid down."""
        self.table.parts[self.rank] = x.clone()
        self.table.floats += x.numel() if self.rank == 0 else 0
        self.table.barrier.wait(WAIT)
        parts = list(self.table.parts)
        self.table.barrier.wait(WAIT)
        return parts

    def sum(self, x: Tensor) -> Tensor:
        """In the order of the holders."""
        return torch.stack(self._parts(x)).sum(0).to(x.dtype)

    def max(self, x: Tensor) -> Tensor:
        """Entry by entry."""
        return torch.stack(self._parts(x)).amax(0)

    def gather(self, x: Tensor) -> Tensor:
        """One behind the other."""
        return torch.cat(self._parts(x))

    def turns(self, x: Tensor) -> Iterator[tuple[int, Tensor]]:
        """As round a ring."""
        parts = self._parts(x)
        for turn in range(self.count):
            owner = (self.rank - turn) % self.count
            yield owner, parts[owner].clone()


def held(function: Callable[..., Any], rows: Sequence[Tensor], sizes: Sequence[int]) -> list:
    """Call ``function(*parts, shards)`` in one thread a holder; what it returned to each.

    Args:
        function: Gets the holder's parts of ``rows`` and its shards.
        rows: Tensors (N, ...).
        sizes: Rows of each holder.
    """
    table, found, errors = Table(len(sizes)), [None] * len(sizes), [None] * len(sizes)
    parts = list(zip(*[one.split(list(sizes)) for one in rows]))

    def work(rank: int) -> None:
        try:
            found[rank] = function(*parts[rank], ThreadShards(rank, table))
        except Exception as error:
            errors[rank] = error
            table.barrier.abort()

    threads = [threading.Thread(target=work, args=(rank,)) for rank in range(len(sizes))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for error in errors:
        if error is not None and not isinstance(error, threading.BrokenBarrierError):
            raise error
    assert errors == [None] * len(sizes), errors
    return found
