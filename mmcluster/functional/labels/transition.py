"""Class transitions, how often images move from one instance class to another (ASD eq. 9), and the map that they give.

A transition from i to j of M instance classes is the code i M + j, so that a window of batches is a ring of codes and
only their sums are dense. Instance classes that exchange images are one cluster, whose name stays (section III-D).
"""
from __future__ import annotations

from typing import NamedTuple, Optional

import numpy as np
import torch
from sklearn.cluster import AgglomerativeClustering, SpectralClustering
from torch import Tensor

from ..clustering.kmedoids import pam
from ..clustering.match import hungarian
from ..losses.prototype import one_hot
from ..scale import min_max

NORMS = ('minmax', 'sym_degree', 'jaccard')
METHODS = ('pam', 'average', 'spectral')
CONNECTED = 1e-9


def transition_codes(old: Tensor, new: Tensor, num_classes: int) -> Tensor:
    """Return the transitions of some images.

    Args:
        old: (U,) long, instance class predicted at the last visit; -1: never seen.
        new: (U,) long, predicted now; -1: unknown.
        num_classes: M.

    Returns:
        (U,) long code ``old * M + new``, -1 where the class is the same or unknown.
    """
    moved = (old >= 0) & (new >= 0) & (old != new)
    return torch.where(moved, old.long() * num_classes + new.long(), -1)


@torch.no_grad()
def record_(ring: Tensor, counts: Tensor, pointer: Tensor, codes: Tensor) -> None:
    """Let a batch enter the window of the last N_b batches and the oldest leave it, in place, without a host sync.

    A batch without transitions takes a place like any other.

    Args:
        ring: (N_b, U) integer codes of the batches in the window, -1 padding; starts at -1.
        counts: (M, M) long, transitions in the window; row: from, column: to.
        pointer: () long, place of the next batch.
        codes: (u,) long, at most U, see :func:`transition_codes`. The same on all ranks.

    Raises:
        ValueError: If there are more codes than places for them.
    """
    if len(codes) > ring.shape[1]:
        raise ValueError(f'a batch of {len(codes)} images does not fit into a ring for {ring.shape[1]} images: give '
                         'num_unlabelled of the labeller the size of the unlabelled stream')
    line = torch.full((1, ring.shape[1]), -1, dtype=ring.dtype, device=ring.device)
    line[0, :len(codes)] = codes
    place = pointer.view(1)
    # the sums move by what enters and what leaves: adding up N_b batches anew would cost N_b times as much (eq. 9)
    for batch, step in ((ring.index_select(0, place)[0], -1), (line[0], 1)):
        counts.view(-1).index_add_(0, batch.clamp(min=0).long(), (batch >= 0).to(counts) * step)
    ring.index_copy_(0, place, line)
    pointer.copy_((pointer + 1) % len(ring))


def _per(total: Tensor, of: Tensor) -> Tensor:
    """Quotient ``of / total``, 0 where the total is 0."""
    return torch.where(total > 0, of / total.where(total > 0, torch.ones_like(total)), torch.zeros_like(of))


def transition_similarity(counts: Tensor, num_batches: int = 1, norm: str = 'minmax', symmetric: bool = True) -> Tensor:
    """Turn transitions into similarities of instance classes (ASD section III-D).

    ``C' = counts / N_b``, made symmetric as ``S = (C' + C'^T) / 2``, then normalised; r and c are sums of rows and
    columns.

    Args:
        counts: (M, M), transitions in the window; row: from, column: to.
        num_batches: N_b, also while the window is not full yet. It cancels out but for rounding.
        norm: What is stretched to [0, 1]: ``'minmax'`` S itself (paper). It suits instance classes that are predicted
            about equally often. ``'sym_degree'``: S_ij / sqrt(r_i c_j). ``'jaccard'``: S_ij / (r_i + c_j - S_ij).
        symmetric: ``False`` leaves C' directed.

    Returns:
        (M, M) float64 in [0, 1]. Edge cases: zeros when all entries are equal; an instance class without transitions
        has a zero row and column.

    Raises:
        ValueError: If ``norm`` is unknown.
    """
    if norm not in NORMS:
        raise ValueError(f'the norm of transitions must be one of {NORMS}, got {norm!r}')
    s = counts.double() / num_batches
    if symmetric:
        s = (s + s.t()) / 2
    rows, columns = s.sum(dim=1, keepdim=True), s.sum(dim=0, keepdim=True)
    if norm == 'sym_degree':
        s = _per((rows * columns).sqrt(), s)
    elif norm == 'jaccard':
        s = _per(rows + columns - s, s)
    return min_max(s)


def dissimilarity(similarity: Tensor) -> Tensor:
    """Return ``1 - similarity`` (M, M) with a zero diagonal."""
    return (1 - similarity).fill_diagonal_(0)


class AlignedMap(NamedTuple):
    """A map whose clusters are named.

    Attributes:
        class_map: (M,) long, cluster of each instance class.
        relabel: (K,) long, new name of each cluster.
        overlap: (K, K), votes; row: name, column: cluster as found.
        total: () votes that the names keep.
    """
    class_map: Tensor
    relabel: Tensor
    overlap: Tensor
    total: Tensor


def cluster_classes(similarity: Tensor, num_clusters: int, method: str = 'pam', starts: int = 4) -> Tensor:
    """Group instance classes by their similarity (ASD: CluAlg).

    Args:
        similarity: (M, M) in [0, 1].
        num_clusters: K.
        method: ``'pam'``: k-medoids on the dissimilarity (paper). ``'average'``: merges by average linkage.
            ``'spectral'``: normalised cut. The last two make the similarity symmetric.
        starts: See :func:`pam`.

    Returns:
        (M,) long on the host; clusters are numbered by their first instance class. Edge cases: with K >= M every
        instance class is a cluster of its own.

    Raises:
        ValueError: If ``method`` is unknown.
    """
    if method not in METHODS:
        raise ValueError(f'the clustering of instance classes must be one of {METHODS}, got {method!r}')
    similarity = similarity.cpu().double()
    if num_clusters >= len(similarity):
        return torch.arange(len(similarity))
    if method == 'pam':
        return first_seen(torch.from_numpy(pam(dissimilarity(similarity).numpy(), num_clusters, starts).label))
    found = (_average if method == 'average' else _spectral)((similarity + similarity.t()) / 2, num_clusters)
    return first_seen(torch.from_numpy(np.asarray(found)).long())


def _average(similarity: Tensor, num_clusters: int) -> np.ndarray:
    """Labels (M,) by merging the two clusters whose members are nearest on average."""
    model = AgglomerativeClustering(num_clusters, metric='precomputed', linkage='average')
    return model.fit_predict(dissimilarity(similarity).numpy())


def _spectral(similarity: Tensor, num_clusters: int) -> np.ndarray:
    """Labels (M,) by the normalised cut; a little similarity everywhere keeps the graph connected."""
    model = SpectralClustering(num_clusters, affinity='precomputed', assign_labels='cluster_qr', random_state=0)
    return model.fit_predict(similarity.clone().fill_diagonal_(1).numpy() + CONNECTED)


def first_seen(label: Tensor) -> Tensor:
    """Number clusters in the order in which they appear.

    Args:
        label: (M,) long, not negative.

    Returns:
        (M,) long, the same partition.
    """
    known, place = np.unique(label.numpy(), return_index=True)
    number = np.empty(int(known.max(initial=-1)) + 1, dtype=np.int64)
    number[known[np.argsort(place)]] = np.arange(len(known))
    return torch.from_numpy(number[label.numpy()])


def class_votes(old_map: Tensor, num_clusters: int, weight: Optional[Tensor] = None) -> Tensor:
    """Let every instance class vote for the cluster that it had.

    Args:
        old_map: (M,) long; -1 does not vote.
        num_clusters: K.
        weight: (M,) weight of each vote, such as how many images are predicted as that class; ``None``: 1.

    Returns:
        (M, K) long, or of the type of the weights.
    """
    weight = torch.ones_like(old_map) if weight is None else weight.to(old_map.device)
    return one_hot(old_map, num_clusters, weight) * weight[:, None]


def align_map(class_map: Tensor, votes: Tensor, num_clusters: int) -> AlignedMap:
    """Name the clusters of a map so that most votes are kept, by the Hungarian method.

    Args:
        class_map: (M,) long as found, in [0, K).
        votes: (M, K), how much instance class j is for cluster c: :func:`class_votes` of the map of last time, or,
            for the first map on a network with a trained head, how many images predicted as j the head gives to c.
        num_clusters: K.

    Returns:
        The map with new names.
    """
    member = one_hot(class_map, num_clusters, votes)
    overlap = (votes[:, :, None] * member[:, None, :]).sum(dim=0)
    relabel = hungarian(overlap.t()).to(class_map.device)
    total = overlap.t().gather(1, relabel[:, None]).sum()
    return AlignedMap(relabel[class_map], relabel, overlap, total)
