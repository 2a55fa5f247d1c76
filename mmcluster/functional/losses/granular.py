"""Clusters of several granularities: how tight they are, and rows against their prototypes (PCL)."""
from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor
from torch.linalg import vector_norm
from torch.nn import functional as F

from ..shards import WHOLE, Shards
from .contrast import at_least_float32, unit_rows
from .prototype import one_hot


class Concentration(NamedTuple):
    """How tight the clusters of one granularity are.

    Attributes:
        density: (K,) what divides the logits of a cluster (paper's phi): small for a tight one; its mean is the
            temperature.
        prototypes: (K, D) unit rows, zero for a centre that is zero.
        counts: (K,) long, members.
        raw: (K,) before it is clipped and scaled.
        clamped: (K,) clipped, before it is scaled.
    """
    density: Tensor
    prototypes: Tensor
    counts: Tensor
    raw: Tensor
    clamped: Tensor


@torch.no_grad()
def concentration(features: Tensor, label: Tensor, centers: Tensor, temperature: float, offset: float = 10.,
                  low: float = 10., high: float = 90., floor: float = 1e-3, shards: Shards = WHOLE) -> Concentration:
    """Estimate the concentration of every cluster, ``mean |v - c| / log(Z + offset)`` (PCL eq. 12).

    As in the authors' release, a cluster of one image counts as the loosest one, and outliers are clipped.

    Args:
        features: (n, D) unit rows.
        label: (n,) long, the cluster of every row.
        centers: (K, D) as k-means returns them, plain means of the rows.
        temperature: Mean of the densities (paper's tau).
        offset: Keeps small clusters from looking tight (paper's alpha).
        low: Percentile over the clusters to which smaller values rise.
        high: Percentile to which larger values fall.
        floor: Smallest density as a share of the temperature; duplicates of one image have distance 0, which would
            divide by 0.
        shards: Who holds the N rows.

    Edge cases: if no cluster has a spread, or none has two members, every density is the temperature.
    """
    features, centers = at_least_float32(features), at_least_float32(centers).to(features.device)
    # distances from differences: expanded squares lose them in tight clusters
    distance = vector_norm(features - centers.index_select(0, label), dim=1).double()
    counts = shards.sum(torch.bincount(label, minlength=len(centers)))
    mean = shards.sum(distance.new_zeros(len(centers)).index_add_(0, label, distance)) / counts.clamp(min=1)
    raw = mean / (counts.double() + offset).log()     # whole numbers plus a number would be float32
    several = counts > 1
    raw = torch.where(several, raw, raw.masked_fill(~several, 0).max())
    bounds = torch.quantile(raw, raw.new_tensor([low / 100, high / 100]))
    clamped = raw.clamp(bounds[0], bounds[1])
    density = torch.where(clamped.mean() > 0, clamped / clamped.mean(), torch.ones_like(clamped))
    density = temperature * density.clamp(min=floor)
    return Concentration(density.to(centers), unit_rows(centers), counts, raw.to(centers), clamped.to(centers))


def prototype_nce(q: Tensor, label: Tensor, prototypes: Tensor, density: Tensor, columns: Tensor) -> Tensor:
    """Contrast every row with the prototypes, each at its own temperature (PCL eq. 11, ProtoNCE).

    ``-log(exp(q c_s / phi_s) / sum_j n_j exp(q c_j / phi_j))`` with s the row's cluster, q on the unit sphere and n_j
    how often prototype j stands in the softmax.

    Args:
        q: (B, D) queries, any norm; they alone receive a gradient.
        label: (B,) long, the cluster of each row; rows of -1 contribute 0.
        prototypes: (K, D) as they are; constants.
        density: (K,) of the clusters (paper's phi).
        columns: (K,) how often each prototype stands in the softmax, whole numbers; a row's own stands there at least
            once. Clusters that have members once each: the paper with r = K - 1 negatives. :func:`drawn_columns`:
            ProPos' comparison.

    Returns:
        () mean over the rows.

    Edge cases: no other prototype gives 0 with a zero gradient; so does no row at all.
    """
    q, prototypes, density = unit_rows(q), at_least_float32(prototypes.detach()), at_least_float32(density.detach())
    own = one_hot(label, len(prototypes), columns)
    times = torch.maximum(columns.expand_as(own), own).to(q)
    with torch.autocast(q.device.type, enabled=False):
        logits = q @ prototypes.t() / density + times.clamp(min=1).log()
    logits = logits.masked_fill(times == 0, torch.finfo(logits.dtype).min / 2)
    rows = F.cross_entropy(logits, label.clamp(min=0), reduction='none') + (own.to(q) * times.clamp(min=1).log()).sum(1)
    return rows.masked_fill(label < 0, 0).sum() / max(len(q), 1)


def drawn_columns(label: Tensor, num_clusters: int, uniform: Tensor) -> Tensor:
    """Draw prototypes outside of a batch, with replacement: the negatives of ProPos' comparison.

    Args:
        label: (B,) long, clusters of the batch.
        num_clusters: K.
        uniform: (R,) random numbers in [0, 1), one a draw.

    Returns:
        (K,) how often each cluster was drawn; 0 for those of the batch.

    Edge cases: a batch that has all clusters leaves none to draw, and all counts are 0.
    """
    outside = 1 - one_hot(label, num_clusters, uniform).amax(0)
    upto = outside.cumsum(0)
    # the r-th cluster outside of the batch is the first one up to which more than r are
    rank = (uniform * upto[-1]).floor().clamp(max=(upto[-1] - 1).clamp(min=0))
    place = torch.searchsorted(upto, rank, right=True)
    return outside.new_zeros(num_clusters + 1).index_add_(0, place, torch.ones_like(uniform))[:num_clusters] * outside
