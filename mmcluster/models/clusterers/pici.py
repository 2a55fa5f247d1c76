"""PICI: partial information discrimination and cross-level interaction on a masked transformer."""
from __future__ import annotations

from typing import Any, Optional

import torch
from torch import Tensor

from mmcluster.checks import require_choice, require_not_negative
from mmcluster.functional.losses.contrast import unit_rows
from mmcluster.functional.losses.cross_level import cross_level_loss, label_votes, match_labels
from mmcluster.functional.views.masked import masked_reconstruction, num_visible
from mmcluster.registry import MODELS
from mmcluster.structures import Batch

from ..backbones.masked_vit import MaskedDecoder, MaskedViT, Tokens
from ..bank import SampleBank
from ..gather import gather_rows
from ..head_parts import build
from .two_level import TwoLevelClusterer

NUM_VIEWS = 2
FIELD = 'view_label'


@MODELS.register_module()
class PICI(TwoLevelClusterer):
    """Reconstruction of masked patches, contrast on two levels, and clusters of one level that teach the other.

    One masked pass over both views serves all three losses; each image of each view has its own mask. The weights
    ``pisd``, ``picd`` and ``cross_level`` are floats that ``ScheduleHook``s move through the paper's phases
    (pre-training 1, 0, 0; training 1, 1, 0; boosting 0, 1, 1); a zero weight skips the computation, so the decoder does
    not run in boosting, and never in evaluation. ``outputs`` sees whole images.

    Pseudo-labels are rows of ``bank.view_label`` (N, 2), one for each view, which a ``KMeansHook`` with
    ``output='project', views='train', field='view_label', per_view=True`` writes when boosting begins.

    Args:
        backbone: Config of a ``MaskedViT``.
        projector: Config of the instance-level branch (B, F) -> (B, D).
        head: Config of the cluster-level branch (B, F) -> (B, M).
        decoder: Config of a ``MaskedDecoder``; ``None`` is for ``pisd=0``.
        pisd: Weight of the reconstruction (eq. 1).
        picd: Weight of both contrasts (eq. 2).
        cross_level: Weight of the cross-level interaction (eq. 15).
        norm_pix: Reconstruct patches standardised one by one, as released; ``False``: plain pixels (paper).
        match: Pseudo-labels are renamed to the head's clusters by the rows of the ``'batch'`` of all ranks (released),
            for which one small table goes to the host and back in every step, or ``'set'``: as they stand in the bank,
            where a ``MatchHook`` renames them in every epoch by the whole set.
        double_softmax: Softmax over probabilities in the cross-level loss, as released.
        kwargs: See :class:`TwoLevelClusterer`; the bank needs nothing but ``num_samples``.

    Raises:
        ValueError: Without a bank or a masking backbone, or if the decoder does not fit it or has nothing to guess.
    """

    weights_needing_labels = {'cross_level': FIELD}
    backbone: MaskedViT
    decoder: Optional[MaskedDecoder]
    bank: SampleBank

    def __init__(self, backbone: dict, projector: dict, head: dict, decoder: Optional[dict] = None, pisd: float = 1.,
                 picd: float = 1., cross_level: float = 0., norm_pix: bool = True, match: str = 'batch',
                 double_softmax: bool = False, **kwargs: Any):
        require_not_negative('PICI', pisd=pisd, picd=picd, cross_level=cross_level)
        super().__init__(backbone, projector, head, **kwargs)
        if self.bank is None:
            raise ValueError('PICI keeps pseudo-labels of every image: give it bank=dict(num_samples=None)')
        require_choice('PICI', ('batch', 'set'), match=match)
        if not callable(getattr(self.backbone, 'masked', None)):
            raise ValueError(f"PICI masks patches: its backbone must be a 'MaskedViT', not "
                             f'{type(self.backbone).__name__}')
        self.decoder = build(decoder)
        self.pisd = pisd
        self.picd = picd
        self.cross_level = cross_level
        self.norm_pix = norm_pix
        self.match = match
        self.double_softmax = double_softmax
        self.required_hooks = ('MatchHook',) if match == 'set' else ()
        self.bank.add_field(FIELD, shape=(NUM_VIEWS,))
        _check_decoder(self.backbone, self.decoder, pisd)

    def project(self, x: Tensor) -> Tensor:
        """Unit projections of images: of what a random mask leaves of them in training mode, else of the whole.

        Args:
            x: (B, C, H, W).

        Returns:
            (B, D) float32, unit rows.
        """
        if not self.training:
            return super().project(x)
        return unit_rows(self.projector(self.backbone.masked(x).tokens[:, 0]))

    def loss(self, batch: Batch) -> dict[str, Tensor]:
        """The losses of the present phase.

        Args:
            batch: Two views (B, C, H, W).

        Returns:
            ``loss_pisd`` while ``pisd`` is not 0; ``loss_instance`` and ``loss_cluster`` (of the rows of all ranks),
            ``feat_std`` and ``entropy_gap`` while ``picd`` is not; ``loss_cross_level`` and the share of pseudo-labels
            that agree with the head while ``cross_level`` is not.

        Raises:
            ValueError: If there is one view alone.
        """
        images = torch.cat(self.pair(batch))
        seen = self.backbone.masked(images)
        h1, h2 = seen.tokens[:, 0].chunk(NUM_VIEWS)
        losses = {}
        if self.pisd:
            losses['loss_pisd'] = self.pisd * self.reconstruction(images, seen)
        if self.picd:
            losses.update({name: self.picd * value if name.startswith('loss_') else value
                           for name, value in self.contrast_losses(h1, h2).items()})
        if self.cross_level:
            loss, agreement = self.interaction(h1, h2, batch.index)
            losses.update(loss_cross_level=self.cross_level * loss, cross_level_agreement=agreement)
        return losses

    def reconstruction(self, images: Tensor, seen: Tokens) -> Tensor:
        """Error of the decoder on removed patches (eq. 1).

        All images lose equally many patches, so the mean over both views is the mean of their means.

        Args:
            images: (2B, C, H, W), both views.
            seen: What the encoder made of them.

        Returns:
            ().

        Raises:
            ValueError: Without a decoder.
        """
        if self.decoder is None:
            raise ValueError("PICI: pisd is not 0; give decoder=dict(type='MaskedDecoder', ...)")
        pred = self.decoder(seen.tokens, seen.restore)
        return masked_reconstruction(images, pred, seen.mask, self.backbone.patch_size, self.norm_pix)

    def interaction(self, h1: Tensor, h2: Tensor, index: Tensor) -> tuple[Tensor, Tensor]:
        """Cross-entropy of the cluster head with renamed pseudo-labels (eqs. 12-15), mean of both views.

        Args:
            h1: (B, F) backbone vectors of the first view.
            h2: (B, F) of the second view.
            index: (B,) data set index.

        Returns:
            Loss () and agreement ().
        """
        logits = [self.head(h) for h in (h1, h2)]
        cluster = torch.stack([view.detach().argmax(1) for view in logits], 1)
        label = self.bank.read(FIELD, index)
        if self.match == 'batch':
            label = self._matched(label, cluster)
        losses = [cross_level_loss(view, known, self.double_softmax) for view, known in zip(logits, label.unbind(1))]
        return (losses[0] + losses[1]) / NUM_VIEWS, (label == cluster).float().mean()

    def _matched(self, label: Tensor, cluster: Tensor) -> Tensor:
        """Rename labels (B, 2) to clusters, one map a view, by the rows of all ranks."""
        labels = gather_rows(label)
        votes = label_votes(labels, gather_rows(cluster), self.num_clusters).cpu()
        if int(votes.sum()) < labels.numel():
            raise RuntimeError(f"PICI: bank.{FIELD} is not filled and cross_level is not 0; add dict("
                               f"type='KMeansHook', field='{FIELD}', output='project', views='train', per_view=True, "
                               f'begin=...) to custom_hooks, with the epoch from which cross_level is')
        return match_labels(label, votes)


def _check_decoder(backbone: MaskedViT, decoder: Optional[MaskedDecoder], weight: float) -> None:
    """Refuse a decoder of other patches than the backbone's, one with nothing to guess, and none where it counts."""
    if decoder is None:
        if weight:
            raise ValueError("PICI: pisd is not 0, so give decoder=dict(type='MaskedDecoder', ...), or set pisd=0")
        return
    for name, value in (('grid', backbone.grid), ('patch_size', backbone.patch_size),
                        ('in_channels', backbone.in_channels), ('embed_dim', backbone.out_channels)):
        if getattr(decoder, name) != value:
            raise ValueError(f'PICI: the decoder has {name}={getattr(decoder, name)}, where the backbone has {value}; '
                             f'give both the same img_size, patch_size and in_channels, and the decoder the width of '
                             f'the backbone as embed_dim')
    places = backbone.grid[0] * backbone.grid[1]
    if num_visible(places, backbone.mask_ratio) == places:
        raise ValueError(f'PICI: mask_ratio={backbone.mask_ratio} removes none of {places} patches, so there is '
                         f'nothing to reconstruct; raise it, or drop the decoder and set pisd=0')
