"""The rows of a sweep over the processes of a run."""
from __future__ import annotations

from typing import Iterator

import torch
import torch.distributed as dist
from mmengine.dist import get_comm_device, get_rank, get_world_size
from torch import Tensor

from mmcluster.functional.shards import WHOLE, Shards


class ProcessShards(Shards):
    """:class:`Shards` whose holders are the processes of the default group. Tensors travel on the group's device."""

    def __init__(self) -> None:
        self.count = get_world_size()
        self.rank = get_rank()

    def sum(self, x: Tensor) -> Tensor:
        """Sum over the processes.

        Args:
            x: Any shape, equal for all.
        """
        return self._reduced(x, dist.ReduceOp.SUM)

    def max(self, x: Tensor) -> Tensor:
        """Largest value over the processes.

        Args:
            x: Any shape, equal for all.
        """
        return self._reduced(x, dist.ReduceOp.MAX)

    def gather(self, x: Tensor) -> Tensor:
        """Rows of all processes in order.

        Args:
            x: (n, ...), each process's own n.
        """
        sizes = self.sizes(len(x))
        padded = x.new_zeros(max(sizes), *x.shape[1:])
        padded[:len(x)] = x
        parts = self._gathered(padded)
        return torch.cat([part[:size] for part, size in zip(parts, sizes)]).to(x.device)

    def sizes(self, num_rows: int) -> list[int]:
        """Rows of every process.

        Args:
            num_rows: Those of this one.
        """
        return torch.stack(self._gathered(torch.tensor(num_rows))).tolist()

    def turns(self, x: Tensor) -> Iterator[tuple[int, Tensor]]:
        """Rows of one process after the other: they travel round the ring, the next ones while these are used.

        Args:
            x: (n, ...), each process's own n.
        """
        sizes, device = self.sizes(len(x)), get_comm_device()
        here, coming = x.to(device).contiguous(), None
        for turn in range(self.count):
            owner = (self.rank - turn) % self.count
            works = []
            if turn + 1 < self.count:
                coming = here.new_empty(sizes[owner - 1], *x.shape[1:])
                ends = (self.rank + 1) % self.count, (self.rank - 1) % self.count
                works = dist.batch_isend_irecv([dist.P2POp(dist.isend, here, ends[0]),
                                                dist.P2POp(dist.irecv, coming, ends[1])])
            yield owner, here.to(x.device)
            for work in works:
                work.wait()
            here = here if coming is None else coming

    @staticmethod
    def _reduced(x: Tensor, how: dist.ReduceOp.RedOpType) -> Tensor:
        value = x.detach().to(get_comm_device(), copy=True).contiguous()
        dist.all_reduce(value, how)
        return value.to(x.device)

    def _gathered(self, x: Tensor) -> list[Tensor]:
        """Tensors of one shape of all processes."""
        value = x.detach().to(get_comm_device()).contiguous()
        parts = [torch.empty_like(value) for _ in range(self.count)]
        dist.all_gather(parts, value)
        return parts


def process_shards() -> Shards:
    """The holders of the rows in this run."""
    return ProcessShards() if get_world_size() > 1 else WHOLE
