"""Counter-based uniform numbers: a view is a function of (draw, index, view), not of who computes it when."""
from __future__ import annotations

import torch
from torch import Tensor

# SplitMix64 (Steele, Lea, Flood 2014): the Weyl increment and the two multipliers of the finaliser, as signed 64-bit.
WEYL = 0x9E3779B97F4A7C15 - (1 << 64)
MULTIPLIERS = (0xBF58476D1CE4E5B9 - (1 << 64), 0x94D049BB133111EB - (1 << 64))


def _shift_right(x: Tensor, bits: int) -> Tensor:
    """Logical right shift of int64 words (torch's own shift repeats the sign bit)."""
    return (x >> bits) & ((1 << (64 - bits)) - 1)


def mix64(x: Tensor) -> Tensor:
    """Scramble 64-bit words with the finaliser of SplitMix64, a bijection.

    Args:
        x: (...) long; wrap-around is intended.

    Returns:
        (...) long.
    """
    x = (x ^ _shift_right(x, 30)) * MULTIPLIERS[0]
    x = (x ^ _shift_right(x, 27)) * MULTIPLIERS[1]
    return x ^ _shift_right(x, 31)


class Draws:
    """The stream of random numbers that belongs to each row of a batch.

    Row b sees the SplitMix64 sequence whose seed is a hash of ``(draw[b], index[b], view)``. Nothing else enters:
    not the rank, the worker, the other rows, their order or their number. Each call takes the next numbers of the
    sequence, so operations that are called in the same order get the same numbers. The state is one Python
    integer; the numbers live on the device of ``draw``. Kept on the host, parameters and the row groups made from
    them cost an accelerator no synchronisation.

    Args:
        draw: (B,) long, the sampler's running number with the seed in the high half (see ``Key``).
        index: (B,) long, data set index.
        view: Number of the view.
    """

    def __init__(self, draw: Tensor, index: Tensor, view: int) -> None:
        if draw.shape != index.shape or draw.ndim != 1:
            raise ValueError(f'draw and index must both be (B,), got {tuple(draw.shape)} and {tuple(index.shape)}')
        key = mix64(draw.long() + WEYL)
        key = mix64((key ^ index.long()) + WEYL)
        self.key = mix64((key ^ view) + WEYL)
        self.counter = 0

    def __len__(self) -> int:
        """Number of rows B."""
        return len(self.key)

    def uniform(self, n: int) -> Tensor:
        """Take the next n numbers of every row.

        Args:
            n: How many.

        Returns:
            (B, n) float32 in [0, 1): the 24 high bits of each word, so every value is exact.
        """
        step = torch.arange(self.counter + 1, self.counter + n + 1, device=self.key.device) * WEYL
        self.counter += n
        return _shift_right(mix64(self.key[:, None] + step), 40).float() * 2.0 ** -24

    def uniform_between(self, low: float, high: float) -> Tensor:
        """Take one number in [low, high).

        Args:
            low: Lower end.
            high: Upper end; rounding may return it.

        Returns:
            (B,) float32.
        """
        return self.uniform(1)[:, 0] * (high - low) + low

    def bernoulli(self, p: float) -> Tensor:
        """Toss one coin per row.

        Args:
            p: Probability of True; 0 is never and 1 is always.

        Returns:
            (B,) bool.
        """
        return self.uniform(1)[:, 0] < p

    def integers(self, high: int | Tensor) -> Tensor:
        """Take one integer in [0, high).

        Args:
            high: Exclusive upper end, at least 1 and at most 2^24; one for all or (B,) long.

        Returns:
            (B,) long.
        """
        return (self.uniform(1)[:, 0].double() * high).long()

    def permutation(self, n: int) -> Tensor:
        """Draw a random order of n things.

        Args:
            n: How many; ties of the sort keys (probability about n^2 / 2^25) keep their order.

        Returns:
            (B, n) long, each row a permutation of 0..n-1.
        """
        return self.uniform(n).argsort(dim=1, stable=True)
