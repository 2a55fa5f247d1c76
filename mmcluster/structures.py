"""The three tuples that travel through mmcluster: a sampler's key, a data set's rows, a method's batch."""
from __future__ import annotations

from typing import NamedTuple, Optional

from torch import Tensor

TEST_STREAM = 'test'


class Key(NamedTuple):
    """What a sampler yields for one row.

    Attributes:
        index: Global data set index of the row.
        stream: Name of the stream that the row belongs to; ``'test'`` asks for the evaluation view.
        draw: ``(seed << 32) | running number`` of this row in the whole run, counted over all ranks. Equal
            ``(draw, index)`` give equal views, whatever the rank, worker, batch or process count.
    """
    index: int  # type: ignore[assignment]  # hides tuple.index
    stream: str = 'batch'
    draw: int = 0


class Rows(NamedTuple):
    """What a data set returns for the rows of one stream.

    Attributes:
        images: In-memory door: one uint8 tensor (B, H, W, C), or float features (B, F). Worker door: V uint8
            tensors (B, C, H, W), the finished views.
        index: (B,) long, global data set index.
        draw: (B,) long, see :class:`Key`.
        label: (B,) long ground truth, only from a data set in test mode; read by metrics alone.
    """
    images: list[Tensor]
    index: Tensor  # type: ignore[assignment]  # hides tuple.index
    draw: Tensor
    label: Optional[Tensor] = None


class Batch(NamedTuple):
    """The rows of one stream as a method sees them. There is no ground-truth field.

    Attributes:
        views: V tensors (B, C, H, W), normalised, on the model's device; or (B, F) features.
        index: (B,) long, global data set index.
    """
    views: list[Tensor]
    index: Tensor  # type: ignore[assignment]  # hides tuple.index
