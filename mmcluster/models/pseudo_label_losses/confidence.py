"""SCAN's self-labelling: learn from the images that the network is sure of (ECCV 2020)."""
from __future__ import annotations

from typing import Optional

from mmengine.dist import get_world_size
from torch import Tensor

from mmcluster.checks import require_share, require_two_clusters
from mmcluster.functional.losses.consistency import confidence_counts, confidence_targets, self_label_loss
from mmcluster.functional.losses.pseudo import masked_cross_entropy
from mmcluster.registry import MODELS

from ..bank import SampleBank
from ..boost import Labelled, Unlabelled
from ..gather import reduce_sum
from .base import PseudoLabelLoss


@MODELS.register_module()
class ConfidenceLoss(PseudoLabelLoss):
    """Cross-entropy of a strong view with the cluster of the plain one, where that is certain.

    It needs no labelled stream: ``views=dict(unlabelled=[[], strong])``, an empty recipe being the plain image. The
    plain view passes the network on its own, without gradient but in training mode, then the strong one. Sums are
    those of all ranks.

    A cluster without certain rows gets no gradient and can vanish: watch ``present_clusters`` and ``mask_share`` in the
    log, and lower the threshold when they fall.

    Args:
        num_clusters: K. Not needed; other losses need it, so that a change of ``type`` alone swaps the loss.
        threshold: A row is learned if its largest probability is above this.
        class_balance: Weigh the rows so that every cluster that occurs in the batch counts the same (small images);
            ``False``: every row does (ImageNet).
    """

    joint = False

    def __init__(self, num_clusters: Optional[int] = None, threshold: float = 0.99, class_balance: bool = True):
        require_share('ConfidenceLoss', threshold=threshold)
        super().__init__()
        require_two_clusters('ConfidenceLoss', num_clusters)
        self.num_clusters = num_clusters
        if not 0 <= threshold < 1:
            raise ValueError(f'ConfidenceLoss: threshold must be in [0, 1), got {threshold}: no row is surer than that')
        self.threshold = threshold
        self.class_balance = class_balance

    def loss(self, l: Optional[Labelled], u: Unlabelled, bank: SampleBank) -> dict[str, Tensor]:
        """One step.

        Args:
            l: Labelled rows, which add ``loss_sup``, or ``None``.
            u: Unlabelled rows.
            bank: Not used.

        Returns:
            ``loss_unsup``, 0 if no rank has a certain row; the share of certain rows of all ranks, and how many
            clusters they fall into.
        """
        target, mask = confidence_targets(u.logits_weak, self.threshold)
        counts = reduce_sum(confidence_counts(target, mask, u.logits_weak.shape[1]))
        share = self_label_loss(u.logits_strong, target, mask, counts, self.class_balance)
        losses = dict(
            loss_unsup=share * get_world_size(),       # data-parallel training takes the mean over processes
            mask_share=counts.sum() / max(len(target) * get_world_size(), 1),
            present_clusters=(counts > 0).sum().float())
        if l is not None:
            losses['loss_sup'] = masked_cross_entropy(l.logits, l.labels)
        return losses
