"""BYOL with CC's two contrasts, a mixture of ProPos' table 6."""
from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from mmcluster.checks import require_positive, require_two_clusters
from mmcluster.registry import MODELS

from ..head_parts import build_head
from ..heads import ClusterHead
from ..teacher import MomentumTeacher
from .byol import BYOL
from .two_level import contrast_of_clusters, instance_contrast


@MODELS.register_module()
class BYOLCC(BYOL):
    """Regression of the momentum embedding, contrast between images and between clusters, all on one embedding.

    The projector's output is what BYOL regresses from, what images are told apart by and what the cluster head takes;
    the predictor stays between it and the regression. Deployed are the momentum backbone, projector and head.

    Args:
        backbone: See :class:`BYOL`.
        neck: See :class:`BYOL`.
        predictor: See :class:`BYOL`.
        head: Config of a module (B, D) -> (B, K).
        decay: See :class:`BYOL`.
        temperature: Divides the similarities of images.
        cluster_temperature: Divides those of clusters.
        kwargs: See :class:`BYOL`.

    Raises:
        ValueError: If the head has fewer than two clusters.
    """

    head: ClusterHead

    def __init__(self, backbone: dict, neck: dict, predictor: dict, head: dict, decay: float = 0.996,
                 temperature: float = 0.5, cluster_temperature: float = 1., **kwargs: Any):
        require_positive('BYOLCC', temperature=temperature, cluster_temperature=cluster_temperature)
        super().__init__(backbone, neck, predictor, decay, **kwargs)
        self.head = build_head(head, self.backbone, self.neck)
        require_two_clusters('BYOLCC', self.head.num_clusters)
        self.teacher = MomentumTeacher(dict(backbone=self.backbone, neck=self.neck, head=self.head), decay)
        self.temperature = temperature
        self.cluster_temperature = cluster_temperature

    @property
    def smallest_batch(self) -> dict[str, int]:
        """Stream -> rows of all ranks below which its loss says nothing: K clusters cannot all have an image."""
        return dict(batch=self.head.num_clusters)

    def deployed(self) -> tuple[nn.Module, nn.Module, nn.Module]:  # type: ignore[override]  # BYOL has no head
        """Momentum backbone, projector and head."""
        return self.teacher.backbone, self.teacher.neck, self.teacher.head

    def losses(self, z: list[Tensor], k: list[Tensor], index: Tensor) -> dict[str, Tensor]:
        """The three losses, with equal weights.

        Args:
            z: Raw online embeddings (B, D) of the two views.
            k: Unit momentum embeddings (B, D) of the two views.
            index: (B,) data set index.

        Returns:
            ``loss_byol``; ``loss_instance`` and ``loss_cluster``, equal on all ranks; ``entropy_gap``.
        """
        clusters = contrast_of_clusters(self.head(z[0]), self.head(z[1]), self.cluster_temperature)
        return {**super().losses(z, k, index), **instance_contrast(z[0], z[1], self.temperature), **clusters}
