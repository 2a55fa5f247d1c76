"""The interface of all semi-supervised losses, and what FixMatch and its successors share."""
from __future__ import annotations

from typing import NamedTuple, Optional

from torch import Tensor, nn

from mmcluster.checks import require_not_negative, require_two_clusters
from mmcluster.functional.losses.contrast import at_least_float32
from mmcluster.functional.losses.pseudo import masked_cross_entropy
from mmcluster.structures import Batch

from ..bank import SampleBank
from ..boost import Boost, Labelled, Unlabelled


class PseudoLabelLoss(nn.Module):
    """A semi-supervised loss. Most subclasses write :meth:`loss` only.

    Statistics that survive an iteration are buffers, reduced over ranks before they are stored. Learners that mix
    images (MixMatch) override :meth:`forward` instead.

    A loss whose thresholds move offers :meth:`thresholds`, and moves them only while :attr:`moves` is true; then a
    ``ThresholdHook`` can delay, thin out or freeze them, and logs them.

    Attributes:
        moving: Whether thresholds, and the averages they are made of, may move in training; a ``ThresholdHook`` sets
            it.
        fields: Bank fields that the loss reads or writes, name -> arguments of ``SampleBank.add_field``.
        joint: Forward all streams as one batch.
        num_clusters: K, which must be that of the booster's head; ``None``: any.
        weights_needing_labels: Name of a weight -> bank field of k-means labels, in the head's classes, that it needs.
    """

    fields: dict[str, dict] = {}
    num_clusters: Optional[int] = None
    joint = True
    weights_needing_labels: dict[str, str] = {}
    moving = True

    @property
    def moves(self) -> bool:
        """Whether this step moves thresholds."""
        return self.training and self.moving

    def thresholds(self) -> Optional[Tensor]:
        """Confidence that a row needs, (K,) by predicted cluster or (1,) for all; ``None``: they never move."""
        return None

    def forward(self, net: Boost, unlabelled: Batch, labelled: Optional[Batch] = None,
                reference: Optional[Batch] = None) -> dict[str, Tensor]:
        """See all streams, then compute the loss; while the labeller knows no labels only its own losses count.

        Args:
            net: The booster.
            unlabelled: Weak and strong view (U, C, H, W).
            labelled: Weak view (L, C, H, W) or ``None``.
            reference: Passed to the labeller.

        Returns:
            Losses under keys with ``loss`` in them, which are summed; other keys are only logged.
        """
        l, u, losses = net.forward_streams(unlabelled, labelled, reference, self.joint)
        if l is not None and l.target is None:
            return losses
        own = self.loss(l, u, net.bank)
        return {**losses, **own} if isinstance(own, dict) else own      # which parse_losses refuses

    def loss(self, l: Optional[Labelled], u: Unlabelled, bank: SampleBank) -> dict[str, Tensor]:
        """Losses of one iteration from features and logits.

        Args:
            l: Labelled rows with targets, or ``None`` without a labelled stream.
            u: Unlabelled rows.
            bank: Per-sample state.
        """
        raise NotImplementedError(f'{type(self).__name__} has no loss(l, u, bank): write it')


class PseudoLabels(NamedTuple):
    """What the unlabelled rows shall learn; all without gradient.

    Attributes:
        target: (U,) long, or soft (U, K).
        weight: (U,) bool, or a number in [0, 1].
        logs: Numbers for the log.
    """
    target: Tensor
    weight: Tensor
    logs: dict[str, Tensor]


class MatchLoss(PseudoLabelLoss):
    """L_sup + unsup_weight * L_unsup, both cross-entropies that average over all their rows.

    The weak view chooses a label and a weight for each row, the strong view learns it. Subclasses write
    :meth:`pseudo_labels`. Statistics move in training mode only.

    Args:
        num_clusters: K.
        hard_label: Learn the arg-max of the weak view; ``False`` learns its probabilities.
        unsup_weight: Weight of the unlabelled rows, paper's lambda_u; 0 leaves the term out while the statistics go
            on moving.
    """

    def __init__(self, num_clusters: Optional[int], hard_label: bool = True, unsup_weight: float = 1.):
        require_not_negative(type(self).__name__, unsup_weight=unsup_weight)
        super().__init__()
        require_two_clusters(type(self).__name__, num_clusters)
        self.num_clusters = num_clusters
        self.hard_label = hard_label
        self.unsup_weight = unsup_weight

    def pseudo_labels(self, prob: Tensor, l: Optional[Labelled], u: Unlabelled, bank: SampleBank) -> PseudoLabels:
        """Choose labels and weights.

        Args:
            prob: (U, K) softmax of the weak view, without gradient.
            l: Labelled rows, or ``None``.
            u: Unlabelled rows.
            bank: Per-sample state.
        """
        raise NotImplementedError(f'{type(self).__name__} has no pseudo_labels(prob, l, u, bank): write it')

    def label(self, prob: Tensor) -> Tensor:
        """Pseudo-labels (U,) or (U, K) that probabilities (U, K) stand for."""
        return prob.argmax(1) if self.hard_label else prob

    def regularise(self, u: Unlabelled, labels: PseudoLabels) -> dict[str, Tensor]:
        """Further losses of the unlabelled rows; none here."""
        return {}

    def loss(self, l: Optional[Labelled], u: Unlabelled, bank: SampleBank) -> dict[str, Tensor]:
        """One step.

        Args:
            l: Labelled rows with targets (L,) or (L, K), or ``None``.
            u: Unlabelled rows.
            bank: Per-sample state.

        Returns:
            ``loss_sup``, ``loss_unsup`` and what a subclass adds; ``mask_share`` is the mean weight of the rows.
        """
        labels = self.pseudo_labels(at_least_float32(u.logits_weak.detach()).softmax(1), l, u, bank)
        losses = dict(mask_share=labels.weight.sum() / max(len(labels.weight), 1), **labels.logs)
        if l is not None:
            losses['loss_sup'] = masked_cross_entropy(l.logits, l.labels)
        if self.unsup_weight or l is None:
            losses['loss_unsup'] = self.unsup_weight * masked_cross_entropy(u.logits_strong, labels.target,
                                                                            labels.weight)
        losses.update(self.regularise(u, labels))
        return losses
