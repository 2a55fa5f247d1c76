"""The largest of many scores that several holders have, without that the scores travel."""
from __future__ import annotations

import torch
from torch import Tensor

from .shards import WHOLE, Shards


@torch.no_grad()
def largest(score: Tensor, count: int, shards: Shards = WHOLE) -> Tensor:
    """Mark the largest scores of each line over all holders, of equal ones the first.

    The score of the last one that is taken is found bit by bit: how many are larger travels, once a bit.

    Args:
        score: (..., n) float32 or float64, without NaN.
        count: How many of all N.
        shards: Who holds the N.

    Returns:
        (..., n) bool, True ``count`` times a line over all holders, or N times where there are fewer.
    """
    key = _ordered(score)
    limits = torch.iinfo(key.dtype)
    last = torch.full(key.shape[:-1], limits.min, dtype=key.dtype, device=key.device)
    for bit in reversed(range(limits.bits)):
        # or-ing a lower bit makes a number larger, also a negative one; the sign bit turns the least one into 0
        higher = last ^ (limits.min if bit == limits.bits - 1 else 1 << bit)
        enough = shards.sum((key >= higher[..., None]).sum(-1)) >= count
        last = torch.where(enough, higher, last)
    above, equal = key > last[..., None], key == last[..., None]
    left = count - shards.sum(above.sum(-1))
    if shards.count > 1:        # those of the holders before are taken first
        left = left - shards.gather(equal.sum(-1)[None])[:shards.rank].sum(0)
    return above | (equal & (equal.cumsum(-1) <= left[..., None]))


def _ordered(score: Tensor) -> Tensor:
    """Whole numbers in the order of floating-point ones."""
    score = score + 0.      # -0 is 0
    key = score.view(torch.int64 if score.dtype == torch.float64 else torch.int32)
    return key ^ ((key >> (8 * key.element_size() - 1)) & torch.iinfo(key.dtype).max)
