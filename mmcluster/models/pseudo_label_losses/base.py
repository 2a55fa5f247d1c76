"""The interface of all semi-supervised losses of the house."""
from __future__ import annotations

from typing import Optional

from torch import Tensor, nn

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
            Losses under keys that start with ``loss_``; other keys are only logged.
        """
        l, u, losses = net.forward_streams(unlabelled, labelled, reference, self.joint)
        if l is not None and l.target is None:
            return losses
        return {**losses, **self.loss(l, u, net.bank)}

    def loss(self, l: Optional[Labelled], u: Unlabelled, bank: SampleBank) -> dict[str, Tensor]:
        """Losses of one iteration from features and logits.

        Args:
            l: Labelled rows with targets, or ``None`` without a labelled stream.
            u: Unlabelled rows.
            bank: Per-sample state.
        """
        raise NotImplementedError
