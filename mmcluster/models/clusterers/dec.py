"""Deep Embedded Clustering (ICML 2016), and the form that keeps the autoencoder's decoder (IJCAI 2017)."""
from __future__ import annotations

import copy
from typing import Any, Optional, Union

import torch
from torch import Tensor, nn

from mmcluster.checks import require_not_negative, require_two_clusters
from mmcluster.functional.losses.dec import reconstruction_loss, target_divergence
from mmcluster.registry import MODELS
from mmcluster.structures import Batch

from ..bank import SampleBank
from ..base_parts import base_parts, load_base, load_base_parts
from ..head_parts import build
from ..heads import StudentHead
from .base import BaseClusterer, pooled


@MODELS.register_module()
class DEC(BaseClusterer):
    """Moves an embedding and K centres towards sharpened assignments of the whole data set.

    A ``TargetHook`` sets the centres by k-means before the first step, writes the targets (N, K) and the labels of all
    rows to the bank, and ends the training when the labels stand still.

    Args:
        head: Config of a :class:`~mmcluster.models.heads.StudentHead`.
        base: Config of a trained clusterer, as a rule an ``Autoencoder``, whose backbone and neck are taken over; its
            checkpoint (``base.init_cfg``) is loaded strictly when weights are initialised and is not needed on resume.
        backbone: Config that replaces the base's backbone; needed without a base.
        neck: Config that replaces the base's neck.
        kwargs: See :class:`BaseClusterer`; the bank is needed.

    Raises:
        ValueError: Without base and backbone, or with fewer than two clusters.
    """

    required_hooks = ('TargetHook',)

    head: StudentHead
    bank: SampleBank
    changed: Tensor

    def __init__(self, head: Union[dict, nn.Module], base: Optional[dict] = None, backbone: Optional[dict] = None,
                 neck: Optional[dict] = None, **kwargs: Any):
        if base is None and backbone is None:
            raise ValueError(f'{type(self).__name__} needs a base (a trained autoencoder) or a backbone')
        given = dict(backbone=build(backbone), neck=build(neck))
        taken = base_parts(base, given, ('backbone', 'neck'))
        super().__init__(**{**given, **taken}, head=head, **kwargs)
        require_two_clusters(type(self).__name__, self.head.num_clusters)
        self.base = copy.deepcopy(base)
        self.from_base = sorted(taken)
        self.bank.add_field('label')
        self.bank.add_field('soft_target', shape=(self.head.num_clusters,), dtype='float32', fill=0)
        self.register_buffer('changed', torch.ones((), dtype=torch.float64))    # share of labels, by the last E-step

    @property
    def num_clusters(self) -> int:
        """K."""
        return self.head.num_clusters

    def init_weights(self) -> None:
        """Initialise the parts and take over the base's weights, unless a whole checkpoint was loaded."""
        super().init_weights()
        if self.base is not None and (self.init_cfg or {}).get('type') != 'Pretrained':
            load_base_parts(self, self.base, self.from_base)

    def cluster_loss(self, z: Tensor, index: Tensor) -> Tensor:
        """Divergence of the assignments of rows from their targets, which may be as old as the last E-step.

        Args:
            z: (B, D) embedding.
            index: (B,) data set index.
        """
        return target_divergence(self.head(z), self.bank.read('soft_target', index))

    def loss(self, batch: Batch) -> dict[str, Tensor]:
        """Clusters alone.

        Args:
            batch: One view (B, C, H, W).
        """
        return dict(loss_cluster=self.cluster_loss(self.embed(batch.views[0]), batch.index))


@MODELS.register_module()
class IDEC(DEC):
    """DEC that goes on making its input again, so that clusters cannot tear the embedding apart.

    Args:
        decoder: Config of the decoder (B, D) -> (B, F); weights are those of the base, an ``Autoencoder``.
        gamma: Weight of the clusters.
        summed_recon: Squared errors of an image are added up, as the paper prints them; the release averages them, so
            that clusters weigh F times as much.
        kwargs: See :class:`DEC`.
    """

    neck: nn.Module

    def __init__(self, *args: Any, decoder: Union[dict, nn.Module], gamma: float = 0.1, summed_recon: bool = False,
                 **kwargs: Any):
        require_not_negative('IDEC', gamma=gamma)
        super().__init__(*args, **kwargs)
        self.backbone.requires_grad_(False)
        self.decoder: nn.Module = build(decoder)
        self.gamma = gamma
        self.summed_recon = summed_recon

    def init_weights(self) -> None:
        """Take over the base's decoder, too."""
        super().init_weights()
        if self.base is not None and (self.init_cfg or {}).get('type') != 'Pretrained':
            self.decoder.load_state_dict(load_base(self.base).decoder.state_dict())

    def loss(self, batch: Batch) -> dict[str, Tensor]:
        """Reconstruction and clusters.

        Args:
            batch: One view (B, C, H, W).
        """
        with torch.no_grad():
            x = pooled(self.backbone(batch.views[0]), self.backbone)
        z = self.neck(x)
        return dict(loss_recon=reconstruction_loss(self.decoder(z), x, self.summed_recon),
                    loss_cluster=self.gamma * self.cluster_loss(z, batch.index))
