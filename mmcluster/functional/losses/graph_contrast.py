"""Contrast along a neighbor graph: of features and of cluster assignments (GCC)."""
from __future__ import annotations

from typing import NamedTuple, Optional

import torch
from torch import Tensor
from torch.nn import functional as F

from .cluster_contrast import entropy_gap
from .contrast import at_least_float32, unit_rows


class AssignmentContrast(NamedTuple):
    """Two parts of the loss between assignments, whose weighted sum is minimised.

    Attributes:
        contrast: () cross-entropy of every cluster with itself among its images' neighbors.
        entropy_gap: () log K minus the entropy of the mean assignment; at least 0.
    """
    contrast: Tensor
    entropy_gap: Tensor


def graph_contrast(anchor: Tensor, other: Tensor, temperature: float, near: Optional[Tensor] = None,
                   weight: Optional[Tensor] = None, scale_near: bool = True, self_contrast: bool = True) -> Tensor:
    """Contrast every anchor with its other view and its neighbors among all rows of the batch (GCC's RGC).

    With e_ij = exp(s_ij / tau), over the columns [anchors, other views, first neighbors, second neighbors, ...]:
    without neighbors ``-log(e_ip / sum_j e_ij)``, p the other view; with neighbors
    ``-log(sum_positives e_ij / sum_others e_ij)``, whose denominator has no positives.

    Args:
        anchor: (B, D) unit rows.
        other: (B, D) unit rows, the other views of the anchors' images.
        temperature: Divides the similarities (paper's tau).
        near: (M, B, D) unit rows, M neighbors of every anchor; ``None``: the pretext stage.
        weight: (M, B) weights of the neighbors in the graph, above 0. An anchor's own neighbors count this much as
            positives; ``None``: 1.
        scale_near: The neighbors' rows are multiplied by the weight, too, before they are compared with any anchor
            (authors' release).
        self_contrast: The anchor is compared with itself, a constant exp(1 / tau) in the denominator (authors'
            release).

    Returns:
        () mean over the anchors, of either sign with neighbors; all rows receive a gradient.

    Edge cases: an empty batch gives 0 with a zero gradient, and so does a single anchor with nothing but positives.
    """
    size = len(anchor)
    parts = [at_least_float32(anchor), at_least_float32(other)]
    if near is not None:
        rows = at_least_float32(near)
        weight = torch.ones_like(rows[..., 0]) if weight is None else weight.to(rows)
        parts += list(rows * weight[..., None] if scale_near else rows)
    with torch.autocast(anchor.device.type, enabled=False):
        logits = (parts[0] @ torch.cat(parts).t() / temperature).view(size, len(parts), size)
    lowest = torch.finfo(logits.dtype).min / 2
    same = torch.eye(size, dtype=torch.bool, device=logits.device)[:, None]
    first = torch.arange(len(parts), device=logits.device)[:, None] == 0
    if not self_contrast:
        logits = logits.masked_fill(same & first, lowest)
    if near is None:
        target = size + torch.arange(size, device=logits.device)
        return F.cross_entropy(logits.flatten(1), target, reduction='sum') / max(size, 1)
    assert weight is not None
    own = torch.diagonal(logits, dim1=0, dim2=2)[1:]                                        # (1 + M, B)
    positive = torch.cat([own[:1], own[1:] + weight.log()]).logsumexp(dim=0)
    if size == 1 and not self_contrast:
        return 0 * positive.sum()
    # both sums stay in log-space: at a low temperature the exponentials of one overflow where those of the other vanish
    rest = logits.masked_fill(same & ~first, lowest).flatten(1).logsumexp(dim=1)
    return (rest - positive).sum() / max(size, 1)


def assignment_contrast(prob: Tensor, near: Tensor) -> AssignmentContrast:
    """Tell every cluster, as the images it holds, from the clusters that neighbors of these images are in (GCC's AGC).

    The K columns of both matrices are compared by their cosine, at temperature 1; a column's positive is the same
    cluster of the neighbors, and only the anchors' columns ask. The second part asks for equal cluster sizes.

    Args:
        prob: (B, K) probabilities of the anchors.
        near: (B, K) probabilities of one neighbor of each.

    Returns:
        Two (); both sides receive a gradient of the first, the anchors that of the second.

    Edge cases: a column of zeros has cosine 0 to every column and no gradient from the contrast; an empty batch
    gives 0.
    """
    similarity = unit_rows(at_least_float32(prob).t()) @ unit_rows(at_least_float32(near).t()).t()
    target = torch.arange(len(similarity), device=similarity.device)
    return AssignmentContrast(F.cross_entropy(similarity, target) * min(len(prob), 1), entropy_gap(prob))
