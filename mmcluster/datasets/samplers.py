"""Samplers that yield whole lists of keys: several streams for training, one sweep for evaluation and E-steps."""
from __future__ import annotations

import math
from itertools import repeat
from typing import Any, Iterator, Mapping, Optional, Sized, Union

import numpy as np
from mmengine.dist import get_rank, get_world_size, sync_random_seed
from torch import Tensor
from torch.utils.data import Sampler

from mmcluster.checks import require_count
from mmcluster.registry import DATA_SAMPLERS
from mmcluster.structures import TEST_STREAM, Key

from .seeding import make_draws
from .streams import Stream

_FIELDS = ('size', 'pool', 'order', 'of', 'balance', 'split', 'exclude', 'entries', 'begin', 'oracle_missing')


@DATA_SAMPLERS.register_module()
class StreamSampler(Sampler):
    """Yields per step one list of keys, this rank's contiguous slice of every stream.

    What is drawn at a step is a function of (seed, stream name, pool, step), where steps count from the beginning of
    the run: a resumed run, another number of ranks or of workers sees the same rows with the same ``draw`` numbers.

    Args:
        dataset: The data set (N rows).
        streams: Stream name -> dict(size, pool='all', order='permute', of=None, balance=None, split=None,
            exclude=None, entries=None, begin=0), see :class:`~mmcluster.datasets.streams.Stream`. Sizes count the rows
            of all ranks and must be multiples of their number. ``split`` names splits of the data set, such as
            ``'train+test'``; ``of`` and ``exclude`` are names of streams.
        length: Steps per epoch. None: as many full chunks of the first stream as the data set has.
        seed: Seed of the run; None: one that all ranks agree on.
        rank: Number of this process; None: ask mmengine.
        world_size: Number of processes; None: ask mmengine.
        micro_batches: Lists of keys in which the rows of one step are yielded, for steps too large to load at once (an
            ``InnerStepLoop`` collects them). Which rows a step has, and their ``draw``, does not depend on it.
        sequential: An epoch walks through all full chunks of the first stream, then through those of the next one; a
            step has rows of one stream only. ``length`` follows from the pools, which must be known from the start.

    Attributes:
        streams: Stream name -> :class:`~mmcluster.datasets.streams.Stream`. Hooks find in ``stream.pool`` and
            ``stream.balance`` which bank fields they have to publish.

    Edge cases:
        With ``order='permute'`` nothing repeats inside a chunk: the ragged end of each permutation is dropped. A pool
        smaller than the chunk is repeated by whole permutations.
    """

    def __init__(self, dataset: Sized, streams: Mapping[str, Mapping[str, Any]], length: Optional[int] = None,
                 seed: Optional[int] = 0, rank: Optional[int] = None, world_size: Optional[int] = None,
                 micro_batches: int = 1, sequential: bool = False) -> None:
        require_count('StreamSampler', length=length, micro_batches=micro_batches)
        self.rank = get_rank() if rank is None else rank
        self.world_size = get_world_size() if world_size is None else world_size
        self.seed = sync_random_seed() if seed is None else seed
        self.micro_batches, self.sequential, self.epoch = micro_batches, sequential, 0
        self.streams: dict[str, Stream] = {}
        for name, fields in streams.items():
            self.streams[name] = self._make_stream(name, dict(fields), dataset)
        for name, fields in streams.items():
            if fields.get('exclude') is not None:
                self._exclude(name, fields['exclude'])
        begins = [stream.begin for stream in self.streams.values()]
        if not begins or min(begins) or (sequential and max(begins)):
            raise ValueError('name at least one stream that is there from epoch 0 on, for instance '
                             'streams=dict(batch=dict(size=256)); with sequential=True all must be')
        if sequential and length is not None:
            raise ValueError('with sequential=True an epoch is one walk through all streams: leave `length` out')
        self.turns = [self._full_chunks(name) for name in self.streams] if sequential else []
        if length is None:
            length = sum(self.turns) if sequential else self._full_chunks(next(iter(self.streams)))
        self.length = length
        if self.length < 1:
            raise ValueError(f'length must be at least 1, got {length}')

    def _make_stream(self, name: str, fields: dict[str, Any], dataset: Sized) -> Stream:
        """Build one stream from its config."""
        if set(fields) - set(_FIELDS):
            raise TypeError(f'stream {name!r}: fields are {list(_FIELDS)}, got {list(fields)}')
        fields.pop('exclude', None)
        if fields.get('of') is not None:
            if fields['of'] not in self.streams:
                raise ValueError(f"stream {name!r} follows {fields['of']!r}, which is not a stream named before it")
            fields['of'] = self.streams[fields['of']]
        if fields.get('split') is not None:
            if fields.get('pool', 'all') != 'all':
                raise ValueError(f'stream {name!r}: `split` confines all rows, and `pool` names a bank field; drop one')
            if not hasattr(dataset, 'split_rows'):
                raise TypeError(f'stream {name!r}: `split` needs an IndexedDataset, got {type(dataset).__name__}')
            fields['split'] = dataset.split_rows(fields['split'])
        stream = Stream(name, len(dataset), self.seed, labels=getattr(dataset, 'labels', None), **fields)
        if isinstance(fields.get('size'), int):
            self._share(name, fields['size'])
        return stream

    def _exclude(self, name: str, other: str) -> None:
        """Keep the rows of one stream out of another's."""
        if self.sequential or not isinstance(other, str):
            raise ValueError(f'stream {name!r}: `exclude` is the name of another stream of the same step, got '
                             f'{other!r}; with sequential=True a step has rows of one stream only')
        self.streams[name].set_exclude(self._stream(other))

    def _share(self, name: str, size: int) -> int:
        """Rows per rank of ``size`` rows."""
        if size % self.world_size:
            raise ValueError(f'stream {name!r}: {size} rows per step cannot be shared equally by {self.world_size} '
                             f'processes. Sizes count the rows of all of them: take a multiple of {self.world_size}.')
        if size // self.world_size < self.micro_batches:
            raise ValueError(f'stream {name!r}: {size // self.world_size} rows per process and step cannot be yielded '
                             f'in {self.micro_batches} micro-batches; lower `micro_batches`')
        return size // self.world_size

    def _full_chunks(self, name: str) -> int:
        """Number of full chunks of a stream in its pool."""
        stream = self.streams[name]
        if stream.pool != 'all':
            advice = 'sequential=True needs known pools' if self.sequential else 'give `length`, the steps an epoch'
            raise ValueError(f'stream {name!r} draws from the bank field {stream.pool!r} of unknown size: {advice}')
        rows = len(stream.rows)
        if rows < stream.size:
            fits = max(rows // 2 // self.world_size, 1) * self.world_size    # two steps an epoch
            raise ValueError(f'batch larger than data set: N={rows}, size={stream.size} of stream {name!r}; lower it: '
                             f'[stages.STAGE.options.]train_dataloader.sampler.streams.{name}.size={fits}')
        return rows // stream.size

    def set_epoch(self, epoch: int) -> None:
        """Go to the first step of an epoch (counted from 0)."""
        self.epoch = epoch

    def set_pool(self, name: str, rows: Union[Tensor, np.ndarray]) -> None:
        """Publish the rows that a stream may draw from; to be called between epochs only, equally on all ranks.

        Args:
            name: A stream whose pool is a bank field.
            rows: (n,) distinct row numbers; or, for a stream with ``of``, (N, m) row numbers for each row of the data
                set, of which negative ones are never drawn.

        Edge cases:
            An empty pool is an error, and so is (while drawing) a row of ``of`` that has no entry.
        """
        self._stream(name).set_rows(rows)

    def set_weights(self, name: str, weights: Union[Tensor, np.ndarray]) -> None:
        """Publish how often rows are drawn with replacement; without a call they are drawn equally often.

        Args:
            name: A stream with ``order='replace'``.
            weights: (N,) for the rows of the data set, not negative; only their ratios inside the pool matter.
        """
        self._stream(name).set_weights(weights)

    def chunk(self, name: str, step: int) -> Tensor:
        """Rows of one stream at one step, over all ranks.

        Args:
            name: The stream.
            step: Step of the run, ``epoch * length + position in the epoch``; with ``sequential`` the steps in which
                the stream has its turn are counted.

        Returns:
            (size,) long.
        """
        return self._stream(name).chunk(step)

    def _stream(self, name: str) -> Stream:
        """Look a stream up."""
        if name not in self.streams:
            raise KeyError(f'there is no stream {name!r}; streams are {list(self.streams)}')
        return self.streams[name]

    def _plan(self, step: int) -> tuple[int, list[tuple[Stream, int]]]:
        """Rows drawn before a step of the run, and the streams that it draws from with the steps of their own."""
        streams = list(self.streams.values())
        if not self.sequential:
            return step * sum(stream.size for stream in streams), [(stream, step) for stream in streams]
        epoch, place = divmod(step, self.length)
        first = epoch * sum(turns * stream.size for stream, turns in zip(streams, self.turns))
        for stream, turns in zip(streams, self.turns):
            if place < turns:
                break
            place -= turns
            first += turns * stream.size
        return first + place * stream.size, [(stream, epoch * turns + place)]

    def __iter__(self) -> Iterator[list[Key]]:
        """Yield the keys of this rank, step by step through the current epoch."""
        for step in range(self.epoch * self.length, (self.epoch + 1) * self.length):
            first, drawn = self._plan(step)
            lists: list[list[Key]] = [[] for _ in range(self.micro_batches)]
            for stream, own_step in drawn:
                share = self._share(stream.name, stream.size)
                start = self.rank * share
                rows = stream.chunk(own_step)[start:start + share].tolist() if self.epoch >= stream.begin else []
                keys = list(map(Key, rows, repeat(stream.name), make_draws(self.seed, first + start, share)))
                for i, part in enumerate(lists):
                    part += keys[share * i // self.micro_batches:share * (i + 1) // self.micro_batches]
                first += stream.size
            yield from lists

    def __len__(self) -> int:
        """Lists of keys per epoch."""
        return self.length * self.micro_batches


@DATA_SAMPLERS.register_module()
class SweepSampler(Sampler):
    """Visits every row exactly once, in order; ranks take contiguous shards.

    Args:
        dataset: The data set (N rows).
        batch_size: Rows per list of keys on each rank; the last list may be shorter.
        stream: Stream of the keys. ``'test'`` asks for the evaluation view, any other name for training views.
        seed: Seed of the run; None: one that all ranks agree on.
        rank: Number of this process; None: ask mmengine.
        world_size: Number of processes; None: ask mmengine.

    Edge cases:
        With more ranks than rows some ranks yield nothing. Training views differ from epoch to epoch
        (:meth:`set_epoch`), evaluation views do not.
    """

    def __init__(self, dataset: Sized, batch_size: int, stream: str = TEST_STREAM, seed: Optional[int] = 0,
                 rank: Optional[int] = None, world_size: Optional[int] = None) -> None:
        require_count('SweepSampler', batch_size=batch_size)
        rank = get_rank() if rank is None else rank
        world_size = get_world_size() if world_size is None else world_size
        self.num_rows, self.batch_size, self.stream = len(dataset), batch_size, stream
        self.seed = sync_random_seed() if seed is None else seed
        self.start, self.stop = self.num_rows * rank // world_size, self.num_rows * (rank + 1) // world_size
        self.epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch, on which training views depend."""
        self.epoch = epoch

    def __iter__(self) -> Iterator[list[Key]]:
        """Yield this rank's keys, ``batch_size`` at a time."""
        offset = 0 if self.stream == TEST_STREAM else self.epoch * self.num_rows
        for start in range(self.start, self.stop, self.batch_size):
            rows = range(start, min(start + self.batch_size, self.stop))
            yield list(map(Key, rows, repeat(self.stream), make_draws(self.seed, offset + start, len(rows))))

    def __len__(self) -> int:
        """Number of lists that this rank yields."""
        return math.ceil((self.stop - self.start) / self.batch_size)
