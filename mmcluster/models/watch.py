"""Counts of clusters that a booster predicts and hands out while it trains."""
from __future__ import annotations

from typing import Optional

import torch
from torch import Tensor, nn

from mmcluster.functional.losses.prototype import one_hot

from .gather import reduce_sum


class ClusterWatch(nn.Module):
    """Counts what the head predicts for unlabelled rows, and which labels labelled rows get.

    It counts once :meth:`start` was called, which a ``CollapseHook`` does, and never waits for the device. Its buffers
    are equal on all ranks. They are not in checkpoints: the hook reads and clears them at the end of every epoch,
    before a checkpoint is made.

    Args:
        num_clusters: K; ``None`` where the head does not tell.

    Attributes:
        predicted: (K,) long, predictions for weak views of unlabelled rows, in the steps that had labels.
        given: (K,) long, labels of labelled rows; soft ones by their largest entry.
    """

    predicted: Tensor
    given: Tensor

    def __init__(self, num_clusters: Optional[int]):
        super().__init__()
        self.num_clusters = num_clusters or 0
        self.register_buffer('predicted', torch.zeros(self.num_clusters, dtype=torch.long), persistent=False)
        self.register_buffer('given', torch.zeros(self.num_clusters, dtype=torch.long), persistent=False)
        self.host = dict(counts=False)

    def start(self) -> None:
        """Count from now on.

        Raises:
            ValueError: If the number of clusters is not known.
        """
        if not self.num_clusters:
            raise ValueError('clusters cannot be counted: the head has no attribute num_clusters')
        self.host['counts'] = True

    @torch.no_grad()
    def forward(self, logits: Tensor, target: Optional[Tensor]) -> None:
        """Count the rows of one step over all ranks.

        Args:
            logits: (U, K) of the weak view; or (H, U, K), of which every head counts.
            target: (L,) labels, -1 is none, or soft ones (L, K); ``None`` without a labelled stream.
        """
        if not (self.training and self.host['counts']):
            return
        found = self._sums(logits.argmax(-1).flatten())
        if target is None:
            given = torch.zeros_like(found)
        elif target.dim() == 1:
            given = self._sums(target)
        else:
            given = self._sums(target.argmax(1).masked_fill(target.amax(1) <= 0, -1))
        counts = reduce_sum(torch.cat([found, given]))
        self.predicted.add_(counts[:self.num_clusters])
        self.given.add_(counts[self.num_clusters:])

    def _sums(self, label: Tensor) -> Tensor:
        """Rows (K,) of each cluster among labels (B,)."""
        return one_hot(label, self.num_clusters, self.predicted).sum(dim=0)

    def pop_counts(self) -> tuple[Tensor, Tensor]:
        """Hand over ``predicted`` and ``given`` (K,) on the host, and begin anew. Waits for the device: for hooks."""
        found = torch.stack([self.predicted, self.given]).cpu()
        self.predicted.zero_()
        self.given.zero_()
        return found[0], found[1]
