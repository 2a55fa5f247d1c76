"""What a function that needs all rows asks of the processes that share them: sums, not rows."""
from __future__ import annotations

from typing import Iterator

import torch
from torch import Tensor


class Shards:
    """The rows of a data set, in order, over W holders of one run of them each; here one holder has them all.

    A function of rows (n, ...) that takes ``shards`` sees the rows of one holder and returns what belongs to them; all
    holders call it together. Every exchange below is then the identity. A subclass makes it one over processes.

    Attributes:
        count: W.
        rank: Number of this holder, 0 first.
    """

    count: int = 1
    rank: int = 0

    def sum(self, x: Tensor) -> Tensor:
        """Sum over the holders.

        Args:
            x: Any shape, equal for all.

        Returns:
            The same shape, equal to the bit for all; ``x`` keeps its values.
        """
        return x

    def max(self, x: Tensor) -> Tensor:
        """Largest value of each entry over the holders.

        Args:
            x: Any shape, equal for all.

        Returns:
            The same shape.
        """
        return x

    def gather(self, x: Tensor) -> Tensor:
        """Rows of all holders in order. For what is small beside the features.

        Args:
            x: (n, ...), each holder's own n.

        Returns:
            (N, ...).
        """
        return x

    def turns(self, x: Tensor) -> Iterator[tuple[int, Tensor]]:
        """Rows of one holder after the other, each holder's own first; no more than two holders' at a time.

        Args:
            x: (n, ...), each holder's own n.

        Yields:
            Number of a holder and its rows.
        """
        yield self.rank, x

    def sizes(self, num_rows: int) -> list[int]:
        """Rows of every holder.

        Args:
            num_rows: Those of this one.
        """
        return [num_rows] if self.count == 1 else self.gather(torch.tensor([num_rows])).tolist()

    def share(self, total: int) -> range:
        """The rows of this holder where N rows are split as evenly as a sweep splits them.

        Args:
            total: N.
        """
        return range(total * self.rank // self.count, total * (self.rank + 1) // self.count)

    def start(self, num_rows: int) -> int:
        """Place of this holder's first row among all rows.

        Args:
            num_rows: Its rows.
        """
        return sum(self.sizes(num_rows)[:self.rank])

    def own(self, x: Tensor, num_rows: int) -> Tensor:
        """The rows of this holder of what every holder has whole.

        Args:
            x: (N, ...).
            num_rows: Rows of this one.

        Returns:
            (n, ...).
        """
        start = self.start(num_rows)
        return x[start:start + num_rows]


WHOLE = Shards()


def variance(rows: Tensor, shards: Shards = WHOLE) -> Tensor:
    """Return the unbiased variance of every dimension over the rows of all holders (Chan et al., 1979).

    Args:
        rows: (n, D) of this holder.
        shards: The holders.

    Returns:
        (D,) in the type of the rows; 0 for fewer than two rows.
    """
    own, width = len(rows), rows.shape[1:]
    total = rows.sum(0, dtype=torch.float64) if own else rows.new_zeros(width, dtype=torch.float64)
    count = sum(shards.sizes(own))
    if count < 2:
        return rows.new_zeros(width)
    mean = shards.sum(total) / count
    spread = rows.var(0).double() * (own - 1) if own > 1 else torch.zeros_like(total)
    between = own * (total / max(own, 1) - mean).square()
    return (shards.sum(spread + between) / (count - 1)).to(rows.dtype)


def mean_of_rows(x: Tensor, dim: int, shards: Shards = WHOLE) -> Tensor:
    """Return the mean over the rows of all holders.

    Args:
        x: Any shape; the rows of this holder lie in one dimension.
        dim: Which one.
        shards: The holders.

    Returns:
        The shape of ``x`` without this dimension, in its type; 0 without rows.
    """
    total = shards.sum(x.sum(dim, dtype=torch.float64))
    return (total / max(sum(shards.sizes(x.shape[dim])), 1)).to(x.dtype)


def neighbor_pairs(x: Tensor, neighbors: Tensor, chunk: int, shards: Shards = WHOLE) -> Iterator[tuple[Tensor, Tensor]]:
    """Walk over all pairs of a row and a neighbor of it, whoever holds the neighbor: what they have comes by in turn.

    Waits for the device at every chunk: not for a training step.

    Args:
        x: (n, ...), what neighbours are asked for.
        neighbors: (n, k) long, places among all N rows; -1 is none.
        chunk: Rows whose neighbours are looked up at once.
        shards: Who holds the N rows; each walks to the end.

    Yields:
        (P,) long rows of this holder, and (P, ...) what one neighbor of each has.
    """
    sizes = shards.sizes(len(x))
    for owner, block in shards.turns(x):
        for start in range(0, len(neighbors), max(chunk, 1)):
            place = neighbors[start:start + chunk] - sum(sizes[:owner])
            row, column = ((place >= 0) & (place < len(block))).nonzero(as_tuple=True)
            yield row + start, block[place[row, column]]
