"""True negatives: what an image certainly is not (MutexMatch)."""
from __future__ import annotations

import torch
from torch import Tensor

from .contrast import at_least_float32


def complementary_label(logits: Tensor) -> Tensor:
    """Return the class that a row is least likely to be (MutexMatch), taken on logits: no ties by underflow.

    Args:
        logits: (B, K) of the true-positive classifier.

    Returns:
        (B,) long, the first such class.
    """
    return at_least_float32(logits).argmin(dim=1)


def top_entries(logits: Tensor, k: int) -> Tensor:
    """Return which entries of every row are at least its k-th largest; ties keep more than k.

    Args:
        logits: (B, K).
        k: How many; 0 and K or more stand for all.

    Returns:
        (B, K) bool.
    """
    if not 0 < k < logits.shape[1]:
        return torch.ones_like(logits, dtype=torch.bool)
    return logits >= logits.topk(k, dim=1).values[:, -1:]


def negative_consistency(logits_weak: Tensor, logits_strong: Tensor, mask: Tensor, k: int = 0) -> Tensor:
    """Let the true-negative classifier agree between two views of the rows that it is not sure of (MutexMatch).

    Args:
        logits_weak: (U, K) of the true-negative classifier; its softmax is the soft target and gets no gradient.
        logits_strong: (U, K) of the true-negative classifier.
        mask: (U,) bool, rows without a positive pseudo-label.
        k: Degree of the consistency: the k most negative classes of the weak view take part; 0 stands for all. The
            targets of the others are 0 without being scaled up again, their strong logits are replaced by 0.

    Returns:
        () mean over all U rows, 0 when none is masked in or U = 0.
    """
    weak, strong = at_least_float32(logits_weak.detach()), at_least_float32(logits_strong)
    keep = top_entries(weak, k)
    target = weak.softmax(dim=1) * keep
    rows = -(target * strong.where(keep, torch.zeros_like(strong)).log_softmax(dim=1)).sum(dim=1)
    return (rows * mask.to(rows)).sum() / max(len(rows), 1)
