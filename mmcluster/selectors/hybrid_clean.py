"""Rows of a clustering that are clean by confidence and by their neighbours (RUC section 3.1)."""
from __future__ import annotations

from typing import Optional

import torch
from torch import Tensor

from mmcluster.checks import require_count, require_share, require_two_clusters
from mmcluster.functional.finite import require_finite
from mmcluster.functional.losses.ruc import HOW, clean_rows
from mmcluster.functional.shards import WHOLE, Shards
from mmcluster.registry import LABEL_SELECTORS


@LABEL_SELECTORS.register_module()
class HybridClean:
    """The rows that a clustering is sure of and whose neighbours, by another network, mostly agree.

    A row's label is the arg-max of the clustering's probabilities. The embedding is usually that of another network:
    ``SelectHook(output='head_probs', embed=dict(network=..., output='project'))``.

    Args:
        num_clusters: K; ``None``: that of the probabilities.
        how: ``'confidence'``, ``'metric'`` (neighbours agree) or ``'hybrid'``: both (released scripts).
        threshold: Probability that a sure row reaches.
        k: Nearest rows that vote, the row itself one of them.
    """

    sharded = True

    def __init__(self, num_clusters: Optional[int] = None, how: str = 'hybrid', threshold: float = 0.99, k: int = 100):
        require_share('HybridClean', threshold=threshold)
        require_count('HybridClean', k=k)
        require_two_clusters('HybridClean', num_clusters)
        if how not in HOW:
            raise ValueError(f'HybridClean: how is one of {HOW}, got {how!r}')
        self.num_clusters = num_clusters
        self.how = how
        self.threshold = threshold
        self.k = k

    def __call__(self, embed: Optional[Tensor], prob: Optional[Tensor] = None, shards: Shards = WHOLE) -> Tensor:
        """Select.

        Args:
            embed: (n, D); not needed for ``how='confidence'``.
            prob: (n, K) of the clustering.
            shards: Who holds the N rows.

        Returns:
            (n,) cluster id of the clean rows, -1 elsewhere.

        Raises:
            ValueError: If something is missing, for another number of clusters, with fewer than k rows, or with values
                that are not finite.
        """
        if prob is None or (embed is None and self.how != 'confidence'):
            raise ValueError("HybridClean needs a clustering's probabilities and, but for how='confidence', an "
                             "embedding; use a SelectHook with output='head_probs' and embed=dict(network=..., "
                             "output='project')")
        if self.num_clusters not in (None, prob.shape[1]):
            raise ValueError(f'HybridClean has num_clusters={self.num_clusters}, the head {prob.shape[1]} clusters; '
                             f'give both one value')
        require_finite(prob, 'HybridClean: probabilities', shards=shards)
        label = prob.argmax(1)
        keep = clean_rows(prob.log(), embed, label, self.how, self.threshold, self.k, shards=shards)
        return torch.where(keep, label, -1)
