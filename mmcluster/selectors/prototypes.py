"""Prototypes accompanied by their neighbours (ASD section III-C)."""
from __future__ import annotations

from typing import Optional

from torch import Tensor

from mmcluster.checks import require_choice, require_count, require_two_clusters, stated_clusters
from mmcluster.functional.clustering.kmeans import kmeans
from mmcluster.functional.labels.select import accompanied_prototypes, to_target
from mmcluster.functional.losses.contrast import unit_rows
from mmcluster.functional.shards import WHOLE, Shards
from mmcluster.registry import LABEL_SELECTORS

INITS = ('k-means++', 'random')


@LABEL_SELECTORS.register_module()
class AccompaniedPrototypes:
    """The rows nearest to the centres of k-means, equally many of each, no row twice; ASD_PS draws from them.

    Args:
        num_clusters: K; ``None``: that of the model, which a ``SelectHook`` fills in.
        per_cluster: Rows of each centre, n_l / K.
        n_init: Restarts of k-means.
        seed: Seed of k-means.
        init: What k-means begins with: ``'k-means++'``, greedily, or ``'random'`` rows (the paper's ablation).
    """

    sharded = True

    def __init__(self, num_clusters: Optional[int] = None, per_cluster: int = 4, n_init: int = 1, seed: int = 0,
                 init: str = 'k-means++'):
        require_count('AccompaniedPrototypes', per_cluster=per_cluster, n_init=n_init)
        require_two_clusters('AccompaniedPrototypes', num_clusters)
        require_choice('AccompaniedPrototypes', INITS, init=init)
        self.num_clusters = num_clusters
        self.per_cluster = per_cluster
        self.n_init = n_init
        self.seed = seed
        self.init = init

    def __call__(self, embed: Optional[Tensor], prob: Optional[Tensor] = None, shards: Shards = WHOLE) -> Tensor:
        """Select from an embedding.

        Args:
            embed: (n, D).
            prob: Not used.
            shards: Who holds the N rows.

        Returns:
            (n,) centre of the selected rows, -1 elsewhere.

        Raises:
            ValueError: Without an embedding, or with fewer images than rows are asked for.
        """
        if embed is None:
            raise ValueError("AccompaniedPrototypes works on an embedding; use a SelectHook with output='embed'")
        clusters = stated_clusters('AccompaniedPrototypes', self.num_clusters)
        total = sum(shards.sizes(len(embed)))
        if total < clusters * self.per_cluster:
            raise ValueError(f'AccompaniedPrototypes: {total} images cannot give each of {clusters} '
                             f'clusters per_cluster={self.per_cluster} of its own; lower it')
        rows = unit_rows(embed)
        result = kmeans(rows, clusters, n_init=self.n_init, seed=self.seed, metric='cosine',
                        init='random' if self.init == 'random' else None, shards=shards)
        chosen = accompanied_prototypes(rows, result.centers, self.per_cluster, shards)
        return to_target(chosen, len(rows), shards)
