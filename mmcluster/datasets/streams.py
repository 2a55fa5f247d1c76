"""One stream of a training sampler: what it may draw, and what it draws at a step."""
from __future__ import annotations

import math
from typing import Optional, Union

import numpy as np
import torch
from torch import Tensor

from mmcluster.checks import require_count

from .seeding import stable_hash

_ORDERS = ('permute', 'replace', 'fixed')
_NOTHING = (-1, torch.empty(0))     # step of what is cached, and that


class Stream:
    """Draws chunks of rows; a chunk is a function of (seed, name, pool, weights, step) alone.

    Args:
        name: Name of the stream.
        num_rows: Rows of the data set, N.
        seed: Seed of the run.
        size: Rows per step over all ranks, or ``'all'``: the whole pool. Streams with ``of`` take the size of that one.
        pool: ``'all'`` rows of the data set, or the name of a bank field whose rows a hook publishes.
        order: ``'permute'``: consecutive chunks of seeded permutations; ``'replace'``: with replacement, by weight;
            ``'fixed'``: cyclic, in the order of the pool.
        of: An earlier stream: each of its rows draws one entry of its own row of the pool (N, m).
        balance: Name of the bank field from which a hook publishes weights (``order='replace'`` only).
        split: (n,) rows to which the stream is confined; only with ``pool='all'``, which then means all of them.
        entries: With ``of``: the first so many entries of the row, in their order, instead of one at random.
        begin: First epoch in which the stream has rows. Its place in the numbers of drawn rows is kept free before.
        oracle_missing: Classes that are missing at a step, drawn anew at each: others of the pool take the places of
            their rows (ASD Fig. 5). It reads ground truth, for a figure.
        labels: (N,) ground truth for it.

    Attributes:
        exclude: A stream whose rows at a step this one has not: others of the pool take their places.
    """

    def __init__(self, name: str, num_rows: int, seed: int, size: Union[int, str, None] = None, pool: str = 'all',
                 order: str = 'permute', of: Optional[Stream] = None, balance: Optional[str] = None,
                 split: Optional[Tensor] = None, entries: Optional[int] = None, begin: int = 0,
                 oracle_missing: int = 0, labels: Optional[np.ndarray] = None) -> None:
        require_count(f'stream {name!r}', entries=entries)
        require_count(f'stream {name!r}', least=0, begin=begin, oracle_missing=oracle_missing)
        self.name, self.num_rows, self.seed, self.of = name, num_rows, seed, of
        self.entries, self.begin, self.missing = entries, begin, oracle_missing
        self._labels = torch.from_numpy(labels) if oracle_missing and labels is not None else None
        self.pool, self.order, self.balance = pool, order, balance
        self._given_size = size
        everything = torch.arange(num_rows) if split is None else split
        self._rows: Optional[Tensor] = everything if pool == 'all' else None
        self._weights: Optional[Tensor] = None
        self._cached: tuple[int, Tensor] = _NOTHING
        self.exclude: Optional[Stream] = None
        self._check()

    def _check(self) -> None:
        """Refuse what cannot work."""
        if self.order not in _ORDERS:
            raise ValueError(f'stream {self.name!r}: order must be one of {list(_ORDERS)}, got {self.order!r}')
        if self.balance is not None and self.order != 'replace':
            raise ValueError(f"stream {self.name!r}: `balance` needs order='replace'")
        size = self._given_size
        if self._rows is not None and not len(self._rows):
            raise ValueError(f'stream {self.name!r}: the data set has no row of its split')
        if self.of is not None:
            if self.pool == 'all' or self.order != 'permute' or size not in (None, self.of._given_size):
                raise ValueError(f'stream {self.name!r} follows {self.of.name!r}: it takes that size and order, and '
                                 'its pool must be a bank field with m entries per row')
        elif self.entries is not None:
            raise ValueError(f'stream {self.name!r}: `entries` are those of a row that another stream drew; name that '
                             'one as `of`')
        elif size != 'all' and (not isinstance(size, int) or size < 1):
            raise ValueError(f"stream {self.name!r}: size must be a positive number of rows or 'all', got {size!r}")

    @property
    def size(self) -> int:
        """Rows per step, over all ranks."""
        if self.of is not None:
            return self.of.size * (self.entries or 1)
        return self._given_size if isinstance(self._given_size, int) else len(self.rows)

    @property
    def rows(self) -> Tensor:
        """The pool: (n,) long; (N, m) for a stream that follows another."""
        if self._rows is None:
            raise self._unpublished(self.pool, 'rows')
        return self._rows

    def set_rows(self, rows: Union[Tensor, np.ndarray]) -> None:
        """Replace the pool; see :meth:`StreamSampler.set_pool`.

        Args:
            rows: (n,) or (N, m) row numbers.
        """
        rows = torch.as_tensor(rows).detach().to('cpu', torch.long, copy=True)
        if self.pool == 'all':
            raise ValueError(f'stream {self.name!r} draws from all rows; name a bank field as its pool to publish one')
        follows = self.of is not None
        if rows.ndim != 1 + follows or (follows and len(rows) != self.num_rows):
            wanted = f'({self.num_rows}, m)' if follows else '(n,)'
            raise ValueError(f'the pool of stream {self.name!r} must have shape {wanted}, got {tuple(rows.shape)}')
        if rows.numel() == 0 or int(rows.max()) < 0:
            raise ValueError(f'the pool of stream {self.name!r} is empty: no hook has filled the bank field '
                             f'{self.pool!r}, or the one that does chose no row. Give custom_hooks one, such as a '
                             f'SelectHook, or with labels of your own a GroundTruthHook, for target, and let it begin '
                             f'no later than the stream; or loosen its selection')
        if int(rows.max()) >= self.num_rows or (not follows and int(rows.min()) < 0):
            raise ValueError(f'the pool of stream {self.name!r} names rows {int(rows.min())}..{int(rows.max())} of a '
                             f'data set of {self.num_rows}')
        if not follows and len(torch.unique(rows)) != len(rows):
            raise ValueError(f'the pool of stream {self.name!r} names a row more than once')
        self._rows, self._cached = rows, _NOTHING

    def set_weights(self, weights: Union[Tensor, np.ndarray]) -> None:
        """Replace the weights; see :meth:`StreamSampler.set_weights`.

        Args:
            weights: (N,) for the rows of the data set.
        """
        if self.order != 'replace':
            raise ValueError(f"stream {self.name!r} does not draw by weight; set order='replace'")
        weights = torch.as_tensor(weights).detach().to('cpu', torch.float64, copy=True)
        if weights.shape != (self.num_rows,) or not bool((weights >= 0).all() and weights.isfinite().all()):
            raise ValueError(f'the weights of stream {self.name!r} must be {self.num_rows} finite numbers >= 0')
        self._weights, self._cached = weights, _NOTHING

    def chunk(self, step: int) -> Tensor:
        """Rows at one step of the run, over all ranks.

        Args:
            step: Step, counted from the beginning of the run.

        Returns:
            (size,) long.
        """
        if self.of is not None:
            return self._follow(self.of.chunk(step), step)
        if self.order == 'fixed':
            return self.rows[(step * self.size + torch.arange(self.size)) % len(self.rows)]
        permute = self.order == 'permute'
        rows = self.rows[self._permuted(len(self.rows), self.size, step) if permute else
                         self._replaced(self.size, step)]
        if self.missing:
            rows = self._avoid(rows, self._of_missing_classes(step), step)
        return rows if self.exclude is None else self._avoid(rows, self.exclude.chunk(step), step)

    def _of_missing_classes(self, step: int) -> Tensor:
        """Rows of the classes that are drawn to be missing at a step (n,)."""
        assert self._labels is not None
        generator = torch.Generator().manual_seed(stable_hash(self.seed, self.name, 'missing', step))
        dropped = torch.randperm(int(self._labels.max()) + 1, generator=generator)[:self.missing]
        return torch.isin(self._labels, dropped).nonzero().flatten()

    def _permuted(self, total: int, size: int, step: int) -> Tensor:
        """Positions (size,) in the pool: the chunk of ``step`` of endless permutations."""
        if total < size:
            repeats = math.ceil(size / total)
            parts = [torch.randperm(total, generator=self._generator(step * repeats + i)) for i in range(repeats)]
            return torch.cat(parts)[:size]
        number, position = divmod(step, total // size)
        if self._cached[0] != number:
            self._cached = number, torch.randperm(total, generator=self._generator(number))
        return self._cached[1][position * size:(position + 1) * size]

    def _replaced(self, size: int, step: int) -> Tensor:
        """Positions (size,) in the pool, drawn with replacement in proportion to the weights if there are any."""
        uniform = torch.rand(size, generator=self._generator(step), dtype=torch.float64)
        if self._weights is None:
            if self.balance is not None:
                raise self._unpublished(self.balance, 'weights')
            return (uniform * len(self.rows)).long()
        if self._cached[0] < 0:
            self._cached = 0, self._weights[self.rows].cumsum(0)
        total = self._cached[1]
        if not total[-1] > 0:
            raise ValueError(f'all rows in the pool of stream {self.name!r} have weight 0')
        return torch.searchsorted(total, uniform * total[-1], right=True)

    def set_exclude(self, other: Stream) -> None:
        """Let the rows of another stream be none of this one's at the same step.

        Args:
            other: A stream whose rows do not depend on this one's.
        """
        if self.order == 'fixed' or self.of is not None or self.balance is not None or self._given_size == 'all':
            raise ValueError(f"stream {self.name!r}: `exclude` needs a number of rows in order 'permute', or in order "
                             f"'replace' without `balance`")
        if other.leads_to(self):
            raise ValueError(f'stream {self.name!r} cannot exclude {other.name!r}, whose rows depend on its own')
        self.exclude = other

    def leads_to(self, other: Stream) -> bool:
        """Whether the rows of this stream depend on those of another one, or are its own."""
        return other is self or any(link.leads_to(other) for link in (self.of, self.exclude) if link is not None)

    def _avoid(self, rows: Tensor, taken: Tensor, step: int) -> Tensor:
        """Let others of the pool stand in for those of the rows (size,) that are taken."""
        free = torch.ones(self.num_rows, dtype=torch.bool)
        free[taken] = False
        hit = ~free[rows]
        if not hit.any():
            return rows
        apart = self.order == 'permute' and len(self.rows) >= self.size     # no row comes twice
        if apart:
            free[rows] = False
        rest, missing = self.rows[free[self.rows]], int(hit.sum())
        if len(rest) < (missing if apart else 1):
            others = 'missing classes' if self.exclude is None else repr(self.exclude.name)
            raise ValueError(f'stream {self.name!r} excludes the rows of {others}, which leaves too few '
                             f'of the {len(self.rows)} rows of its pool for {self.size} a step: lower its size, or '
                             f'drop `exclude`')
        generator = torch.Generator().manual_seed(stable_hash(self.seed, self.name, 'exclude', step))
        drawn = torch.randperm(len(rest), generator=generator)[:missing] if apart else \
            torch.randint(len(rest), (missing,), generator=generator)
        return rows.masked_scatter(hit, rest[drawn])

    def _follow(self, rows: Tensor, step: int) -> Tensor:
        """Draw for each of the rows (n,) one of its entries that are not negative, or its first ones, row by row."""
        entries = self.rows[rows][:, :self.entries]
        count, wanted = (entries >= 0).sum(1), self.entries or 1
        if int(count.min()) < wanted:
            assert self.of is not None
            raise ValueError(f'row {int(rows[count.argmin()])} has {int(count.min()) or "no"} entries in the pool of '
                             f'stream {self.name!r}, which takes {wanted}: fill the bank field {self.pool!r} for all '
                             f'rows of stream {self.of.name!r}')
        if self.entries is not None:
            return entries.flatten()
        uniform = torch.rand(len(rows), generator=self._generator(step), dtype=torch.float64)
        nth = (uniform * count).long() + 1
        column = ((entries >= 0).cumsum(1) >= nth[:, None]).int().argmax(1)
        return entries.gather(1, column[:, None])[:, 0]

    def _generator(self, number: int) -> torch.Generator:
        """A fresh generator for the ``number``-th draw of this stream."""
        return torch.Generator().manual_seed(stable_hash(self.seed, self.name, number))

    def _unpublished(self, field: str, what: str) -> RuntimeError:
        """The error for a bank field that no hook has published."""
        return RuntimeError(f'stream {self.name!r} takes its {what} from the bank field {field!r}, which nothing has '
                            f'published. Add the hook that fills {field!r} (such as SelectHook, NeighborHook or '
                            'KMeansHook) to custom_hooks; it publishes before the first epoch and after resume.')
