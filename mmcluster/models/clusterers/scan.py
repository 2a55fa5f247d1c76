"""SCAN, clustering step: an image and its neighbours in feature space share a cluster (ECCV 2020)."""
from __future__ import annotations

import math
from typing import Any, Optional, Sequence

import torch
from mmengine.dist import get_world_size
from torch import Tensor

from mmcluster.checks import require_count, require_not_negative
from mmcluster.functional.losses.consistency import pair_selection_loss, scan_loss
from mmcluster.functional.losses.contrast import at_least_float32
from mmcluster.functional.shards import WHOLE, Shards
from mmcluster.registry import MODELS
from mmcluster.structures import Batch

from ..bank import SampleBank
from ..gather import reduce_sum_with_grad
from .multi_head import MultiHeadClusterer


@MODELS.register_module()
class SCAN(MultiHeadClusterer):
    """Heads, and by default the network below them, trained to agree on neighbours and to use all clusters.

    A ``NeighborHook`` mines ``bank.neighbors`` (N, k + 1) once, from the features of an older network. Each step
    draws a stream ``anchor`` and one neighbor of every anchor, ``neighbor=dict(of='anchor', pool='neighbors')``;
    the image itself is one of its neighbours, as in the release.

    Args:
        num_neighbors: k, neighbours of an image besides itself.
        entropy_weight: Weight of the entropy of the mean prediction in training (paper's lambda).
        selection_entropy_weight: The same in the statistic by which a head and an epoch are kept.
        prior: (K,) expected shares of the clusters, in any order, for data of unequal classes: the mean prediction is
            drawn to these shares instead of to equal ones (their relative entropy takes the place of the negative
            entropy). ``None``: equal.
        kwargs: See :class:`MultiHeadClusterer`; ``freeze=True`` trains heads only. The bank needs nothing but
            ``num_samples``.

    Raises:
        ValueError: Without a bank, or with a prior that is none.
    """

    bank: SampleBank
    log_prior: Optional[Tensor]

    def __init__(self, *args: Any, num_neighbors: int = 20, entropy_weight: float = 5.,
                 selection_entropy_weight: float = 1., prior: Optional[Sequence[float]] = None, **kwargs: Any):
        require_count('SCAN', num_neighbors=num_neighbors)
        require_not_negative('SCAN', entropy_weight=entropy_weight, selection_entropy_weight=selection_entropy_weight)
        super().__init__(*args, **kwargs)
        if self.bank is None:
            raise ValueError('SCAN keeps the neighbours of every image: give it bank=dict(num_samples=None)')
        self.num_neighbors = num_neighbors
        self.entropy_weight = entropy_weight
        self.selection_entropy_weight = selection_entropy_weight
        self.register_buffer('log_prior', None if prior is None else _log_shares(prior, self.num_clusters), False)
        self.bank.add_field('neighbors', shape=(num_neighbors + 1,))

    def loss(self, anchor: Batch, neighbor: Batch) -> dict[str, Tensor]:
        """Agreement of anchors with their neighbours and entropy of the anchors' mean, summed over heads (eq. 2).

        The two streams are two forward passes, so batch norm sees them apart; the mean is that of all ranks.

        Args:
            anchor: One view (B, C, H, W).
            neighbor: One view of a neighbour of each.

        Returns:
            ``loss_consistency``, ``loss_entropy``, and the entropy itself, mean over heads.
        """
        log_p, log_q = (at_least_float32(self.head(self.features(stream.views[0]))).log_softmax(2)
                        for stream in (anchor, neighbor))
        # the entropy of the mean is not the mean of entropies: a process alone would ask its few rows for all clusters
        mean = reduce_sum_with_grad(log_p.exp().sum(1)) / (log_p.shape[1] * get_world_size())
        loss = scan_loss(log_p, log_q, self.entropy_weight, mean, self.log_prior)
        return dict(loss_consistency=loss.consistency.sum(), loss_entropy=self.entropy_weight * loss.inequality.sum(),
                    entropy=loss.entropy.detach().mean())

    def selection_losses(self, logits: Tensor, shards: Shards = WHOLE) -> Tensor:
        """Loss of every head over all images and all their neighbours.

        Args:
            logits: (n, H, K) of this rank.
            shards: Who holds the N rows.

        Returns:
            (H,).
        """
        neighbors = shards.own(self.stored_neighbors("dict(type='NeighborHook', ...)"), len(logits))
        return pair_selection_loss(logits.softmax(2).transpose(0, 1), neighbors, self.selection_entropy_weight,
                                   log_prior=self.log_prior, shards=shards)


def _log_shares(prior: Sequence[float], num_clusters: int) -> Tensor:
    """Logarithm (K,) of shares that are scaled to sum 1."""
    if len(prior) != num_clusters or not all(0 < share < math.inf for share in prior):
        raise ValueError(f'SCAN: prior must be {num_clusters} positive shares, one a cluster, got {list(prior)}')
    return torch.tensor([math.log(share / sum(prior)) for share in prior])
