"""AdaMatch: alignment to the labelled rows and a threshold relative to their confidence (ICLR 2022)."""
from __future__ import annotations

from typing import Any, Optional

import torch
from torch import Tensor

from mmcluster.checks import require_share
from mmcluster.functional.losses.contrast import at_least_float32
from mmcluster.functional.losses.pseudo import known_rows
from mmcluster.registry import MODELS

from ..bank import SampleBank
from ..boost import Labelled, Unlabelled
from .alignment import DistributionAligner, row_sums
from .base import MatchLoss, PseudoLabels


@MODELS.register_module()
class AdaMatchLoss(MatchLoss):
    """Aligned predictions give label and mask; labelled and unlabelled rows of all ranks enter the averages.

    Without any labelled row their confidence counts as 1, which leaves a fixed threshold.

    Args:
        num_clusters: K.
        threshold: Share of the labelled rows' mean confidence that a row needs; 0.95 in the release, 0.9 in the paper.
        decay: Weight of the old value in the averages.
        kwargs: See :class:`MatchLoss`.
    """

    last_cutoff: Tensor

    def __init__(self, num_clusters: int, threshold: float = 0.95, decay: float = 0.999, **kwargs: Any):
        require_share('AdaMatchLoss', threshold=threshold, decay=decay)
        super().__init__(num_clusters, **kwargs)
        self.threshold = threshold
        self.aligner = DistributionAligner(num_clusters, 'labelled', decay)
        self.register_buffer('last_cutoff', torch.full((1,), threshold), persistent=False)   # for the log alone

    def pseudo_labels(self, prob: Tensor, l: Optional[Labelled], u: Unlabelled, bank: SampleBank) -> PseudoLabels:
        """The rows at or above the cutoff; see :meth:`MatchLoss.pseudo_labels`."""
        aligned = self.aligner(prob, l, self.moves)
        cutoff = self.cutoff(prob, l)
        if self.moves:
            self.last_cutoff.copy_(cutoff)
        return PseudoLabels(self.label(aligned), aligned.amax(1) >= cutoff, dict(threshold=cutoff))

    def thresholds(self) -> Tensor:
        """Cutoff (1,) of the last step, which depends on its labelled rows."""
        return self.last_cutoff

    def cutoff(self, prob: Tensor, l: Optional[Labelled]) -> Tensor:
        """Confidence that a row needs.

        Args:
            prob: (U, K), gives device and type.
            l: Labelled rows, of which those with a label count, or ``None``.

        Returns:
            ().
        """
        if l is None:
            return prob.new_full((), self.threshold)
        confidence = at_least_float32(l.logits.detach()).softmax(1).amax(1, keepdim=True)
        total, rows = row_sums(confidence, known_rows(l.labels))
        return self.threshold * (total / rows.clamp(min=1)).where(rows > 0, 1.)
