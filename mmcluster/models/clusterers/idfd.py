"""IDFD: instance discrimination and feature decorrelation (ICLR 2021)."""
from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from mmcluster.checks import require_positive, require_share
from mmcluster.functional.losses.contrast import unit_rows
from mmcluster.functional.losses.instance_memory import feature_decorrelation, instance_discrimination, remembered
from mmcluster.registry import MODELS
from mmcluster.structures import Batch

from ..bank import SampleBank
from ..gather import gather_rows_with_grad
from .base import BaseClusterer
from .byol import feature_std


@MODELS.register_module()
class IDFD(BaseClusterer):
    """Tells every image from all others by a memory of their features, and keeps the features apart from each other.

    One view, one network, no head: the space of clustering is the neck's output. ``bank.memory`` (N, D) holds what
    the features of each image were; it starts at random and moves at the end of every step's ``loss``.

    Args:
        backbone: Config of the network's first part.
        neck: Config of its last part, a module with ``out_channels`` = D.
        temperature: Divides the similarities of images (paper's tau).
        feature_temperature: Divides those of features (paper's tau_2).
        decay: Weight of the old value in the memory.
        kwargs: See :class:`BaseClusterer`; the bank needs nothing but ``num_samples``.

    Raises:
        ValueError: Without a bank.
    """

    neck: nn.Module
    bank: SampleBank

    def __init__(self, backbone: dict, neck: dict, temperature: float = 1., feature_temperature: float = 2.,
                 decay: float = 0.5, **kwargs: Any):
        require_positive('IDFD', temperature=temperature, feature_temperature=feature_temperature)
        require_share('IDFD', decay=decay)
        super().__init__(backbone, neck, **kwargs)
        if self.bank is None:
            raise ValueError('IDFD keeps features of every image: give it bank=dict(num_samples=None)')
        self.temperature = temperature
        self.feature_temperature = feature_temperature
        self.decay = decay
        width: Any = self.neck.out_channels
        self.bank.add_field('memory', shape=(width,), dtype='float32', fill=0)
        # rows of about unit length, as the features have
        nn.init.uniform_(self.bank.field('memory'), -(3 / width) ** 0.5, (3 / width) ** 0.5)

    def loss(self, batch: Batch) -> dict[str, Tensor]:
        """Both losses; then the memory moves towards the features of the batch.

        Args:
            batch: One view (B, C, H, W), further ones are not read, and the index (B,).

        Returns:
            ``loss_instance`` of this rank's rows, ``loss_feature`` of the rows of all ranks, and the spread of the
            features.
        """
        feat = unit_rows(self.outputs(batch.views[0])[0])
        # a copy of the memory: the backward pass needs the rows that the loss saw, and some are overwritten below
        instance = instance_discrimination(feat, self.bank.field('memory').clone(), batch.index, self.temperature)
        feature = feature_decorrelation(gather_rows_with_grad(feat), self.feature_temperature)
        memory = remembered(self.bank.read('memory', batch.index), feat, self.decay)
        self.bank.write(batch.index, memory=memory)
        return dict(loss_instance=instance, loss_feature=feature, feat_std=feature_std(feat))
