"""The most confident rows of each cluster (ClusMatch section 3.3).

A label selector is a callable ``(embed (N, D) | None, prob (N, K) | None) -> target (N,)``, -1 = not selected. With
``sharded = True`` it takes ``shards`` too, and the three are those of this holder's rows.
"""
from __future__ import annotations

from typing import Optional

from torch import Tensor

from mmcluster.checks import require_choice, require_count, require_two_clusters, stated_clusters
from mmcluster.functional.clustering.kmeans import METRICS, kmeans
from mmcluster.functional.labels.select import select_by_distance, select_by_variance, to_target
from mmcluster.functional.shards import WHOLE, Shards
from mmcluster.registry import LABEL_SELECTORS


@LABEL_SELECTORS.register_module()
class CentroidDistance:
    """The rows nearest to the centre of their k-means cluster, floor(sigma N / K) of each.

    Args:
        sigma: Share of the data set to select, in (0, 1].
        num_clusters: K; ``None``: that of the model, which a ``SelectHook`` fills in.
        distance: ``'cosine'``, or ``'euclidean'`` on raw features (release).
        to: ``'assigned'`` centre, or the ``'nearest'`` of all centres (release).
        n_init: Restarts of k-means.
        seed: Seed of k-means.
    """

    sharded = True

    def __init__(self, sigma: float, num_clusters: Optional[int] = None, distance: str = 'cosine', to: str = 'assigned',
                 n_init: int = 10, seed: int = 0):
        require_count('CentroidDistance', n_init=n_init)
        require_choice('CentroidDistance', METRICS, distance=distance)
        require_choice('CentroidDistance', ('assigned', 'nearest'), to=to)
        check_share(sigma)
        require_two_clusters('CentroidDistance', num_clusters)
        self.num_clusters = num_clusters
        self.sigma = sigma
        self.distance = distance
        self.to = to
        self.n_init = n_init
        self.seed = seed

    def __call__(self, embed: Optional[Tensor], prob: Optional[Tensor] = None, shards: Shards = WHOLE) -> Tensor:
        """Select from an embedding.

        Args:
            embed: (n, D).
            prob: Not used.
            shards: Who holds the N rows.

        Returns:
            (n,) cluster id of the selected rows, -1 elsewhere.
        """
        if embed is None:
            raise ValueError('CentroidDistance works on an embedding; use a SelectHook with output=\'embed\'')
        clusters = stated_clusters('CentroidDistance', self.num_clusters)
        result = kmeans(embed, clusters, n_init=self.n_init, seed=self.seed, shards=shards)
        chosen = select_by_distance(embed, result.labels, result.centers, self.sigma, self.distance, self.to, shards)
        return to_target(chosen, len(embed), shards)


@LABEL_SELECTORS.register_module()
class ProbabilityVariance:
    """The rows whose probabilities vary most, floor(sigma N / K) of each arg-max class.

    Args:
        sigma: Share of the data set to select, in (0, 1].
    """

    sharded = True

    def __init__(self, sigma: float):
        check_share(sigma)
        self.sigma = sigma

    def __call__(self, embed: Optional[Tensor], prob: Optional[Tensor] = None, shards: Shards = WHOLE) -> Tensor:
        """Select from probabilities.

        Args:
            embed: Not used.
            prob: (n, K).
            shards: Who holds the N rows.

        Returns:
            (n,) arg-max class of the selected rows, -1 elsewhere.
        """
        if prob is None:
            raise ValueError('ProbabilityVariance works on a head\'s probabilities; use a SelectHook with '
                             'output=\'head_probs\' and a model with a trained head')
        return to_target(select_by_variance(prob, self.sigma, shards), len(prob), shards)


def check_share(sigma: float) -> None:
    """Refuse a share outside (0, 1].

    Raises:
        ValueError: If sigma is not a share.
    """
    if not 0 < sigma <= 1:
        raise ValueError(f'sigma is the share of the data set to select, in (0, 1]; got {sigma}')
