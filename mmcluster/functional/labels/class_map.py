"""The map from instance classes to clusters: clustering of transitions, and names that stay (ASD section III-D)."""
from __future__ import annotations

from typing import NamedTuple, Optional

import numpy as np
import torch
from sklearn.cluster import AgglomerativeClustering, SpectralClustering
from torch import Tensor

from ..clustering.kmedoids import pam
from ..clustering.match import hungarian
from ..losses.prototype import one_hot
from .transition import dissimilarity

METHODS = ('pam', 'average', 'spectral')
CONNECTED = 1e-9


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
