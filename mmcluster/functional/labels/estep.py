"""SPICE's E-step: prototypes from confident rows, equally many nearest rows for every cluster, and the best head."""
from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor

from ..losses.consistency import ENTROPY_EPS, negative_entropy
from ..losses.contrast import at_least_float32, unit_rows
from ..shards import WHOLE, Shards, mean_of_rows
from ..top import largest

SCORE_BYTES = 1 << 28           # scores and orders of the heads that are selected at once


class EStep(NamedTuple):
    """Pseudo-labels of one E-step.

    Attributes:
        index: (H, K, n) long rows by descending similarity, -1 padding; all rows of [:, c] have the label c.
        members: (H, K, kc) long rows that make the centres, by descending probability, -1 padding.
        centers: (H, K, D) means of the members, zero without any.
    """
    index: Tensor  # type: ignore[assignment]  # hides tuple.index
    members: Tensor
    centers: Tensor


def _largest(score: Tensor, count: int, overlap: bool) -> Tensor:
    """Rows with the largest scores (H, K, M) of every cluster -> (H, K, count), equal scores in the order of rows.

    Without overlap the clusters choose one after the other and what is taken is gone; -1 where nothing is left.
    """
    heads, clusters, rows = score.shape
    if overlap:
        chosen = score.argsort(dim=2, descending=True, stable=True)[..., :count]
        return torch.nn.functional.pad(chosen, (0, count - chosen.shape[2]), value=-1)
    chosen = torch.full((heads, clusters, count), -1, dtype=torch.long, device=score.device)
    taken = torch.zeros(heads, rows, dtype=torch.bool, device=score.device)
    for cluster in range(clusters):     # the order of the clusters decides (release): no step without the one before
        left = min(count, max(0, rows - cluster * count))
        order = score[:, cluster].masked_fill(taken, -math.inf).argsort(dim=1, descending=True, stable=True)[:, :left]
        chosen[:, cluster, :left] = order
        taken.scatter_(1, order, True)
    return chosen


def _means(members: Tensor, feats: Tensor) -> Tensor:
    """Means (H, K, D) of the features (M, D) of the members (H, K, kc), -1 left out."""
    known = members >= 0
    share = known.to(feats) / known.sum(dim=2, keepdim=True).clamp(min=1)
    # a product with the shares instead of gathered features (H, K, kc, D), which are kc times as large as the means
    weight = feats.new_zeros(*members.shape[:2], len(feats))
    return weight.scatter_add_(2, members.clamp(min=0), share) @ feats


def _counts(rows: int, clusters: int, center_ratio: float) -> tuple[int, int]:
    """Rows of each cluster, and how many of them make its prototype; refuses too few rows."""
    count = rows // max(clusters, 1)
    num_members = math.floor(center_ratio * count)
    if count == 0:
        raise ValueError(f'{rows} rows cannot be shared among {clusters} clusters: give the E-step at least as many')
    if num_members < 1:
        raise ValueError(f'center_ratio={center_ratio} of {count} rows for each of {clusters} clusters leaves none for '
                         f'the prototypes: raise it, or give the E-step more than {rows} rows')
    return count, num_members


@torch.no_grad()
def prototype_estep(prob: Tensor, feats: Tensor, center_ratio: float = 0.5, overlap: bool = True,
                    normalize: bool = True) -> EStep:
    """Label the n = floor(M / K) rows nearest to each prototype with its cluster (SPICE eqs. 2-4).

    The prototype of cluster c is the mean feature of the kc = floor(center_ratio n) rows with the largest
    probability of c. Equal scores go to the first row.

    Args:
        prob: (H, M, K) predictions of H heads for the weak views.
        feats: (M, D) features of the images themselves.
        center_ratio: Share of a cluster's rows that make its prototype; 1 in the paper, 0.5 in the authors' release.
        overlap: Every cluster chooses for itself, so that a row can get several labels or none. ``False``: the
            clusters choose in their order, members and labels apart, and each row makes at most one centre and gets
            at most one label.
        normalize: Compare by cosine, with centres from unit rows; ``False`` takes dot products of the rows as given.

    Returns:
        The E-step of every head. Edge cases: with ``center_ratio`` > 1 the members can run out; a centre without
        members is zero, and the rows it labels are the first ones.

    Raises:
        ValueError: If ``feats`` has another number of rows, or n or kc is 0.
    """
    _, rows, clusters = prob.shape
    if len(feats) != rows:
        raise ValueError(f'There are predictions for {rows} rows, but features of {len(feats)}')
    count, num_members = _counts(rows, clusters, center_ratio)
    feats = unit_rows(feats) if normalize else at_least_float32(feats)
    members = _largest(at_least_float32(prob).transpose(1, 2), num_members, overlap)
    with torch.autocast(prob.device.type, enabled=False):
        centers = _means(members, feats)
        similarity = centers @ feats.t()
    return EStep(_largest(similarity, count, overlap), members, centers)


@torch.no_grad()
def head_selection_losses(prob: Tensor, feats: Tensor, center_ratio: float = 0.5, entropy_weight: float = 0.,
                          normalize: bool = True, shards: Shards = WHOLE) -> Tensor:
    """Return the label-free statistic by which SPICE keeps a head and an epoch (SPICE section III-B).

    The double-softmax cross-entropy of the predictions with the pseudo-labels of an E-step over the whole set, as
    :func:`prototype_estep` gives them with overlap.

    Args:
        prob: (H, n, K) predictions of H heads.
        feats: (n, D).
        center_ratio: See :func:`prototype_estep`.
        entropy_weight: Weight of the entropy of the mean prediction, which is subtracted.
        normalize: See :func:`prototype_estep`.
        shards: Who holds the N rows; counts and summed members of the prototypes travel.

    Returns:
        (H,), lower is better.

    Raises:
        ValueError: See :func:`prototype_estep`.
    """
    feats = unit_rows(feats) if normalize else at_least_float32(feats)
    _, own, clusters = prob.shape
    if len(feats) != own:
        raise ValueError(f'There are predictions for {own} rows, but features of {len(feats)}')
    sizes = shards.sizes(own)
    count, num_members = _counts(sum(sizes), clusters, center_ratio)
    # as many heads at once as fit: the scores of all for the whole set are H K N numbers; equally many for all holders
    together = max(1, SCORE_BYTES // max(1, max(sizes) * clusters * (8 + 2 * feats.element_size())))
    losses = []
    for part in prob.split(together):
        part = at_least_float32(part)
        chosen = _labelled(part.transpose(1, 2), feats, num_members, count, shards)
        picked = part.log_softmax(dim=2).transpose(1, 2).where(chosen, 0.).sum(dim=(1, 2), dtype=torch.float64)
        picked = (shards.sum(picked) / (clusters * count)).to(part.dtype)
        losses.append(entropy_weight * negative_entropy(mean_of_rows(part, 1, shards), ENTROPY_EPS) - picked)
    return torch.cat(losses)


def _labelled(score: Tensor, feats: Tensor, num_members: int, count: int, shards: Shards) -> Tensor:
    """Which rows (H, K, n) get the label of each cluster, by its scores (H, K, n) and the features (n, D)."""
    members = largest(score, num_members, shards)
    with torch.autocast(score.device.type, enabled=False):
        # all members are equally many: more of them than rows would be all rows
        centers = shards.sum(members.to(feats) @ feats) / min(num_members, sum(shards.sizes(len(feats))))
        similarity = centers @ feats.t()
    return largest(similarity, count, shards)
