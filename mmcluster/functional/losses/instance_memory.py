"""Every image is a class of its own, known by a memory of features, and no feature repeats another (IDFD)."""
from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from .contrast import at_least_float32, unit_rows


def instance_discrimination(feat: Tensor, memory: Tensor, index: Tensor, temperature: float) -> Tensor:
    """Find every image among all images of the data set (IDFD, instance discrimination).

    ``-log softmax(V f_i / tau)[i]`` over the N rows v of the memory.

    Args:
        feat: (B, D) unit rows.
        memory: (N, D) features of all images as they were, of any norm; constants.
        index: (B,) long, data set index of each row.
        temperature: Divides the similarities (paper's tau).

    Returns:
        () mean over the rows.

    Edge cases: a data set of one image, or no row at all, gives 0 with a zero gradient.
    """
    feat, memory = at_least_float32(feat), at_least_float32(memory.detach())
    with torch.autocast(feat.device.type, enabled=False):
        logits = feat @ memory.t() / temperature
    return F.cross_entropy(logits, index, reduction='sum') / max(len(feat), 1)


def feature_decorrelation(feat: Tensor, temperature: float) -> Tensor:
    """Find every feature, as the column of values that a batch has of it, among all features (IDFD).

    ``-log softmax(F_l . F / tau_2)[l]`` with columns F of unit length.

    Args:
        feat: (B, D) rows of the whole batch.
        temperature: Divides the cosines (paper's tau_2).

    Returns:
        () mean over the D features.

    Edge cases: a feature that is zero in all rows has cosine 0 to every feature, itself too, and no gradient; a single
    row makes all cosines 1 or -1.
    """
    columns = unit_rows(feat.t())
    with torch.autocast(columns.device.type, enabled=False):
        logits = columns @ columns.t() / temperature
    return F.cross_entropy(logits, torch.arange(len(columns), device=feat.device))


@torch.no_grad()
def remembered(old: Tensor, feat: Tensor, decay: float) -> Tensor:
    """What the memory holds after a step, the direction of a moving average (IDFD).

    Args:
        old: (B, D) rows of the memory.
        feat: (B, D) present features, unit rows.
        decay: Weight of the old value.

    Returns:
        (B, D) unit rows.
    """
    return unit_rows(decay * at_least_float32(old) + (1 - decay) * at_least_float32(feat))
