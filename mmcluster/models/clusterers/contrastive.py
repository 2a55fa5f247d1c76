"""What MoCo, SimCLR and methods of two levels have in common: a backbone that learns through a projector."""
from __future__ import annotations

from typing import Any, Optional

from torch import Tensor

from mmcluster.functional.losses.contrast import unit_rows

from ..head_parts import build
from .base import BaseClusterer, forward_parts


class ContrastiveClusterer(BaseClusterer):
    """A backbone and a projector on which a contrastive loss is taken.

    Without a neck, ``embed`` is the backbone's vector: what k-means, SPICE and the boosters use. :meth:`project` is
    the space of the loss, in which SCAN looks for neighbours.

    Args:
        backbone: Config of a network (B, C, H, W) -> (B, F).
        projector: Config of a module from ``embed`` to (B, D).
        neck: Config of a module between the two; ``None``: none.
        kwargs: See :class:`BaseClusterer`; no ``head``, which a subclass may add.
    """

    def __init__(self, backbone: dict, projector: dict, neck: Optional[dict] = None, **kwargs: Any):
        super().__init__(backbone, neck, None, **kwargs)
        self.projector = build(projector)

    def project(self, x: Tensor) -> Tensor:
        """Unit projections of images.

        Args:
            x: (B, C, H, W).

        Returns:
            (B, D) float32, unit rows.
        """
        return unit_rows(self.projector(forward_parts(x, self.backbone, self.neck, None)[0]))
