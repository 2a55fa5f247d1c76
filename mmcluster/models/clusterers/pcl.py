"""PCL: rows against the prototypes of clusters of several granularities, on MoCo and on BYOL (ICLR 2021)."""
from __future__ import annotations

from typing import Any, Optional, Sequence

import torch
from mmengine.dist import broadcast
from torch import Tensor, nn

from mmcluster.checks import require_count, require_not_negative, require_positive, require_two_clusters
from mmcluster.functional.losses.granular import drawn_columns, prototype_nce
from mmcluster.registry import MODELS

from ..bank import SampleBank
from ..gather import gather_rows
from .byol import BYOL
from .moco import MoCo

FIELD = 'granular'      # of the bank, (N, M) clusters of every row in M granularities


class Granularities(nn.Module):
    """Where the clusters of the last E-step are and how tight; a ``PrototypeHook`` writes it, clusters side by side.

    Args:
        num_clusters: K_1 ... K_M, one for each granularity.
        width: D.
        temperature: Mean of the densities.
        draws: ``None``: a row is compared with all prototypes. Else how many are drawn, with replacement, from the
            clusters that no row of the batch is in (ProPos' comparison).
        unit: Prototypes are unit vectors; ``False``: plain means of unit rows (ProPos' comparison).

    Attributes:
        prototypes: (K_1 + ... + K_M, D).
        density: (K_1 + ... + K_M,) what divides the logits of each.
        counts: (K_1 + ... + K_M,) long, members in the data set.
    """

    prototypes: Tensor
    density: Tensor
    counts: Tensor

    def __init__(self, num_clusters: Sequence[int], width: int, temperature: float, draws: Optional[int] = None,
                 unit: bool = True):
        super().__init__()
        require_positive('Granularities', temperature=temperature)
        require_count('Granularities', draws=draws)
        if not num_clusters:
            raise ValueError('Granularities: num_clusters is empty; give one number of clusters or more')
        for number in num_clusters:
            require_two_clusters('Granularities', number)
        self.num_clusters = list(num_clusters)
        self.temperature = temperature
        self.draws = draws
        self.unit = unit
        total = sum(self.num_clusters)
        self.register_buffer('prototypes', torch.zeros(total, width))
        self.register_buffer('density', torch.full((total,), float(temperature)))
        self.register_buffer('counts', torch.zeros(total, dtype=torch.long))

    def forward(self, q: Tensor, label: Tensor) -> Tensor:
        """ProtoNCE, the mean over the granularities (PCL eq. 11).

        Args:
            q: (B, D) queries, any norm.
            label: (B, M) clusters of the rows.

        Returns:
            () mean over rows and granularities.
        """
        each = (x.split(self.num_clusters) for x in (self.prototypes, self.density, self.counts))
        losses = [prototype_nce(q, own, centers, density, self.columns(own, counts))
                  for centers, density, counts, own in zip(*each, label.unbind(1))]
        return torch.stack(losses).mean()

    def columns(self, label: Tensor, counts: Tensor) -> Tensor:
        """How often each prototype (K,) stands in the softmax, of a granularity with labels (B,) and sizes (K,)."""
        if self.draws is None:
            return (counts > 0).long()
        uniform = torch.rand(self.draws, device=label.device)
        broadcast(uniform)
        return drawn_columns(gather_rows(label), len(counts), uniform)


def _bank(model: nn.Module, granularities: Sequence[int]) -> SampleBank:
    """The bank of a model, with the field of the granularities."""
    bank: Any = model.bank
    if bank is None:
        raise ValueError(f'{type(model).__name__} keeps clusters per sample: give it bank=dict(num_samples=None)')
    bank.add_field(FIELD, shape=(len(granularities),))
    return bank


@MODELS.register_module()
class PCL(MoCo):
    """MoCo plus ProtoNCE, both views as queries.

    The E-step is a ``PrototypeHook``: k-means of the key network's projections for several K. ``proto_weight`` is a
    float that a ``ScheduleHook`` holds at 0 before the first E-step; a zero weight skips the computation.

    Args:
        backbone: See :class:`MoCo`.
        projector: See :class:`MoCo`.
        granularities: Numbers of clusters.
        proto_weight: Weight of ProtoNCE; 1 in the paper, 0.01 in ProPos' comparison.
        draws: See :class:`Granularities`.
        unit_prototypes: See :class:`Granularities`.
        directions: See :class:`MoCo`; holds for both losses.
        deploy: See :class:`MoCo`.
        kwargs: See :class:`MoCo`.
    """

    bank: SampleBank
    weights_needing_labels = dict(proto_weight=FIELD)

    def __init__(self, backbone: dict, projector: dict, granularities: Sequence[int], proto_weight: float = 1.,
                 draws: Optional[int] = None, unit_prototypes: bool = True, directions: str = 'mean',
                 deploy: str = 'key', **kwargs: Any):
        require_not_negative('PCL', proto_weight=proto_weight)
        super().__init__(backbone, projector, directions=directions, deploy=deploy, **kwargs)
        self.bank = _bank(self, granularities)
        self.proto_weight = proto_weight
        self.granularities = Granularities(granularities, self.projector.out_channels, self.temperature, draws,
                                           unit_prototypes)

    def losses(self, q: list[Tensor], k: list[Tensor], index: Tensor) -> dict[str, Tensor]:
        """InfoNCE, and ProtoNCE once its weight is not 0.

        Args:
            q: Unit queries (B, D) of each direction.
            k: Unit keys (B, D) of each direction.
            index: (B,) data set index.

        Returns:
            What :class:`MoCo` returns, and ``loss_proto``.
        """
        losses = super().losses(q, k, index)
        if self.proto_weight:
            label = self.bank.read(FIELD, index)
            losses['loss_proto'] = self.proto_weight * self.join([self.granularities(rows, label) for rows in q])
        return losses


@MODELS.register_module()
class BYOLPCL(BYOL):
    """BYOL plus ProtoNCE of the raw projections of both views, which slowly collapses (ProPos' Table 6 and Figure 9).

    Args:
        granularities: Numbers of clusters.
        proto_weight: See :class:`PCL`.
        temperature: Mean of the densities.
        kwargs: See :class:`BYOL`.
    """

    bank: SampleBank
    weights_needing_labels = dict(proto_weight=FIELD)

    def __init__(self, *args: Any, granularities: Sequence[int], proto_weight: float = 0.01, temperature: float = 1.,
                 **kwargs: Any):
        require_not_negative('BYOLPCL', proto_weight=proto_weight)
        super().__init__(*args, **kwargs)
        self.bank = _bank(self, granularities)
        self.proto_weight = proto_weight
        neck: Any = self.neck
        self.granularities = Granularities(granularities, neck.out_channels, temperature)

    def losses(self, z: list[Tensor], k: list[Tensor], index: Tensor) -> dict[str, Tensor]:
        """Regression between the views, and ProtoNCE once its weight is not 0.

        Args:
            z: Raw online embeddings (B, D) of the two views.
            k: Unit momentum embeddings (B, D) of the two views.
            index: (B,) data set index.

        Returns:
            What :class:`BYOL` returns, and ``loss_proto``.
        """
        losses = super().losses(z, k, index)
        if self.proto_weight:
            label = self.bank.read(FIELD, index)
            losses['loss_proto'] = self.proto_weight * torch.stack(
                [self.granularities(rows, label) for rows in z]).mean()
        return losses
