"""Twin Contrastive Learning: a weak and a strong view, contrasted on two levels, then boosted (IJCV 2022)."""
from __future__ import annotations

from typing import Any, Optional

import torch
from mmengine.dist import get_rank
from torch import Tensor

from mmcluster.checks import require_share
from mmcluster.functional.labels.confident import confident_labels
from mmcluster.functional.losses.contrast import at_least_float32
from mmcluster.functional.losses.pseudo import class_balanced_cross_entropy
from mmcluster.registry import MODELS
from mmcluster.structures import Batch

from ..bank import SampleBank
from ..gather import gather_rows, gather_rows_with_grad
from ..modes import evaluating
from .cc import CC


@MODELS.register_module()
class TCL(CC):
    """CC's two contrasts between a weak and a strong view; then boosting by labels of which the head is sure.

    While ``boosting`` is 0 it is CC. After that each step looks at the images as they are, in evaluation mode, and
    keeps the labels of ``bank.label`` up to date: the surest rows of each cluster get one, rows that are not sure
    lose theirs. Images of one label are no longer told apart, and the head learns the labels from the strong view.

    Args:
        boosting: 1 boosts, 0 does not; a ``ScheduleHook`` moves it once.
        threshold: Confidence that a labelled image needs (paper's alpha).
        share: Of a cluster of average size that may be labelled in one batch (paper's gamma).
        kwargs: See :class:`CC`; the bank needs nothing but ``num_samples``.

    Raises:
        ValueError: Without a bank.
    """

    bank: SampleBank

    def __init__(self, *args: Any, boosting: float = 0., threshold: float = 0.99, share: float = 0.5, **kwargs: Any):
        require_share('TCL', threshold=threshold, share=share)
        super().__init__(*args, **kwargs)
        if self.bank is None:
            raise ValueError('TCL keeps labels of images: give it bank=dict(num_samples=None)')
        self.boosting = boosting
        self.threshold = threshold
        self.share = share
        self.bank.add_field('label')

    def loss(self, batch: Optional[Batch] = None, instance_only: Optional[Batch] = None) -> dict[str, Tensor]:
        """The losses of the present phase.

        Args:
            batch: Three views (B, C, H, W), weak, strong and, for boosting, the image as in evaluation.
            instance_only: Weak and strong view of images that belong to no cluster of interest.

        Returns:
            ``loss_instance``; for ``batch`` also ``loss_cluster``, in boosting the cross-entropy with the labels, and
            the share of labelled rows.

        Raises:
            ValueError: If boosting has two views alone, or there are rows of both streams, or of none.
        """
        if not self.boosting or batch is None or instance_only is not None:
            return super().loss(batch, instance_only)
        if len(batch.views) < 3:
            raise ValueError(f'TCL boosts by three views of every image, the last one as in evaluation, and got '
                             f'{len(batch.views)}; give data_preprocessor.views=[weak, strong, still], or such '
                             f'pipelines of the data set')
        label = self.relabel(batch.views[2], batch.index)
        h1, h2 = self.vectors(batch)
        losses = {**self.instance_losses(h1, h2, label), 'labelled_share': (label >= 0).float().mean()}
        if self.cluster_weight:
            logits = gather_rows_with_grad(at_least_float32(self.head(h2)))
            losses['loss_cluster'] = self.cluster_weight * class_balanced_cross_entropy(logits, label)
        return losses

    @torch.no_grad()
    def relabel(self, view: Tensor, index: Tensor) -> Tensor:
        """Bring the labels of a batch up to date.

        Args:
            view: (B, C, H, W) images as in evaluation.
            index: (B,) data set index.

        Returns:
            (W B,) labels of the rows of all ranks, -1 for none, which the bank holds now.
        """
        with evaluating(self.backbone, self.neck, self.head):
            prob = at_least_float32(self.head(self.vector_of(view))).softmax(dim=1)
        known = self.bank.read('label', gather_rows(index))
        label = confident_labels(gather_rows(prob), known, self.threshold, self.share)
        self.bank.write(index, label=label[get_rank() * len(index):(get_rank() + 1) * len(index)])
        return label
