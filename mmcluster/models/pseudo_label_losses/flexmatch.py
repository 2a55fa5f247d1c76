"""FlexMatch: lower thresholds for classes that are learned slowly (NeurIPS 2021)."""
from __future__ import annotations

from typing import Any, Optional

import torch
from torch import Tensor

from mmcluster.checks import require_share
from mmcluster.functional.labels.thresholds import curriculum_progress, curriculum_thresholds
from mmcluster.functional.losses.pseudo import positive_mask
from mmcluster.registry import MODELS

from ..bank import SampleBank
from ..boost import Labelled, Unlabelled
from .base import MatchLoss, PseudoLabels


@MODELS.register_module()
class FlexMatchLoss(MatchLoss):
    """FixMatch with a threshold per class.

    Order of a step: thresholds, mask, then ``bank.selected`` remembers the class of the rows that reach the full
    threshold, then ``progress`` is counted anew. ``bank.selected`` has a row for every image of the training set, so
    the unlabelled stream should draw from all of them.

    Args:
        num_clusters: K.
        threshold: Confidence that the best learned class needs, paper's tau.
        warmup: Keep thresholds low while more images are without a class than any class has.
        kwargs: See :class:`MatchLoss`.
    """

    fields = dict(selected=dict())
    progress: Tensor

    def __init__(self, num_clusters: int, threshold: float = 0.95, warmup: bool = True, **kwargs: Any):
        require_share('FlexMatchLoss', threshold=threshold)
        super().__init__(num_clusters, **kwargs)
        self.threshold = threshold
        self.warmup = warmup
        self.register_buffer('progress', torch.zeros(num_clusters))

    def pseudo_labels(self, prob: Tensor, l: Optional[Labelled], u: Unlabelled, bank: SampleBank) -> PseudoLabels:
        """The rows at or above the threshold of their class; see :meth:`MatchLoss.pseudo_labels`."""
        thresholds = self.thresholds()
        mask = positive_mask(prob, thresholds)
        if self.moves:
            self.update(prob, u.index, bank)
        return PseudoLabels(self.label(prob), mask, dict(threshold=thresholds.mean()))

    def thresholds(self) -> Tensor:
        """Thresholds (K,) by the learning status of the classes."""
        return curriculum_thresholds(self.progress, self.threshold)

    @torch.no_grad()
    def update(self, prob: Tensor, index: Tensor, bank: SampleBank) -> None:
        """Remember the confident classes of the rows of all ranks and count them.

        Args:
            prob: (U, K) softmax of the weak view.
            index: (U,) data set index; of an image that occurs twice the last row in rank order counts.
            bank: Holds ``selected`` (N,).
        """
        confidence, label = prob.max(1)
        bank.write(index, confidence >= self.threshold, selected=label)
        self.progress.copy_(curriculum_progress(self.progress, bank.field('selected'), self.warmup))
