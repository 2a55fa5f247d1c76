"""Rows that are not finite are refused by number before they can move a result."""
from __future__ import annotations

from typing import Optional, Sequence

import torch
from torch import Tensor

from .shards import WHOLE, Shards

SHOWN = 5       # rows that an error names


def bad_rows(rows: Tensor) -> list[int]:
    """Return the numbers of the rows (N, ...) with an entry that is not finite; waits for the device once."""
    if not rows.is_floating_point() or not rows.numel():
        return []
    return (~rows.isfinite()).flatten(1).any(dim=1).nonzero()[:, 0].tolist()


def name_rows(rows: Sequence[int], names: Optional[Sequence[str]] = None) -> str:
    """Name some rows in a message.

    Args:
        rows: Their numbers.
        names: (N,) names of all rows, such as paths.

    Returns:
        ``'row 3 (a.png), row 7 (b.png)'``, the first five.
    """
    text = ', '.join(f'row {row}' + (f' ({names[row]})' if names else '') for row in rows[:SHOWN])
    return text + (', ...' if len(rows) > SHOWN else '')


def bad_rows_of_all(rows: Tensor, shards: Shards) -> tuple[int, list[int], int]:
    """Count the rows with an entry that is not finite over all holders.

    Args:
        rows: (n, ...) of this holder.
        shards: The holders; all learn the same.

    Returns:
        How many there are, the numbers of the first ones in order, and how many rows there are.
    """
    bad, start, total = bad_rows(rows), shards.start(len(rows)), sum(shards.sizes(len(rows)))
    count = int(shards.sum(torch.tensor(len(bad))))
    first = shards.gather(torch.tensor(bad[:SHOWN + 1], dtype=torch.long) + start) if count else torch.zeros(0)
    return count, first.tolist(), total


def require_finite(rows: Tensor, what: str, advice: str = 'mend or leave out these rows, or, if a network made them, '
                                                          'go back to a checkpoint from before it diverged',
                   shards: Shards = WHOLE) -> None:
    """Refuse rows with an entry that is NaN or infinite. Waits for the device: not for a training step.

    Args:
        rows: (N, ...).
        what: What they are; it begins the message.
        advice: What to do.
        shards: Holders of the rows; all raise if one has such a row.

    Raises:
        ValueError: If an entry is not finite.
    """
    bad, first, total = bad_rows_of_all(torch.as_tensor(rows), shards)
    if bad:
        raise ValueError(f'{what}: {bad} of {total} rows hold NaN or inf, {name_rows(first)}; {advice}')


def require_rows(owner: str, rows: int, **values: Optional[Tensor]) -> None:
    """Refuse tensors that have not one number a row; a column (B, 1) would spread over the rows without a word.

    Args:
        owner: Who asks; it begins the message.
        rows: B.
        values: Argument -> tensor, or ``None``, which is left to the owner.

    Raises:
        ValueError: If one has another shape.
    """
    for name, value in values.items():
        if value is not None and tuple(value.shape) != (rows,):
            raise ValueError(f'{owner}: {name} must have one number a row, ({rows},), got {tuple(value.shape)}')
