"""RUC: which rows of a clustering are clean, and how two networks refine and guess each other's targets (CVPR 2021).

A row is clean when it has a label; -1 is unclean. Masks instead of selected rows keep every shape fixed.
"""
from __future__ import annotations

from typing import NamedTuple, Optional

import torch
from torch import Tensor

from ..clustering.neighbors import nearest
from ..scale import min_max
from ..shards import WHOLE, Shards
from .contrast import at_least_float32, unit_rows
from .mixing import sharpen, soft_rows
from .pseudo import known_rows

HOW = ('confidence', 'metric', 'hybrid')


class MixedLosses(NamedTuple):
    """Losses on mixed rows.

    Attributes:
        clean: () cross-entropy of the clean rows (L_X).
        unclean: () squared error of the unclean rows (L_U), not weighted.
    """
    clean: Tensor
    unclean: Tensor


def confidence(logits: Tensor) -> Tensor:
    """Return the largest probability of every row (B, K) -> (B,)."""
    return at_least_float32(logits).softmax(dim=1).amax(dim=1)


def confident_rows(logits: Tensor, threshold: float = 0.99) -> Tensor:
    """Return the rows that the clustering is sure of.

    Args:
        logits: (N, K) of the clustering network.
        threshold: Probability that must be reached.

    Returns:
        (N,) bool.
    """
    return confidence(logits) >= threshold


@torch.no_grad()
def majority_rows(embeddings: Tensor, label: Tensor, num_clusters: int, k: int = 100,
                  chunk: Optional[int] = None, shards: Shards = WHOLE) -> Tensor:
    """Return the rows whose label is the most frequent among their nearest rows.

    Args:
        embeddings: (n, D), any norm, compared by cosine.
        label: (n,) long pseudo-labels in [0, K).
        num_clusters: K.
        k: Rows that vote with equal weight; the row itself is one of them, even among its copies.
        chunk: Rows whose similarities are held at once; ``None`` suits the memory.
        shards: Who holds the N rows.

    Returns:
        (n,) bool. Of equally frequent labels the smallest is the majority.

    Raises:
        ValueError: With fewer than k rows, or an embedding that is not finite.
    """
    rows = sum(shards.sizes(len(label)))
    if k > rows:
        raise ValueError(f'{k} neighbours are asked of {rows} rows: lower k')
    label = label.to(embeddings.device)
    index = nearest(unit_rows(embeddings), k - 1, chunk, False, shards).index
    # the row votes once, even where copies of it are as near as itself
    votes = torch.zeros(len(label), num_clusters, dtype=torch.int32, device=label.device)
    votes.scatter_add_(1, shards.gather(label)[index], torch.ones_like(index, dtype=torch.int32))
    votes.scatter_add_(1, label[:, None], torch.ones_like(label[:, None], dtype=torch.int32))
    return votes.argmax(dim=1) == label


def clean_rows(logits: Tensor, embeddings: Optional[Tensor], label: Tensor, how: str = 'hybrid',
               threshold: float = 0.99, k: int = 100, chunk: Optional[int] = None, shards: Shards = WHOLE) -> Tensor:
    """Return which pseudo-labels to trust (RUC section 3.1).

    Args:
        logits: (n, K) of the clustering network.
        embeddings: (n, D) of a self-supervised network; ``None`` where ``how`` is ``'confidence'``.
        label: (n,) long pseudo-labels.
        how: ``'confidence'``, ``'metric'`` (neighbors agree), or ``'hybrid'``: both (released scripts).
        threshold: See :func:`confident_rows`.
        k: See :func:`majority_rows`.
        chunk: See :func:`majority_rows`.
        shards: See :func:`majority_rows`.

    Returns:
        (n,) bool.

    Raises:
        ValueError: If ``how`` is unknown.
    """
    if how not in HOW:
        raise ValueError(f'clean rows are chosen by one of {HOW}, got {how!r}')
    keep = torch.ones_like(label, dtype=torch.bool)
    if how != 'metric':
        keep = keep & confident_rows(logits, threshold)
    if how != 'confidence':
        assert embeddings is not None
        keep = keep & majority_rows(embeddings, label, logits.shape[1], k, chunk, shards)
    return keep


def twin_weight(confidence: Tensor) -> Tensor:
    """Stretch the confidence of a network in its last epoch to the unit interval (RUC's w).

    Args:
        confidence: (N,) largest probability of every row, see :func:`confidence`; -1 for a row that was not seen.

    Returns:
        (N,); a row that was not seen has 0, and so has every row of a network that was never sure of any.
    """
    if not confidence.numel():
        return confidence
    seen = confidence >= 0
    return min_max(torch.where(seen, confidence, confidence.amax())) * seen


@torch.no_grad()
def refined_target(label: Tensor, logits_twin: Tensor, weight: Tensor, temperature: float = 0.5) -> Tensor:
    """Let the twin correct the label of clean rows (RUC: co-refinement).

    ``(1 - w) onehot(y) + w softmax(twin)``, sharpened.

    Args:
        label: (B,) long, or soft (B, K); of a row with -1 the twin alone decides.
        logits_twin: (B, K) of the twin for the image as it is.
        weight: (B,) in [0, 1], see :func:`twin_weight`.
        temperature: See :func:`sharpen`.

    Returns:
        (B, K), rows sum to 1.
    """
    prob = at_least_float32(logits_twin).softmax(dim=1)
    share = torch.where(known_rows(label), weight.to(prob), 1)[:, None]
    return sharpen((1 - share) * soft_rows(label, prob) + share * prob, temperature)


def mixed_losses(logits: Tensor, target: Tensor, clean: Tensor, num_clean: Optional[Tensor] = None,
                 num_unclean: Optional[Tensor] = None) -> MixedLosses:
    """Compare predictions for mixed rows with mixed targets (RUC, after MixMatch).

    Args:
        logits: (R, K) of the mixed rows.
        target: (R, K) mixed targets; constants.
        clean: (R,) bool, whether the larger part of a row is of a clean image.
        num_clean: () how many rows the sum over the clean ones is divided by, if not by those here.
        num_unclean: () likewise.

    Returns:
        Means over clean rows, and over unclean rows and classes. A part without rows is 0 with a zero gradient.
    """
    logits, target = at_least_float32(logits), target.detach()
    keep = clean.to(logits)
    num_clean = keep.sum() if num_clean is None else num_clean
    num_unclean = (1 - keep).sum() if num_unclean is None else num_unclean
    entropy = -(target * logits.log_softmax(dim=1)).sum(dim=1)
    error = (logits.softmax(dim=1) - target).square().sum(dim=1) / max(logits.shape[1], 1)
    return MixedLosses((entropy * keep).sum() / num_clean.clamp(min=1),
                       (error * (1 - keep)).sum() / num_unclean.clamp(min=1))


def smoothed_cross_entropy(logits: Tensor, label: Tensor, smoothing: float = 0.5,
                           count: Optional[Tensor] = None) -> Tensor:
    """Return the cross-entropy of the strong view with smoothed labels (RUC: L_S).

    The label has the mass 1 - smoothing, the other classes share the rest equally.

    Args:
        logits: (B, K) of the strong view.
        label: (B,) long, or soft (B, K); -1 is left out.
        smoothing: Mass of the other classes (paper's epsilon).
        count: () what the sum is divided by, if not by the number of labels.

    Returns:
        () mean over the rows with a label; 0 with a zero gradient without any.
    """
    log_prob = at_least_float32(logits).log_softmax(dim=1)
    own = soft_rows(label, log_prob)
    target = (1 - smoothing) * own + smoothing / max(log_prob.shape[1] - 1, 1) * (1 - own)
    known = known_rows(label).to(log_prob)
    count = known.sum() if count is None else count
    return (-(target * log_prob).sum(dim=1) * known).sum() / count.clamp(min=1)


@torch.no_grad()
def relabel(label: Tensor, logits: Tensor, threshold: float = 0.99) -> Tensor:
    """Make clean what a network has become sure of (RUC); labels never change and never go.

    Args:
        label: (B,) long, -1 for unclean rows.
        logits: (B, K) of the network that trains, for the image as it is.
        threshold: Probability that must be reached.

    Returns:
        (B,) long.
    """
    sure = (label < 0) & confident_rows(logits, threshold)
    return torch.where(sure, logits.argmax(dim=1), label)
