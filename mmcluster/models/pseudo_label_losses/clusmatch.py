"""ClusMatch: adaptive positive and negative pseudo-labels and k-means pseudo-labels (TPAMI 2025)."""
from __future__ import annotations

from typing import Optional

import torch
from torch import Tensor

from mmcluster.checks import require_choice, require_not_negative, require_share, require_two_clusters
from mmcluster.functional.labels.thresholds import moving_mean
from mmcluster.functional.losses import pseudo
from mmcluster.registry import MODELS

from ..bank import SampleBank
from ..boost import Labelled, Unlabelled
from ..gather import reduce_sum, reduce_sum_with_grad
from .base import PseudoLabelLoss


@MODELS.register_module()
class ClusMatchLoss(PseudoLabelLoss):
    """L_sup + delta L_ppl + beta L_npl + gamma L_kpl, plus the release's fairness term (eq. 4).

    Order of a step: move the threshold averages with this batch (in training mode), thresholds, masks, losses. All
    statistics are sums over ranks. ``bank.label`` holds the k-means pseudo-labels, aligned to the head's clusters.

    Args:
        num_clusters: K.
        ppl_weight: delta, weight of positive pseudo-labels (eq. 16).
        npl_weight: beta, weight of negative pseudo-labels (eq. 14).
        kpl_weight: gamma, weight of k-means pseudo-labels (eq. 3).
        fairness_weight: Weight of the fairness term; 0 leaves it out, as the paper does.
        decay: Weight of the old value in all averages (paper's m).
        absent: ``'keep'`` the thresholds of clusters that no rank predicts in a step, or ``'decay'`` them (release).
        exclude_kmeans_from_negative: Never push a row away from its k-means cluster.
        thresholds: ``None``: adaptive (eqs. 8, 15). (positive, negative): fixed for all clusters, the paper's ablation
            with 0.99 and 0.01.
        clamp: Clamp the argument of the logarithm in eq. 14 as the release does, instead of working in log-space.
    """

    fields = dict(label=dict())
    weights_needing_labels = dict(kpl_weight='label')
    negative_thresholds: Tensor
    p_model: Tensor
    label_hist: Tensor

    def __init__(self, num_clusters: int, ppl_weight: float = 0.5, npl_weight: float = 0.5, kpl_weight: float = 0.5,
                 fairness_weight: float = 0.001, decay: float = 0.999, absent: str = 'keep',
                 exclude_kmeans_from_negative: bool = True, thresholds: Optional[tuple[float, float]] = None,
                 clamp: bool = False):
        require_not_negative('ClusMatchLoss', ppl_weight=ppl_weight, npl_weight=npl_weight, kpl_weight=kpl_weight,
                             fairness_weight=fairness_weight)
        require_share('ClusMatchLoss', decay=decay)
        require_choice('ClusMatchLoss', ('keep', 'decay'), absent=absent)
        if thresholds is not None:
            require_share('ClusMatchLoss', **dict(zip(('positive threshold', 'negative threshold'), thresholds)))
        super().__init__()
        require_two_clusters('ClusMatchLoss', num_clusters)
        self.num_clusters = num_clusters
        self.ppl_weight = ppl_weight
        self.npl_weight = npl_weight
        self.kpl_weight = kpl_weight
        self.fairness_weight = fairness_weight
        self.decay = decay
        self.absent = absent
        self.exclude_kmeans_from_negative = exclude_kmeans_from_negative
        self.fixed = thresholds
        self.clamp = clamp
        uniform = torch.full((num_clusters,), 1 / num_clusters)
        off_diagonal = 1 - torch.eye(num_clusters)
        self.register_buffer('negative_thresholds', off_diagonal / num_clusters)
        self.register_buffer('p_model', uniform.clone())
        self.register_buffer('label_hist', uniform.clone())

    def loss(self, l: Optional[Labelled], u: Unlabelled, bank: SampleBank) -> dict[str, Tensor]:
        """One step (eq. 4).

        Args:
            l: Labelled rows with targets (L,) or (L, K), or ``None``.
            u: Unlabelled rows.
            bank: Holds the k-means labels.

        Returns:
            The weighted terms, and the share of rows with a positive label and of excluded clusters.
        """
        prob = u.logits_weak.softmax(1)
        pseudo_label = prob.argmax(1)
        kmeans_label = bank.read('label', u.index)
        if self.moves:
            self.update(prob)
        positive = pseudo.positive_mask(prob, self.thresholds())
        # eq. 8: the rows of negative_thresholds sum to tau_global
        negative = pseudo.negative_mask(prob, self.negative_thresholds if self.fixed is None else torch.full_like(
            self.negative_thresholds, self.fixed[1]))
        if self.exclude_kmeans_from_negative:
            negative = pseudo.exclude_class(negative, kmeans_label)
        losses = dict(positive_share=positive.sum() / max(positive.numel(), 1),
                      negative_share=negative.sum() / max(negative.numel(), 1))
        if l is not None:
            losses['loss_sup'] = pseudo.masked_cross_entropy(l.logits, l.labels)
        if self.ppl_weight:
            losses['loss_ppl'] = self.ppl_weight * pseudo.masked_cross_entropy(u.logits_strong, pseudo_label, positive)
        if self.npl_weight:
            losses['loss_npl'] = self.npl_weight * pseudo.negative_learning(u.logits_strong, negative,
                                                                            clamp=self.clamp)
        if self.kpl_weight:
            losses['loss_kpl'] = self.kpl_weight * pseudo.masked_cross_entropy(u.logits_strong, kmeans_label, positive)
        if self.fairness_weight:
            losses['loss_fair'] = self.fairness_weight * self.fairness(u.logits_strong, positive)
        return losses

    def thresholds(self) -> Tensor:
        """Positive thresholds (K,) of eq. 15, or those that are fixed."""
        if self.fixed is not None:
            return torch.full_like(self.p_model, self.fixed[0])
        return pseudo.positive_thresholds(self.negative_thresholds)

    @torch.no_grad()
    def update(self, prob: Tensor) -> None:
        """Move thresholds and label statistics with the rows of all ranks (eqs. 9-12).

        Args:
            prob: (U, K) softmax of the weak view.
        """
        k = prob.shape[1]
        sums, counts = pseudo.threshold_sums(prob)
        stats = reduce_sum(torch.cat([sums.flatten(), counts.to(sums), prob.sum(0)]))
        sums, counts, total = stats.split([k * k, k, k])
        self.negative_thresholds.copy_(pseudo.update_negative_thresholds(
            self.negative_thresholds, sums.view(k, k), counts, self.decay, self.absent))
        rows = counts.sum()
        self.p_model.copy_(moving_mean(self.p_model, total, rows, self.decay))
        self.label_hist.copy_(moving_mean(self.label_hist, counts, rows, self.decay))

    def fairness(self, logits: Tensor, positive: Tensor) -> Tensor:
        """Release's fairness term over the positive rows of all ranks.

        Args:
            logits: (U, K) strong view.
            positive: (U,) bool.

        Returns:
            (), 0 when no row is positive.
        """
        prob_sum, hist = pseudo.masked_sums(logits.softmax(1), positive)
        return pseudo.fairness(reduce_sum_with_grad(prob_sum), reduce_sum(hist), self.p_model, self.label_hist)
