"""FixMatch: one fixed confidence threshold (NeurIPS 2020)."""
from __future__ import annotations

from typing import Any, Optional

from torch import Tensor

from mmcluster.checks import require_share
from mmcluster.registry import MODELS

from ..bank import SampleBank
from ..boost import Labelled, Unlabelled
from .base import MatchLoss, PseudoLabels


@MODELS.register_module()
class FixMatchLoss(MatchLoss):
    """Rows whose weak view is confident teach their strong view. No state.

    Args:
        num_clusters: K. Not needed; the other losses need it, so that a change of ``type`` alone swaps the loss.
        threshold: Confidence that a row needs, paper's tau.
        kwargs: See :class:`MatchLoss`.
    """

    def __init__(self, num_clusters: Optional[int] = None, threshold: float = 0.95, **kwargs: Any):
        require_share('FixMatchLoss', threshold=threshold)
        super().__init__(num_clusters, **kwargs)
        self.threshold = threshold

    def pseudo_labels(self, prob: Tensor, l: Optional[Labelled], u: Unlabelled, bank: SampleBank) -> PseudoLabels:
        """The rows at or above the threshold; see :meth:`MatchLoss.pseudo_labels`."""
        return PseudoLabels(self.label(prob), prob.amax(1) >= self.threshold, {})
