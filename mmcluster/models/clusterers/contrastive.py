"""What MoCo, SimCLR and methods of two levels have in common: a backbone that learns through a projector."""
from __future__ import annotations

from typing import Any

from torch import Tensor

from mmcluster.functional.losses.contrast import unit_rows

from .base import BaseClusterer, build, forward_parts


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

    def project(self, x: Tensor) -> Tensor:
        """Unit projections of images.

        Args:
            x: (B, C, H, W).

        Returns:
            (B, D) float32, unit rows.
        """
        return unit_rows(forward_parts(x, self.backbone, self.projector, None)[0])
