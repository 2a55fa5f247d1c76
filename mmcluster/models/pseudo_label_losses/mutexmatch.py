"""MutexMatch: positive pseudo-labels where the weak view is sure, true negatives where it is not (TNNLS 2022)."""
from __future__ import annotations

from typing import Optional

import torch
from torch import Tensor, nn

from mmcluster.checks import require_count, require_not_negative, require_share, require_two_clusters, require_width
from mmcluster.functional.losses.contrast import at_least_float32
from mmcluster.functional.losses.mutex import complementary_label, negative_consistency
from mmcluster.functional.losses.pseudo import masked_cross_entropy
from mmcluster.registry import MODELS

from ..bank import SampleBank
from ..boost import Labelled, Unlabelled
from .base import PseudoLabelLoss


@MODELS.register_module()
class MutexMatchLoss(PseudoLabelLoss):
    """L_sup + lambda_u L_p + L_sep + lambda_u L_n; the head of the booster is the true-positive classifier.

    The true-negative classifier ``tnc``, a linear layer on the head's input, belongs to this module. L_sep teaches it
    the class that the head finds least likely, on features without gradient. No buffers.

    Args:
        num_clusters: K.
        in_channels: D, width of the head's input.
        k: Degree of the negative consistency: how many of the most negative classes take part; 0 stands for all.
        threshold: Confidence that a positive label needs; rows below it take part in L_n.
        unsup_weight: lambda_u, weight of L_p and L_n; 0 leaves them out.
    """

    def __init__(self, num_clusters: int, in_channels: int, k: int = 0, threshold: float = 0.95,
                 unsup_weight: float = 1.):
        require_count('MutexMatchLoss', in_channels=in_channels)
        require_count('MutexMatchLoss', least=0, k=k)
        require_share('MutexMatchLoss', threshold=threshold)
        require_not_negative('MutexMatchLoss', unsup_weight=unsup_weight)
        super().__init__()
        require_two_clusters(type(self).__name__, num_clusters)
        self.num_clusters = num_clusters
        if not 0 <= k <= num_clusters:
            raise ValueError(f'MutexMatchLoss: k is a number of classes up to num_clusters={num_clusters}, or 0 for '
                             f'all; got {k}')
        self.in_channels = in_channels
        self.k = k
        self.threshold = threshold
        self.unsup_weight = unsup_weight
        self.tnc = nn.Linear(in_channels, num_clusters)
        nn.init.xavier_normal_(self.tnc.weight)
        nn.init.zeros_(self.tnc.bias)

    def loss(self, l: Optional[Labelled], u: Unlabelled, bank: SampleBank) -> dict[str, Tensor]:
        """One step.

        Args:
            l: Labelled rows with targets (L,) or (L, K), or ``None``.
            u: Unlabelled rows.
            bank: Not used.

        Returns:
            ``loss_sup``, ``loss_pos`` (L_p), ``loss_sep``, ``loss_neg`` (L_n), and the share of rows above the
            threshold.

        Raises:
            ValueError: If the head takes another width than ``in_channels``.
        """
        require_width('model.pseudo_label_loss', self.in_channels, u.feat_weak.shape[1])
        confidence, label = at_least_float32(u.logits_weak.detach()).softmax(1).max(1)
        mask = confidence >= self.threshold
        losses = dict(mask_share=mask.sum() / max(len(mask), 1))
        if l is not None:
            losses['loss_sup'] = masked_cross_entropy(l.logits, l.labels)
        parts = ([(l.feat, l.logits)] if l is not None else []) + [(u.feat_weak, u.logits_weak),
                                                                  (u.feat_strong, u.logits_strong)]
        feat, logits = (torch.cat(part).detach() for part in zip(*parts))
        negative = self.tnc(feat)
        losses['loss_sep'] = masked_cross_entropy(negative, complementary_label(logits))
        if self.unsup_weight:
            losses['loss_pos'] = self.unsup_weight * masked_cross_entropy(u.logits_strong, label, mask)
            weak = negative[len(feat) - 2 * len(mask):len(feat) - len(mask)]
            losses['loss_neg'] = self.unsup_weight * negative_consistency(weak, self.tnc(u.feat_strong), ~mask, self.k)
        return losses
