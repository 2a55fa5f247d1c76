"""Contrastive Clustering: contrast between images and between clusters (AAAI 2021)."""
from __future__ import annotations

from typing import Optional

from torch import Tensor

from mmcluster.registry import MODELS
from mmcluster.structures import Batch

from .base import forward_parts
from .two_level import TwoLevelClusterer


@MODELS.register_module()
class CC(TwoLevelClusterer):
    """Two draws of one augmentation, told apart as images and as clusters, with equal weights.

    Rows of the stream ``batch`` take part in both losses, those of ``instance_only`` in the contrast between images
    alone: STL-10's unlabelled images, which belong to no cluster of interest. On several processes a step without
    ``batch`` leaves the head without gradient and needs ``find_unused_parameters=True``.

    Args:
        kwargs: See :class:`TwoLevelClusterer`.
    """

    def vectors(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Vectors (B, F) of the two views, which both branches take."""
        first, second = self.pair(batch)
        return self.vector_of(first), self.vector_of(second)

    def vector_of(self, x: Tensor) -> Tensor:
        """Vector (B, F) of images (B, C, H, W), in the present mode."""
        return forward_parts(x, self.backbone, self.neck, None)[0]

    def loss(self, batch: Optional[Batch] = None, instance_only: Optional[Batch] = None) -> dict[str, Tensor]:
        """Losses of a step that holds rows of one stream.

        Args:
            batch: Two views (B, C, H, W).
            instance_only: Two views (B, C, H, W).

        Returns:
            ``loss_instance``; for ``batch`` also ``loss_cluster``.

        Raises:
            ValueError: If there are rows of both streams, or of none, or rows whose only loss has no weight.
        """
        if batch is not None and instance_only is None:
            return self.contrast_losses(*self.vectors(batch))
        if instance_only is not None and batch is None:
            if not self.instance_weight:
                raise ValueError(f'{type(self).__name__}: the stream instance_only takes part in the contrast between '
                                 f'images alone, whose instance_weight is 0: leave the stream out, or give it a weight')
            return self.instance_losses(*self.vectors(instance_only))
        raise ValueError(f'{type(self).__name__} takes rows of one stream a step, batch or instance_only; with both '
                         f'streams, give the sampler sequential=True')
