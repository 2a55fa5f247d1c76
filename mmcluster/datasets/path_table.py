"""The paths of many images without an object for each."""
from __future__ import annotations

from typing import Iterator, Sequence, Union, overload

import numpy as np

from .seeding import stable_hash

_BLOCK = 4096       # paths that are read at a time while walking through all


class PathTable(Sequence[str]):
    """N paths as one array of bytes; equal to a list of the same texts.

    A million Python texts take 0.1 GB and more in every process, as each worker that counts a reference to one copies
    its memory. These arrays are never written to: workers share them, and they may lie in a mapped file.

    Args:
        text: (L,) uint8, all paths one after the other as UTF-8; bytes of names that are no UTF-8 stay as they are.
        ends: (N,) int64, where each of them ends in ``text``.
    """

    def __init__(self, text: np.ndarray, ends: np.ndarray) -> None:
        self.text, self.ends = np.asarray(text), np.asarray(ends)

    @classmethod
    def of(cls, paths: Sequence[str]) -> PathTable:
        """Make a table of paths; a table is returned as it is.

        Args:
            paths: N paths.
        """
        if isinstance(paths, cls):
            return paths
        parts = [path.encode('utf-8', 'surrogateescape') for path in paths]
        ends = np.fromiter(map(len, parts), np.int64, len(parts)).cumsum()
        return cls(np.frombuffer(b''.join(parts), np.uint8), ends)

    def __len__(self) -> int:
        """Number of paths, N."""
        return len(self.ends)

    @overload
    def __getitem__(self, item: int) -> str: ...

    @overload
    def __getitem__(self, item: slice) -> list[str]: ...

    def __getitem__(self, item: Union[int, slice]) -> Union[str, list[str]]:
        """One path, or a list of some."""
        if isinstance(item, slice):
            return [self[row] for row in range(*item.indices(len(self)))]
        row = item + len(self) if item < 0 else item
        if not 0 <= row < len(self):
            raise IndexError(f'there is no path {item} among {len(self)}')
        return self.text[self._start(row):self.ends[row]].tobytes().decode('utf-8', 'surrogateescape')

    def __iter__(self) -> Iterator[str]:
        """Walk through all paths, a block of them at a time."""
        for first in range(0, len(self), _BLOCK):
            ends, start = self.ends[first:first + _BLOCK].tolist(), int(self._start(first))
            block, last = self.text[start:ends[-1]].tobytes(), start
            for end in ends:
                yield block[last - start:end - start].decode('utf-8', 'surrogateescape')
                last = end

    def __eq__(self, other: object) -> bool:
        """Whether another table, list or tuple holds the same paths."""
        if isinstance(other, PathTable):
            return np.array_equal(self.ends, other.ends) and np.array_equal(self.text, other.text)
        if isinstance(other, (list, tuple)):
            return len(other) == len(self) and all(one == two for one, two in zip(self, other))
        return NotImplemented

    __hash__ = None  # type: ignore[assignment]  # as of a list

    def __repr__(self) -> str:
        """The number of paths and the first one."""
        return f'PathTable({len(self)} paths{f", first {self[0]!r}" if len(self) else ""})'

    def take(self, rows: np.ndarray) -> PathTable:
        """The table of some rows.

        Args:
            rows: (n,) int64 row numbers, in any order.
        """
        starts = np.concatenate([[0], self.ends[:-1]])[rows]
        sizes = self.ends[rows] - starts
        ends = sizes.cumsum()
        place = np.arange(ends[-1] if len(ends) else 0) + np.repeat(starts - ends + sizes, sizes)
        return PathTable(self.text[place], ends)

    def ending_in(self, suffixes: Sequence[str]) -> np.ndarray:
        """Which paths end in one of some suffixes, in either case.

        Args:
            suffixes: ASCII texts in lower case, such as ``'.tif'``.

        Returns:
            (N,) bool.
        """
        found = np.zeros(len(self), bool)
        starts = np.concatenate([[0], self.ends[:-1]])[:len(self)]
        for suffix in suffixes if len(self.text) else ():
            fits = self.ends - starts >= len(suffix)
            for back, letter in enumerate(reversed(suffix), 1):
                code = self.text[(self.ends - back) * fits]     # too short ones look at a byte that does not matter
                fits &= (code == ord(letter)) | (code == ord(letter.upper()))
            found |= fits
        return found

    def hashed(self, *parts: int) -> int:
        """63-bit number of all paths in their order.

        Args:
            parts: Numbers that enter it, too.
        """
        return stable_hash(*parts, self.text.tobytes(), self.ends.tobytes())

    def _start(self, row: int) -> int:
        """Where a path begins."""
        return self.ends[row - 1] if row else 0
