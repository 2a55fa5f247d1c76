"""Several processes with a GPU each, rehearsed in one: fake tensors of ``cuda`` and a process group that sends nothing.

:class:`~mmcluster.models.shards.ProcessShards` runs as it is; what it receives are fake tensors, and how many rows the
others have is made up. Where code reads a value of the device, the read is noted and answered, so that it goes on.
"""
from __future__ import annotations

import sys
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Iterator
from unittest import mock

import torch
import torch.distributed as dist
import torch.distributed._tools.fake_collectives  # what an exchange returns of fake tensors
from fake_cuda import fake_cuda
from torch import Tensor
from torch._subclasses.fake_tensor import DataDependentOutputException, DynamicOutputShapeException
from torch.testing._internal.distributed.fake_pg import FakeStore
from torch.utils._python_dispatch import TorchDispatchMode

import mmcluster
from mmcluster.models.shards import ProcessShards

COUNT, RANK = 3, 1
PACKAGE = Path(mmcluster.__file__).parent
TRUE = {'_run', '_require_all', 'is_set', 'reliable_labels', 'stored_neighbors'}      # stands still, has come, is known
NUMBERS = {'compute_metrics': 5, 'reliable_labels': 5}      # of rows that are known, of rows that are reliable


class HostReads(TorchDispatchMode):
    """Notes which functions of the package read values of the device, and answers so that they go on.

    A number is mostly 0, and of rows that may be chosen all are, but those that are not finite.

    Attributes:
        seen: Names of the functions.
    """

    def __init__(self) -> None:
        super().__init__()
        self.seen: set[str] = set()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Run an operator; one that needs values gets some."""
        try:
            return func(*args, **(kwargs or {}))
        except (DataDependentOutputException, DynamicOutputShapeException):
            reader = _reader()
            if any(torch.is_tensor(value) and value.device.type == 'cuda' for value in args):
                self.seen.add(reader)
            return self._answer(func, func.name().split('.')[0], reader, *args, **(kwargs or {}))

    def _answer(self, func: Any, name: str, reader: str, x: Tensor, *args: Any, **kwargs: Any) -> Any:
        if name == 'aten::_local_scalar_dense':
            number = 0. if x.dtype.is_floating_point else NUMBERS.get(reader, 0)
            return reader in TRUE if x.dtype == torch.bool else number
        if name == 'aten::nonzero':
            return x.new_empty(0 if reader == 'bad_rows' else x.numel(), x.dim(), dtype=torch.long)
        if name == 'aten::bincount':
            return x.new_empty(kwargs.get('minlength', args[-1] if args else 1), dtype=torch.long)
        if name == 'aten::_unique2':
            return x.flatten(), torch.empty_like(x), x.new_empty(x.numel(), dtype=torch.long)
        if name == 'aten::index':
            places = [[mask] if mask is None or mask.dtype != torch.bool
                      else mask.new_empty(mask.dim(), mask.numel(), dtype=torch.long).unbind() for mask in args[0]]
            return func(x, [one for place in places for one in place])
        raise NotImplementedError(f'{name} in {reader}')


def _reader() -> str:
    """The innermost function of the package that runs, of which a comprehension is a part."""
    frame: Any = sys._getframe()
    while frame is not None:
        path = Path(frame.f_code.co_filename)
        if path.is_relative_to(PACKAGE) and not frame.f_code.co_name.startswith('<'):
            return frame.f_code.co_name
        frame = frame.f_back
    return '?'


def _sizes(self: ProcessShards, num_rows: int) -> list[int]:
    """Rows of every process, one more for each after this one: the host of each knows its own."""
    return [num_rows + max(other - self.rank, 0) for other in range(self.count)]


def _known(exchange: Any) -> Any:
    """An exchange whose values the host knows where it knew them before: those of equal processes."""

    def reduced(x: Tensor, how: Any) -> Tensor:
        found = exchange(x, how)
        assert found.device == x.device and found.shape == x.shape
        if x.device.type == 'cuda' or x.numel() > 1:
            return found
        return x * COUNT if how == dist.ReduceOp.SUM else x

    return reduced


def _matched(votes: Tensor) -> Tensor:
    """Stands in for ``hungarian``."""
    return torch.arange(len(votes))


def _compared(self: Any, truth: Tensor, cluster: Tensor, num_clusters: int) -> dict[str, float]:
    """Stands in for ``ClusteringMetric._compare``."""
    assert truth.device.type == cluster.device.type == 'cpu' and len(truth) == len(cluster)
    return {}


@contextmanager
def fake_processes() -> Iterator[HostReads]:
    """Inside, this is process :data:`RANK` of :data:`COUNT`, and tensors of ``cuda`` exist."""
    dist.init_process_group('fake', store=FakeStore(), rank=RANK, world_size=COUNT)
    try:
        with ExitStack() as stack:
            for name in ('models.shards.get_comm_device', 'evaluation.rows.get_device'):
                stack.enter_context(mock.patch(f'mmcluster.{name}', return_value=torch.device('cuda')))
            stack.enter_context(mock.patch('mmcluster.evaluation.rows.all_gather_object', lambda x: [x] * COUNT))
            # the host's own work: a table of clusters is matched, classes are numbered and compared
            stack.enter_context(mock.patch('mmcluster.functional.clustering.match.hungarian', _matched))
            stack.enter_context(mock.patch('mmcluster.evaluation.clustering.ClusteringMetric._compare', _compared))
            stack.enter_context(mock.patch.object(ProcessShards, 'sizes', _sizes))
            stack.enter_context(mock.patch.object(ProcessShards, '_reduced', staticmethod(_known(ProcessShards._reduced))))
            stack.enter_context(fake_cuda())
            yield stack.enter_context(HostReads())
    finally:
        dist.destroy_process_group()
