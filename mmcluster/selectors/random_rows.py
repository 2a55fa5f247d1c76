"""Random rows of each cluster: what a ranked selection is compared with."""
from __future__ import annotations

from typing import Optional

from torch import Tensor

from mmcluster.checks import require_two_clusters, stated_clusters
from mmcluster.functional.clustering.kmeans import kmeans
from mmcluster.functional.labels.select import select_at_random, to_target
from mmcluster.functional.shards import WHOLE, Shards
from mmcluster.registry import LABEL_SELECTORS

from .ranked import check_share


@LABEL_SELECTORS.register_module()
class RandomRows:
    """floor(sigma N / K) rows of each cluster at random (ClusMatch's Table 7).

    Args:
        sigma: Share of the data set to select, in (0, 1].
        num_clusters: K; ``None``: that of the model, which a ``SelectHook`` fills in.
        seed: Seed of the draw, and of k-means.
    """

    sharded = True

    def __init__(self, sigma: float, num_clusters: Optional[int] = None, seed: int = 0):
        check_share(sigma)
        require_two_clusters('RandomRows', num_clusters)
        self.num_clusters = num_clusters
        self.sigma = sigma
        self.seed = seed

    def __call__(self, embed: Optional[Tensor], prob: Optional[Tensor] = None, shards: Shards = WHOLE) -> Tensor:
        """Select from the arg-max classes of a head, or else from the k-means clusters of an embedding.

        Args:
            embed: (n, D), not used beside probabilities.
            prob: (n, K).
            shards: Who holds the N rows.

        Returns:
            (n,) cluster of the selected rows, -1 elsewhere.
        """
        clusters = stated_clusters('RandomRows', self.num_clusters)
        if prob is not None:
            label = prob.argmax(1)
        else:
            assert embed is not None
            label = kmeans(embed, clusters, seed=self.seed, shards=shards).labels
        return to_target(select_at_random(shards.gather(label), clusters, self.sigma, self.seed), len(label), shards)
