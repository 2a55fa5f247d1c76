"""SimCLR: two views of an image find each other in the batch."""
from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from mmcluster.checks import require_positive
from mmcluster.functional.losses.contrast import nt_xent
from mmcluster.registry import MODELS
from mmcluster.structures import Batch

from ..gather import gather_rows_with_grad
from .byol import feature_std
from .contrastive import ContrastiveClusterer


@MODELS.register_module()
class SimCLR(ContrastiveClusterer):
    """NT-Xent over the rows of all ranks, the features of SCAN. Both views pass the network as one batch.

    Args:
        backbone: Config of the network's first part.
        projector: Config of its second part.
        temperature: Divides the similarities.
        symmetric: Every view is an anchor, as in SimCLR's paper. ``False``: only the first one, as SCAN's release
            has it.
        kwargs: See :class:`BaseClusterer`.
    """

    def __init__(self, backbone: dict, projector: dict, temperature: float = 0.1, symmetric: bool = True,
                 **kwargs: Any):
        require_positive('SimCLR', temperature=temperature)
        super().__init__(backbone, projector, **kwargs)
        self.temperature = temperature
        self.symmetric = symmetric

    def loss(self, batch: Batch) -> dict[str, Tensor]:
        """Cross-entropy of each anchor's other view among all other rows of the global batch.

        Args:
            batch: Two views (B, C, H, W).

        Returns:
            ``loss_simclr``, equal on all ranks, and the spread of the projections.

        Raises:
            ValueError: If there is one view alone.
        """
        z1, z2 = self.project(torch.cat(self.pair(batch))).chunk(2)
        loss = nt_xent(gather_rows_with_grad(z1), gather_rows_with_grad(z2), self.temperature, self.symmetric)
        return dict(loss_simclr=loss, feat_std=feature_std(z1))
