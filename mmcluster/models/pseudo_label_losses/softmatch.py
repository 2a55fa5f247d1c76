"""SoftMatch: Gaussian weights instead of a threshold, after uniform alignment (ICLR 2023)."""
from __future__ import annotations

from typing import Any, Optional

import torch
from torch import Tensor

from mmcluster.checks import require_positive, require_share
from mmcluster.functional.labels.thresholds import gaussian_weight, group_moments, moving_mean
from mmcluster.registry import MODELS

from ..bank import SampleBank
from ..boost import Labelled, Unlabelled
from ..gather import gather_rows
from .alignment import DistributionAligner
from .base import MatchLoss, PseudoLabels


@MODELS.register_module()
class SoftMatchLoss(MatchLoss):
    """All rows count; the weight of a row falls with the distance of its confidence below the average.

    Order of a step: alignment, moments of the aligned confidence over all ranks, weights. The pseudo-label is that of
    the predictions before alignment.

    Args:
        num_clusters: K.
        n_sigma: Divides the standard deviation of the Gaussian.
        decay: Weight of the old value in all averages.
        align: ``'uniform'``, ``'labelled'`` (towards the average prediction of the labelled rows), or ``None``.
            Alignment to the uniform distribution takes clusters for balanced.
        per_class: One Gaussian for each predicted class. A class that no row is predicted as keeps its own; one row
            moves the mean alone.
        kwargs: See :class:`MatchLoss`.
    """

    mean: Tensor
    variance: Tensor

    def __init__(self, num_clusters: int, n_sigma: float = 2., decay: float = 0.999, align: Optional[str] = 'uniform',
                 per_class: bool = False, **kwargs: Any):
        require_positive('SoftMatchLoss', n_sigma=n_sigma)
        require_share('SoftMatchLoss', decay=decay)
        super().__init__(num_clusters, **kwargs)
        self.n_sigma = n_sigma
        self.decay = decay
        self.per_class = per_class
        self.aligner = DistributionAligner(num_clusters, align, decay) if align else None
        groups = num_clusters if per_class else 1
        self.register_buffer('mean', torch.full((groups,), 1 / num_clusters))
        self.register_buffer('variance', torch.ones(groups))

    def pseudo_labels(self, prob: Tensor, l: Optional[Labelled], u: Unlabelled, bank: SampleBank) -> PseudoLabels:
        """All rows, by weight; see :meth:`MatchLoss.pseudo_labels`."""
        confidence, group = (prob if self.aligner is None else self.aligner(prob, l, self.moves)).max(1)
        if not self.per_class:
            group = torch.zeros_like(group)
        if self.moves:
            self.update(confidence, group)
        weight = gaussian_weight(confidence, self.mean[group], self.variance[group], self.n_sigma)
        logs = dict(confidence_mean=self.mean.mean(), confidence_std=self.variance.sqrt().mean())
        return PseudoLabels(self.label(prob), weight, logs)

    def thresholds(self) -> Tensor:
        """Average confidence (1,) or (K,), below which the weight falls."""
        return self.mean

    @torch.no_grad()
    def update(self, confidence: Tensor, group: Tensor) -> None:
        """Move the moments with the rows of all ranks.

        Args:
            confidence: (U,).
            group: (U,) long, the Gaussian of each row.
        """
        rows = gather_rows(torch.stack([confidence, group.to(confidence)], 1))
        counts, mean, variance = group_moments(rows[:, 0], rows[:, 1].long(), len(self.mean))
        self.mean.copy_(moving_mean(self.mean, mean, counts.clamp(max=1), self.decay))
        self.variance.copy_(moving_mean(self.variance, variance, (counts - 1).clamp(0, 1), self.decay))
