"""CC beside ProPos' prototype scattering, a mixture of ProPos' table 6."""
from __future__ import annotations

from typing import Any, Optional

from torch import Tensor

from mmcluster.checks import require_not_negative, require_positive
from mmcluster.functional.losses.contrast import unit_rows
from mmcluster.functional.losses.prototype import scattering_of_views
from mmcluster.registry import MODELS
from mmcluster.structures import Batch

from ..bank import SampleBank
from ..gather import gather_rows, gather_rows_with_grad
from .cc import CC


@MODELS.register_module()
class CCPSL(CC):
    """CC whose projections scatter by clusters, too.

    A ``KMeansHook`` with ``output='project'`` writes ``bank.label``; the prototypes of a batch are the normalised means
    of its projections by cluster. CC has no momentum network: a prototype's constant counterpart is that of the other
    view.

    Args:
        psl_weight: Weight of prototype scattering; a ``ScheduleHook`` holds it at 0 during warm-up.
        psl_temperature: Divides the similarities of prototypes.
        kwargs: See :class:`CC`; the bank needs nothing but ``num_samples``.

    Raises:
        ValueError: Without a bank.
    """

    weights_needing_labels = dict(psl_weight='label')
    bank: SampleBank

    def __init__(self, *args: Any, psl_weight: float = 0.1, psl_temperature: float = 0.5, **kwargs: Any):
        require_not_negative('CCPSL', psl_weight=psl_weight)
        require_positive('CCPSL', psl_temperature=psl_temperature)
        super().__init__(*args, **kwargs)
        if self.bank is None:
            raise ValueError('CCPSL keeps cluster labels per image: give it bank=dict(num_samples=None)')
        self.psl_weight = psl_weight
        self.psl_temperature = psl_temperature
        self.bank.add_field('label')

    def loss(self, batch: Optional[Batch] = None, instance_only: Optional[Batch] = None) -> dict[str, Tensor]:
        """CC's losses and, for ``batch`` after the warm-up, scattering.

        Args:
            batch: Two views (B, C, H, W) and the index (B,).
            instance_only: Two views (B, C, H, W) of images that belong to no cluster of interest.

        Returns:
            As CC's, and ``loss_psl``, equal on all ranks, with the clusters that are present.
        """
        if batch is None or instance_only is not None or not self.psl_weight:
            return super().loss(batch, instance_only)
        h1, h2 = self.vectors(batch)
        z = [self.projector(h) for h in (h1, h2)]
        instance = self.instance_losses_of(*z) if self.instance_weight else {}
        return {**instance, **self.cluster_losses(h1, h2), **self.scatter(z, batch.index)}

    def scatter(self, z: list[Tensor], index: Tensor) -> dict[str, Tensor]:
        """Prototype scattering over the rows of all ranks.

        Args:
            z: Raw projections (B, D) of the two views.
            index: (B,) data set index.

        Returns:
            ``loss_psl`` and the number of clusters present in the global batch.
        """
        rows = [gather_rows_with_grad(unit_rows(projection)) for projection in z]
        label = self.bank.read('label', gather_rows(index))
        loss, seen = scattering_of_views(rows, rows, label, self.num_clusters, self.psl_temperature)
        return dict(loss_psl=self.psl_weight * loss, present_clusters=seen.sum().float())
