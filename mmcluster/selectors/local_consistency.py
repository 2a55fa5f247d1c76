"""Rows whose neighbours agree with them (SPICE eqs. 6-7)."""
from __future__ import annotations

import logging
from typing import Optional

import torch
from mmengine.logging import print_log
from torch import Tensor

from mmcluster.checks import require_count, require_share, require_two_clusters, stated_clusters
from mmcluster.functional.clustering.kmeans import kmeans
from mmcluster.functional.clustering.neighbors import local_consistency
from mmcluster.functional.labels.reliable import reliable_labels
from mmcluster.functional.losses.prototype import one_hot
from mmcluster.functional.shards import WHOLE, Shards
from mmcluster.registry import LABEL_SELECTORS


@LABEL_SELECTORS.register_module()
class LocalConsistency:
    """The rows that share their label with most of their nearest rows and whose prediction is certain.

    Labels are the arg-max of a head's probabilities; without a head they are k-means clusters of the embedding, and
    the demand on the confidence falls away.

    Args:
        num_clusters: K; ``None``: that of the probabilities, or of the model, which a ``SelectHook`` fills in.
        k: Nearest rows that are asked, by cosine of the embedding (paper's N_s).
        ratio: Share of them that must agree (paper's lambda).
        threshold: The largest probability must exceed it (authors' release); ``None`` asks for none (the paper).
        balanced: Cut every cluster to the size of the smallest (authors' release).
        floor: A cluster with fewer reliable rows is topped up to this many by its next best rows. With 0 a cluster
            without a reliable row is an error, if clusters are balanced.
        include_self: The row itself is one of the k (authors' release); ``False``: k others.
        strict: The share must exceed ``ratio`` (the paper) instead of reaching it (authors' release).
        seed: Seed of the balancing draws and of k-means.
    """

    sharded = True

    def __init__(self, num_clusters: Optional[int] = None, k: int = 100, ratio: float = 0.95,
                 threshold: Optional[float] = 0.99, balanced: bool = True, floor: int = 0, include_self: bool = True,
                 strict: bool = False, seed: int = 0):
        require_count('LocalConsistency', k=k)
        require_count('LocalConsistency', least=0, floor=floor)
        require_share('LocalConsistency', ratio=ratio, threshold=threshold)
        require_two_clusters('LocalConsistency', num_clusters)
        self.num_clusters = num_clusters
        self.k = k
        self.ratio = ratio
        self.threshold = threshold
        self.balanced = balanced
        self.floor = floor
        self.include_self = include_self
        self.strict = strict
        self.seed = seed

    def __call__(self, embed: Optional[Tensor], prob: Optional[Tensor] = None, shards: Shards = WHOLE) -> Tensor:
        """Select.

        Args:
            embed: (n, D).
            prob: (n, K) of a head, or ``None``.
            shards: Who holds the N rows.

        Returns:
            (n,) cluster id of the selected rows, -1 elsewhere.

        Raises:
            ValueError: Without an embedding, with another number of clusters than ``num_clusters``, with ``k`` above
                N, with values that are not finite, or if a cluster is left without labels that a balance needs.
        """
        if embed is None:
            raise ValueError("LocalConsistency compares embeddings; use a SelectHook with output='embed+head_probs', "
                             "or 'embed' for k-means labels")
        threshold = self.threshold
        if prob is None:
            threshold = None
            clusters = stated_clusters('LocalConsistency', self.num_clusters)
            label = kmeans(embed, clusters, n_init=10, seed=self.seed, shards=shards).labels
            prob = one_hot(label.to(embed.device), clusters, embed)
        if self.num_clusters not in (None, prob.shape[1]):
            raise ValueError(f'LocalConsistency has num_clusters={self.num_clusters}, the head {prob.shape[1]} '
                             f'clusters; give both one value')
        count = local_consistency(embed, prob.argmax(1), self.k, include_self=self.include_self, shards=shards)
        result = reliable_labels(prob, count, self.k, self.ratio, threshold, self.balanced, self.floor, self.strict,
                                 torch.Generator().manual_seed(self.seed), shards)
        predicted = shards.sum(torch.bincount(prob.argmax(1), minlength=prob.shape[1]))
        self._report(predicted.tolist(), result.reliable, result.labelled)
        return result.target

    @staticmethod
    def _report(sizes: list[int], reliable: Tensor, labelled: Tensor) -> None:
        """Log the sizes of all clusters; a cluster that nobody is assigned to deserves a warning."""
        print_log(f'LocalConsistency, per cluster: {sizes} predicted, {reliable.tolist()} reliable, '
                  f'{labelled.tolist()} labelled', logger='current')
        empty = [cluster for cluster, size in enumerate(sizes) if not size]
        if empty:
            print_log(f'clusters {empty} are predicted for no row; what trains on these labels will know '
                      f'{len(sizes) - len(empty)} clusters', logger='current', level=logging.WARNING)
