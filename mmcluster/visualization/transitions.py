"""Class transitions as a picture: instance classes in the order of their clusters (ASD Fig. 6d)."""
from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from mmcluster.functional.labels.transition import transition_similarity


class OrderedTransitions(NamedTuple):
    """Similarities of instance classes that lie together by cluster.

    Attributes:
        similarity: (M, M) float64 in [0, 1].
        order: (M,) long, instance class of each row and column.
        starts: First row of each cluster that occurs, ascending.
        clusters: Number of each of them; -1 is no cluster.
    """
    similarity: Tensor
    order: Tensor
    starts: list[int]
    clusters: list[int]


def order_transitions(counts: Tensor, class_map: Tensor, norm: str = 'minmax',
                      symmetric: bool = True) -> OrderedTransitions:
    """Normalise transitions and put instance classes of one cluster side by side.

    A good map shows blocks on the diagonal. Inside a cluster the classes with the most transitions come first.

    Args:
        counts: (M, M) transitions; row: from, column: to.
        class_map: (M,) long, cluster of each instance class; -1, none yet, comes last.
        norm: See :func:`~mmcluster.functional.labels.transition.transition_similarity`.
        symmetric: ``False`` leaves the transitions directed.
    """
    activity = counts.sum(dim=0) + counts.sum(dim=1)
    order = torch.argsort(activity, descending=True, stable=True)
    cluster = class_map[order]
    order = order[torch.argsort(cluster.where(cluster >= 0, cluster.max() + 1), stable=True)]
    similarity = transition_similarity(counts, 1, norm, symmetric)[order][:, order]
    clusters = class_map[order].tolist()
    starts = [place for place, one in enumerate(clusters) if place == 0 or clusters[place - 1] != one]
    return OrderedTransitions(similarity, order, starts, [clusters[place] for place in starts])
