"""MixMatch: guessed labels of two weak views, mixed with labelled images (NeurIPS 2019)."""
from __future__ import annotations

from contextlib import nullcontext
from typing import Optional

import torch
from torch import Tensor

from mmcluster.checks import require_not_negative, require_positive, require_two_clusters
from mmcluster.functional.losses.mixing import draw_mixing, guess, mix, soft_rows, squared_error
from mmcluster.functional.losses.pseudo import known_rows, masked_cross_entropy
from mmcluster.registry import MODELS
from mmcluster.structures import Batch

from ..batch_norm import frozen_statistics
from ..boost import Boost, Labelled
from .base import PseudoLabelLoss


@MODELS.register_module()
class MixMatchLoss(PseudoLabelLoss):
    """L_X + unsup_weight * L_U on mixed images; an input-space learner, so it overrides :meth:`forward`.

    Streams: ``unlabelled`` with two weak views, ``labelled`` with one. Labels are guessed with batch-norm running
    statistics at rest. The mixed rows are dealt out into as many parts as there are views, like cards, so that a part
    has its share of labelled and unlabelled rows; each part is normalised on its own, and the first one moves the
    running statistics. A ``ScheduleHook`` raises ``unsup_weight`` (``linear=dict(start=0., end=100., until=0.4)``).
    No buffers.

    Args:
        num_clusters: K. Not needed; the other losses need it, so that a change of ``type`` alone swaps the loss.
        temperature: Sharpens guesses, paper's T.
        alpha: Both parameters of the Beta distribution of lambda; 0.5 in the release, 0.75 in the paper.
        unsup_weight: Weight of L_U, paper's lambda_U; 0 leaves it out.
    """

    def __init__(self, num_clusters: Optional[int] = None, temperature: float = 0.5, alpha: float = 0.5,
                 unsup_weight: float = 100.):
        require_positive('MixMatchLoss', temperature=temperature, alpha=alpha)
        require_not_negative('MixMatchLoss', unsup_weight=unsup_weight)
        super().__init__()
        require_two_clusters(type(self).__name__, num_clusters)
        self.num_clusters = num_clusters
        self.temperature = temperature
        self.alpha = alpha
        self.unsup_weight = unsup_weight

    def forward(self, net: Boost, unlabelled: Batch, labelled: Optional[Batch] = None,
                reference: Optional[Batch] = None) -> dict[str, Tensor]:
        """Guess, ask the labeller, mix, forward, compare.

        Args:
            net: The booster.
            unlabelled: Two weak views (U, C, H, W).
            labelled: Weak view (L, C, H, W); ``None`` or no rows: the unlabelled rows are mixed among themselves.
            reference: Passed to the labeller.

        Returns:
            ``loss_sup`` (L_X), ``loss_unsup`` (L_U) and the labeller's losses; ``mix_share`` is lambda'.
        """
        labelled = labelled if labelled is not None and len(labelled.index) else None
        trains = getattr(net.labeller, 'trains', False)
        with frozen_statistics(net), torch.set_grad_enabled(trains and torch.is_grad_enabled()):
            l, u, losses = net.forward_streams(unlabelled, labelled, reference, joint=False)
        if l is not None and l.target is None:
            with torch.no_grad():
                net.outputs(unlabelled.views[0])        # running statistics must not wait for the labels
            return losses
        guessed = guess([u.logits_weak, u.logits_strong], self.temperature)
        images, targets = list(unlabelled.views[:2]), [guessed, guessed]
        if l is not None and labelled is not None:
            images, targets = [labelled.views[0], *images], [self.soft_target(l), *targets]
        share, order = self.draw(sum(map(len, images)), guessed.device)
        logits = self.dealt_logits(net, mix(torch.cat(images), order, share), len(images))
        target = mix(torch.cat(targets), order, share)
        return {**losses, **self.mixed_losses(l, logits, target), 'mix_share': guessed.new_zeros(()) + share}

    def dealt_logits(self, net: Boost, images: Tensor, parts: int) -> Tensor:
        """Forward mixed rows in parts that each hold a share of every stream; the first moves batch norm.

        Args:
            net: The booster.
            images: (B, C, H, W), stream after stream.
            parts: P; part i has the rows i, i + P, i + 2 P, ...

        Returns:
            (B, K) in the order of the images.
        """
        logits = []
        for i in range(parts):      # release's interleaving: batch norm must never see the rows of one stream alone
            with frozen_statistics(net) if i else nullcontext():
                logits.append(net.outputs(images[i::parts])[1])
        place = torch.arange(len(images), device=images.device)
        dealt = torch.cat([place[i::parts] for i in range(parts)])
        return torch.cat(logits).index_select(0, torch.argsort(dealt))

    def mixed_losses(self, l: Optional[Labelled], logits: Tensor, target: Tensor) -> dict[str, Tensor]:
        """Compare predictions and labels of the mixed rows (eqs. 3-5).

        Args:
            l: Labelled rows, or ``None``.
            logits: (L + 2 U, K), the labelled rows first.
            target: (L + 2 U, K) mixed soft labels.
        """
        losses, rows = {}, 0
        if l is not None:
            rows = len(l.index)
            losses['loss_sup'] = masked_cross_entropy(logits[:rows], target[:rows], known_rows(l.labels))
        if self.unsup_weight or l is None:
            losses['loss_unsup'] = self.unsup_weight * squared_error(logits[rows:], target[rows:])
        return losses

    def soft_target(self, l: Labelled) -> Tensor:
        """Labels (L, K); a row without one takes the network's own guess and has no part in L_X."""
        own = guess([l.logits], self.temperature)
        return torch.where(known_rows(l.labels)[:, None], soft_rows(l.labels, own), own)

    def draw(self, num_rows: int, device: torch.device) -> tuple[Tensor, Tensor]:
        """Random numbers of one batch, see :func:`~mmcluster.functional.losses.mixing.draw_mixing`."""
        return draw_mixing(num_rows, self.alpha, device)
