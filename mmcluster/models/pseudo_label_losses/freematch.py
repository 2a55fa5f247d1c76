"""FreeMatch: thresholds that follow the average confidence, and a fairness term (ICLR 2023)."""
from __future__ import annotations

from typing import Any, Optional

import torch
from torch import Tensor

from mmcluster.checks import require_not_negative, require_share
from mmcluster.functional.labels.thresholds import adaptive_thresholds, linear_quantile, moving_mean
from mmcluster.functional.losses.contrast import at_least_float32
from mmcluster.functional.losses.prototype import one_hot
from mmcluster.functional.losses.pseudo import fairness, masked_sums, positive_mask
from mmcluster.registry import MODELS

from ..bank import SampleBank
from ..boost import Labelled, Unlabelled
from ..gather import gather_rows, reduce_sum, reduce_sum_with_grad
from .base import MatchLoss, PseudoLabels


@MODELS.register_module()
class FreeMatchLoss(MatchLoss):
    """FixMatch with thresholds made of averages, plus the fairness term (eqs. 5-11).

    Order of a step: averages, thresholds, mask, losses. All statistics are those of all ranks.

    Args:
        num_clusters: K.
        decay: Weight of the old value in all averages.
        quantile: Follow this quantile of the confidence, 0.8 in the release, instead of its mean.
        max_threshold: Upper bound of the average confidence, which is stored clipped; 0.95 for SVHN in the release.
        fairness_weight: Weight of the fairness term; 0 leaves it out. It takes clusters for balanced.
        kwargs: See :class:`MatchLoss`.
    """

    time_p: Tensor
    p_model: Tensor
    label_hist: Tensor

    def __init__(self, num_clusters: int, decay: float = 0.999, quantile: Optional[float] = None,
                 max_threshold: Optional[float] = None, fairness_weight: float = 0.001, **kwargs: Any):
        require_share('FreeMatchLoss', decay=decay, max_threshold=max_threshold)
        require_not_negative('FreeMatchLoss', fairness_weight=fairness_weight)
        super().__init__(num_clusters, **kwargs)
        if quantile is not None and not 0 <= quantile <= 1:
            raise ValueError(f'FreeMatchLoss: quantile is a share of the rows in [0, 1], or None for the mean; got '
                             f'{quantile}')
        self.decay = decay
        self.quantile = quantile
        self.max_threshold = max_threshold
        self.fairness_weight = fairness_weight
        uniform = torch.full((num_clusters,), 1 / num_clusters)
        self.register_buffer('time_p', torch.tensor(1 / num_clusters))
        self.register_buffer('p_model', uniform.clone())
        self.register_buffer('label_hist', uniform.clone())

    def pseudo_labels(self, prob: Tensor, l: Optional[Labelled], u: Unlabelled, bank: SampleBank) -> PseudoLabels:
        """The rows at or above the threshold of their class; see :meth:`MatchLoss.pseudo_labels`."""
        if self.moves:
            self.update(prob)
        thresholds = self.thresholds()
        return PseudoLabels(self.label(prob), positive_mask(prob, thresholds), dict(threshold=thresholds.mean()))

    def thresholds(self) -> Tensor:
        """Thresholds (K,) of eqs. 5-7."""
        return adaptive_thresholds(self.time_p, self.p_model)

    def regularise(self, u: Unlabelled, labels: PseudoLabels) -> dict[str, Tensor]:
        """Fairness of the strong view over the chosen rows of all ranks (eqs. 9-11)."""
        if not self.fairness_weight:
            return {}
        prob_sum, hist = masked_sums(at_least_float32(u.logits_strong).softmax(1), labels.weight)
        value = fairness(reduce_sum_with_grad(prob_sum), reduce_sum(hist), self.p_model, self.label_hist)
        return dict(loss_fair=self.fairness_weight * value)

    @torch.no_grad()
    def update(self, prob: Tensor) -> None:
        """Move the averages with the rows of all ranks, chosen or not (eqs. 5-7).

        Args:
            prob: (U, K) softmax of the weak view.
        """
        k = prob.shape[1]
        confidence, label = prob.max(1)
        sums = reduce_sum(torch.cat([prob.sum(0), one_hot(label, k, prob).sum(0), confidence.sum()[None]]))
        total, hist, value = sums.split([k, k, 1])
        rows = hist.sum()
        self.p_model.copy_(moving_mean(self.p_model, total, rows, self.decay))
        self.label_hist.copy_(moving_mean(self.label_hist, hist, rows, self.decay))
        if self.quantile is not None:
            value = linear_quantile(gather_rows(confidence), self.quantile) * rows
        self.time_p.copy_(moving_mean(self.time_p, value.squeeze(), rows, self.decay))
        if self.max_threshold is not None:
            self.time_p.clamp_(0, self.max_threshold)
