"""What MoCo, SimCLR and methods of two levels have in common: a backbone that learns through a projector."""
from __future__ import annotations

from typing import Any

from torch import Tensor

from mmcluster.functional.losses.contrast import unit_rows
from mmcluster.structures import Batch

from .base import BaseClusterer, build, chain


class ContrastiveClusterer(BaseClusterer):
    """A backbone and a projector on which a contrastive loss is taken.

    There is no neck, so ``embed`` is the backbone's vector: what k-means, SPICE and the boosters use.
    :meth:`project` is the space of the loss, in which SCAN looks for neighbours.

    Args:
        backbone: Config of a network (B, C, H, W) -> (B, F).
        projector: Config of a module (B, F) -> (B, D).
        kwargs: See :class:`BaseClusterer`; neither ``neck`` nor ``head``, which a subclass may add.
    """

    def __init__(self, backbone: dict, projector: dict, **kwargs: Any):
        super().__init__(backbone, None, None, **kwargs)
        self.projector = build(projector)

    def pair(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """The first two views (B, C, H, W) of a batch.

        Raises:
            ValueError: If there is one alone.
        """
        if len(batch.views) < 2:
            raise ValueError(f'{type(self).__name__} contrasts two views of every image and got {len(batch.views)}; '
                             f'give data_preprocessor.views=[view, view], or a pair of pipelines of the data set')
        return batch.views[0], batch.views[1]

    def project(self, x: Tensor) -> Tensor:
        """Unit projections of images.

        Args:
            x: (B, C, H, W).

        Returns:
            (B, D) float32, unit rows.
        """
        return unit_rows(chain(x, self.backbone, self.projector, None)[0])
