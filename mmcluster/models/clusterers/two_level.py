"""What CC, TCL and PICI have in common: images are told apart in one space, clusters in another."""
from __future__ import annotations

from typing import Any, Optional

from torch import Tensor

from mmcluster.checks import require_not_negative, require_positive, require_two_clusters
from mmcluster.functional.losses.cluster_contrast import cluster_contrast
from mmcluster.functional.losses.contrast import at_least_float32, nt_xent, unit_rows

from ..gather import gather_rows_with_grad
from ..head_parts import build_head
from ..heads import ClusterHead
from .byol import feature_std
from .contrastive import ContrastiveClusterer


class TwoLevelClusterer(ContrastiveClusterer):
    """A backbone below two branches: a projector for contrast between images, a head for contrast between clusters.

    ``embed`` is the vector h (B, F) that both branches take, the backbone's where there is no neck; ``logits`` are the
    head's. The projector is dropped by boosters.

    Args:
        backbone: Config of a network (B, C, H, W) -> (B, F).
        projector: Config of a module (B, F) -> (B, D), the instance-level branch.
        head: Config of a module (B, F) -> (B, K), the cluster-level branch.
        temperature: Divides the similarities of images (paper's tau_I).
        cluster_temperature: Divides those of clusters (paper's tau_C).
        instance_weight: Weight of the contrast between images; 0 leaves it out, with its branch (PICI Table 7).
        cluster_weight: Likewise of the contrast between clusters.
        kwargs: See :class:`BaseClusterer`.

    Raises:
        ValueError: If the head has fewer than two clusters.
    """

    head: ClusterHead

    def __init__(self, backbone: dict, projector: dict, head: dict, temperature: float = 0.5,
                 cluster_temperature: float = 1.0, instance_weight: float = 1., cluster_weight: float = 1.,
                 **kwargs: Any):
        require_positive(type(self).__name__, temperature=temperature, cluster_temperature=cluster_temperature)
        require_not_negative(type(self).__name__, instance_weight=instance_weight, cluster_weight=cluster_weight)
        super().__init__(backbone, projector, **kwargs)
        self.head = build_head(head, self.backbone, self.neck)
        require_two_clusters(type(self).__name__, self.head.num_clusters)
        self.temperature = temperature
        self.cluster_temperature = cluster_temperature
        self.instance_weight = instance_weight
        self.cluster_weight = cluster_weight

    @property
    def num_clusters(self) -> int:
        """K."""
        return self.head.num_clusters

    @property
    def smallest_batch(self) -> dict[str, int]:
        """Stream -> rows of all ranks below which its loss says nothing: K clusters cannot all have an image."""
        return dict(batch=self.num_clusters)

    def instance_losses(self, h1: Tensor, h2: Tensor, label: Optional[Tensor] = None) -> dict[str, Tensor]:
        """Contrast between the images of all ranks (PICI eqs. 5, 6).

        Args:
            h1: (B, F) backbone vectors of the first view.
            h2: (B, F) of the second view.
            label: (W B,) long, clusters of the images of all ranks, of which those of one cluster are not told apart;
                -1 is not known, ``None``: of none.

        Returns:
            ``loss_instance`` times its weight, equal on all ranks, and the spread of the projections; nothing for a
            weight of 0.
        """
        if not self.instance_weight:
            return {}
        return self.instance_losses_of(self.projector(h1), self.projector(h2), label)

    def instance_losses_of(self, z1: Tensor, z2: Tensor, label: Optional[Tensor] = None) -> dict[str, Tensor]:
        """:meth:`instance_losses` of raw projections (B, D) of the two views."""
        return _weighed(self.instance_weight, instance_contrast(z1, z2, self.temperature, label))

    def cluster_losses(self, h1: Tensor, h2: Tensor) -> dict[str, Tensor]:
        """Contrast between the clusters, whose columns hold the rows of all ranks (PICI eqs. 7-11).

        Args:
            h1: (B, F) backbone vectors of the first view.
            h2: (B, F) of the second view.

        Returns:
            ``loss_cluster`` times its weight, equal on all ranks, and its part that asks for equal cluster sizes;
            nothing for a weight of 0.
        """
        if not self.cluster_weight:
            return {}
        return _weighed(self.cluster_weight,
                        contrast_of_clusters(self.head(h1), self.head(h2), self.cluster_temperature))

    def contrast_losses(self, h1: Tensor, h2: Tensor) -> dict[str, Tensor]:
        """Both levels (PICI eq. 2), each times its weight; one of weight 0 is left out.

        Args:
            h1: (B, F) backbone vectors of the first view.
            h2: (B, F) of the second view.

        Returns:
            ``loss_instance``, ``loss_cluster``, ``feat_std`` and ``entropy_gap``.
        """
        return {**self.instance_losses(h1, h2), **self.cluster_losses(h1, h2)}


def _weighed(weight: float, losses: dict[str, Tensor]) -> dict[str, Tensor]:
    """Losses times a weight; what is only logged stays."""
    return {name: weight * value if name.startswith('loss_') else value for name, value in losses.items()}


def instance_contrast(z1: Tensor, z2: Tensor, temperature: float, label: Optional[Tensor] = None) -> dict[str, Tensor]:
    """Contrast between the images of all ranks, as a method logs it (PICI eqs. 5, 6).

    Args:
        z1: (B, D) projections of the first view, any norm.
        z2: (B, D) of the second view.
        temperature: Divides the similarities.
        label: See :meth:`TwoLevelClusterer.instance_losses`.

    Returns:
        ``loss_instance``, equal on all ranks, and the spread of the projections.
    """
    z1, z2 = unit_rows(z1), unit_rows(z2)
    loss = nt_xent(gather_rows_with_grad(z1), gather_rows_with_grad(z2), temperature, normalize=False, label=label)
    return dict(loss_instance=loss, feat_std=feature_std(z1))


def contrast_of_clusters(logits1: Tensor, logits2: Tensor, temperature: float) -> dict[str, Tensor]:
    """Contrast between the clusters, whose columns hold the rows of all ranks, as a method logs it (PICI eqs. 7-11).

    Args:
        logits1: (B, K) of the first view.
        logits2: (B, K) of the second view.
        temperature: Divides the cosines.

    Returns:
        ``loss_cluster``, equal on all ranks, and its part that asks for equal cluster sizes.
    """
    c1, c2 = (gather_rows_with_grad(at_least_float32(logits).softmax(dim=1)) for logits in (logits1, logits2))
    contrast, gap = cluster_contrast(c1, c2, temperature)
    return dict(loss_cluster=contrast + gap, entropy_gap=gap.detach())
