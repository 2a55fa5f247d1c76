"""Rows that are drawn once and labelled by k-means among themselves (ASD Fig. 6)."""
from __future__ import annotations

from typing import Optional

import torch
from torch import Tensor

from mmcluster.checks import require_count, require_two_clusters, stated_clusters
from mmcluster.functional.clustering.kmeans import kmeans
from mmcluster.registry import LABEL_SELECTORS


@LABEL_SELECTORS.register_module()
class SampledKMeans:
    """Random rows, the same ones at every call, with the clusters of k-means on these rows alone.

    Args:
        num_rows: How many.
        num_clusters: K; ``None``: that of the model, which a ``SelectHook`` fills in.
        n_init: Restarts of k-means.
        seed: Of the draw and of k-means.
    """

    def __init__(self, num_rows: int, num_clusters: Optional[int] = None, n_init: int = 10, seed: int = 0):
        require_count('SampledKMeans', num_rows=num_rows, n_init=n_init)
        require_two_clusters('SampledKMeans', num_clusters)
        self.num_rows = num_rows
        self.num_clusters = num_clusters
        self.n_init = n_init
        self.seed = seed

    def __call__(self, embed: Optional[Tensor], prob: Optional[Tensor] = None) -> Tensor:
        """Label the rows.

        Args:
            embed: (N, D).
            prob: Not used.

        Returns:
            (N,) cluster of the drawn rows, -1 elsewhere.

        Raises:
            ValueError: Without an embedding, or with fewer rows than are drawn.
        """
        if embed is None:
            raise ValueError("SampledKMeans works on an embedding; use a SelectHook with output='embed'")
        if len(embed) < self.num_rows:
            raise ValueError(f'SampledKMeans: num_rows={self.num_rows}, but there are {len(embed)} images')
        rows = torch.randperm(len(embed), generator=torch.Generator().manual_seed(self.seed))[:self.num_rows]
        rows = rows.to(embed.device)
        clusters = stated_clusters('SampledKMeans', self.num_clusters)
        target = torch.full((len(embed),), -1, device=embed.device)
        target[rows] = kmeans(embed[rows], clusters, n_init=self.n_init, seed=self.seed).labels.to(target)
        return target
