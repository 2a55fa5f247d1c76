"""RUC: two networks relearn a clustering whose labels they clean for each other (CVPR 2021)."""
from __future__ import annotations

import copy
from typing import Any, Optional

import torch
from mmengine.dist import get_rank, get_world_size
from mmengine.model import ModuleDict
from torch import Tensor

from mmcluster.checks import require_not_negative, require_positive, require_share
from mmcluster.functional.losses.contrast import at_least_float32
from mmcluster.functional.losses.mixing import draw_mixing, guess, mix
from mmcluster.functional.losses.pseudo import known_rows
from mmcluster.functional.losses.ruc import (confidence, mixed_losses, refined_target, relabel, smoothed_cross_entropy,
                                             twin_weight)
from mmcluster.registry import MODELS
from mmcluster.structures import Batch

from ..base_parts import PARTS
from ..boost import Boost
from ..gather import gather_rows, reduce_sum
from ..head_parts import build, build_head
from .base import forward_parts


@MODELS.register_module()
class RUC(Boost):
    """A booster with a twin: MixMatch on clean and unclean rows, whose targets both networks make together.

    Both networks start from the base's weights and have new heads, which differ. They train in turns, an epoch each: a
    ``TurnHook`` sets ``turn``. The one that rests gets no gradient, and moves its batch-norm statistics all the same.

    A row of ``bank.target`` is clean (>= 0) or unclean (-1); a ``SelectHook`` with ``HybridClean`` fills it. The only
    stream is ``unlabelled`` with four views: plain, weak, weak, strong. With a labeller (RUC + ASD) the rows of the
    stream ``labelled``, which then has the four views, are the clean part, and those of ``unlabelled``, with two weak
    views, the other one. The labeller sees the first network alone, and trains in its turns; the twin gets the labels.

    ``outputs`` adds the logits of both networks; ``deployed`` hands on the first one.

    Args:
        base: See :class:`Boost`.
        backbone: See :class:`Boost`.
        neck: See :class:`Boost`.
        head: Config of the heads.
        temperature: Sharpens targets.
        alpha: Both parameters of the Beta distribution of the mixing share.
        unsup_weight: Weight of L_U; a ``ScheduleHook`` raises it (``linear=dict(start=0., end=25., least=2.5)``).
        smoothing: Mass of the other classes in L_S.
        relabel_threshold: Confidence at which an unclean row becomes clean, without a labeller; above 1 none does. A
            ``ScheduleHook`` may raise it.
        kwargs: See :class:`Boost`; there is no pseudo-label loss.

    Attributes:
        turn: Which network trains: 0, the first, or 1, its twin.
        taught: (2,) bool, with a labeller: which network has had labels.

    Raises:
        ValueError: Without a config of the heads or a bank, with a pseudo-label loss, or if a number is out of range.
    """

    taught: Tensor
    fields: dict[str, dict[str, Any]] = dict(
        target=dict(),
        confidence=dict(shape=(2,), dtype='float32'),
        weight=dict(dtype='float32', fill=0., persistent=False))

    def __init__(self, base: Optional[dict] = None, backbone: Optional[dict] = None, neck: Optional[dict] = None,
                 head: Optional[dict] = None, temperature: float = 0.5, alpha: float = 4., unsup_weight: float = 25.,
                 smoothing: float = 0.5, relabel_threshold: float = 0.99, **kwargs: Any):
        require_positive('RUC', temperature=temperature, alpha=alpha)
        require_not_negative('RUC', unsup_weight=unsup_weight)
        require_share('RUC', smoothing=smoothing)
        require_not_negative('RUC', relabel_threshold=relabel_threshold)
        if not isinstance(head, dict):
            raise ValueError("RUC starts with two new heads, so that its networks differ: give "
                             "head=dict(type='LinearClusterHead', ...)")
        if kwargs.get('pseudo_label_loss'):
            raise ValueError('RUC has a loss of its own: drop pseudo_label_loss')
        if not kwargs.get('bank'):
            raise ValueError('RUC keeps labels in its bank: give bank=dict(num_samples=None)')
        if smoothing == 1:
            raise ValueError('RUC: smoothing must be in [0, 1); at 1 no label is left')
        super().__init__(base, backbone, neck, head, **kwargs)
        given = dict(backbone=build(backbone), neck=build(neck), head=build_head(head, self.backbone, self.neck))
        self.twin = ModuleDict({name: copy.deepcopy(getattr(self, name)) if name in self.from_base else build(part)
                                for name, part in given.items()})
        if kwargs.get('channels_last'):
            self.twin['backbone'].to(memory_format=torch.channels_last)
        self.temperature = temperature
        self.alpha = alpha
        self.unsup_weight = unsup_weight
        self.smoothing = smoothing
        self.relabel_threshold = relabel_threshold
        self.turn = 0
        self.required_hooks = (*self.required_hooks, 'TurnHook')
        if self.labeller is not None:
            self.register_buffer('taught', torch.zeros(2, dtype=torch.bool))
            return
        for name, field in self.fields.items():
            self.bank.add_field(name, **field)

    def init_weights(self) -> None:
        """Initialise both networks; what came from the base is equal in both."""
        super().init_weights()
        if (self.init_cfg or {}).get('type') != 'Pretrained':
            for name in self.from_base:
                self.twin[name].load_state_dict(getattr(self, name).state_dict())

    def outputs(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Embedding (B, D) of the first network and the sum of both networks' logits (B, K)."""
        embed, logits = super().outputs(x)
        return embed, logits + self.logits_of(1, x)

    def logits_of(self, network: int, x: Tensor) -> Tensor:
        """Logits of one network.

        Args:
            network: 0, the first, or 1, its twin.
            x: (B, C, H, W).

        Returns:
            (B, K), at least float32.
        """
        twin = self.twin
        backbone, neck, head = (twin[name] for name in PARTS) if network else (self.backbone, self.neck, self.head)
        return at_least_float32(forward_parts(x, backbone, neck, head)[1])

    def start_turn(self) -> None:
        """Fill ``bank.weight`` from the confidence that the resting network had in its turn. For hooks.

        Raises:
            ValueError: Without a labeller, if no row is clean or a label is none of the heads' clusters.
        """
        if self.labeller is not None:
            return
        largest = int(self.bank.field('target').max())
        if not 0 <= largest < getattr(self.head, 'num_clusters', largest + 1):
            raise ValueError(f"RUC: the largest label in bank.target is {largest}. Let a SelectHook with HybridClean "
                             f'fill it, from a clustering with as many clusters as the heads have')
        self.bank.fill(weight=twin_weight(self.bank.field('confidence')[:, 1 - self.turn]))

    def loss(self, unlabelled: Batch, labelled: Optional[Batch] = None,
             reference: Optional[Batch] = None) -> dict[str, Tensor]:
        """Losses of one step of the network whose turn it is.

        Args:
            unlabelled: Four views (B, C, H, W), see above; with a labeller two weak views (U, C, H, W).
            labelled: Four views (L, C, H, W), with a labeller.
            reference: Passed to the labeller.

        Returns:
            ``loss_sup`` (L_X), ``loss_unsup`` (L_U), ``loss_smooth`` (L_S), and the labeller's in the turns of the
            first network; before there are labels these alone.

        Raises:
            ValueError: If streams or views are missing.
        """
        if (labelled is None) != (self.labeller is None):
            raise ValueError("RUC has a stream 'labelled' if and only if it has a labeller; drop one, or give both")
        name, clean = ('unlabelled', unlabelled) if labelled is None else ('labelled', labelled)
        if len(clean.views) != 4:
            raise ValueError(f'RUC needs four views of the stream {name!r} and got {len(clean.views)}; give '
                             f'views=dict({name}=[[], weak, weak, strong], ...), or such a pipeline of the data set')
        return self.learn_alone(unlabelled) if labelled is None else self.learn(unlabelled, labelled, reference)

    def learn_alone(self, unlabelled: Batch) -> dict[str, Tensor]:
        """One step on the labels of the bank, to which it adds what the network has become sure of.

        Args:
            unlabelled: Plain, weak, weak and strong view (B, C, H, W).
        """
        plain, *weak, strong = unlabelled.views
        index, twin = unlabelled.index, 1 - self.turn
        label = self.bank.read('target', index)
        with torch.no_grad():
            logits, logits_twin = self.logits_of(self.turn, plain), self.logits_of(twin, plain)
            guessed = guess([self.logits_of(i, view) for i in (self.turn, twin) for view in weak], self.temperature)
        refined = refined_target(label, logits_twin, self.bank.read('weight', index), self.temperature)
        target = torch.where((label >= 0)[:, None], refined, guessed)
        losses = self.compare(weak, strong, target, label)
        self.watch(logits, label)
        seen = self.bank.read('confidence', index)
        seen[:, self.turn] = confidence(logits)
        self.bank.write(index, target=relabel(label, logits, self.relabel_threshold), confidence=seen)
        return {**losses, 'agreement': (logits.argmax(1) == logits_twin.argmax(1)).float().mean()}

    def learn(self, unlabelled: Batch, labelled: Batch, reference: Optional[Batch]) -> dict[str, Tensor]:
        """One step on the labels of the labeller, which asks the first network in either turn.

        Args:
            unlabelled: Two weak views (U, C, H, W).
            labelled: Plain, weak, weak and strong view (L, C, H, W).
            reference: Passed to the labeller.
        """
        plain, *weak, strong = labelled.views
        trains = getattr(self.labeller, 'trains', False) and self.turn == 0
        with torch.set_grad_enabled(trains and torch.is_grad_enabled()):
            l, u, losses = self.forward_streams(unlabelled, labelled._replace(views=weak), reference, joint=False)
        assert l is not None        # as there is a labelled stream
        losses = {key: value for key, value in losses.items() if trains or not key.startswith('loss_')}
        if l.target is None:
            return losses
        with torch.no_grad():
            logits_twin = self.logits_of(1 - self.turn, plain)
            theirs = [self.logits_of(1, view) for view in unlabelled.views[:2]]
        guessed = guess([u.logits_weak, u.logits_strong, *theirs], self.temperature)
        weight = twin_weight(gather_rows(confidence(logits_twin))) * self.taught[1 - self.turn]
        mine = slice(get_rank() * len(plain), (get_rank() + 1) * len(plain))
        refined = refined_target(l.labels, logits_twin, weight[mine], self.temperature)
        self.taught[self.turn].fill_(True)
        images = [torch.cat(views) for views in zip(weak, unlabelled.views)]
        losses.update(self.compare(images, strong, torch.cat([refined, guessed]), l.labels))
        return {**losses, 'agreement': (u.logits_weak.argmax(1) == theirs[0].argmax(1)).float().mean()}

    def compare(self, weak: list[Tensor], strong: Tensor, target: Tensor, label: Tensor) -> dict[str, Tensor]:
        """Mix both weak views of all rows, forward them and the strong view, and compare.

        A mixed row counts as clean if its larger part is. Sums are divided by the counts of all ranks, so that the
        average over ranks is the loss of the whole batch.

        Args:
            weak: Two views (R, C, H, W).
            strong: (S, C, H, W) of the first S rows.
            target: (R, K) refined and guessed labels.
            label: (S,), or soft (S, K); rows without one are unclean, and so are those after them.
        """
        rows, ranks, known = len(target), get_world_size(), known_rows(label)
        clean = torch.cat([known, known.new_zeros(rows - len(known))]).repeat(2)
        count = reduce_sum(known.sum())
        share, order = self.draw(2 * rows, target.device)
        logits = self.logits_of(self.turn, mix(torch.cat(weak), order, share))
        mixed = mixed_losses(logits, mix(target.repeat(2, 1), order, share), clean, 2 * count,
                             2 * (rows * ranks - count))
        smooth = smoothed_cross_entropy(self.logits_of(self.turn, strong), label, self.smoothing, count)
        return dict(loss_sup=ranks * mixed.clean, loss_unsup=ranks * self.unsup_weight * mixed.unclean,
                    loss_smooth=ranks * smooth, clean_share=count / (rows * ranks),
                    mix_share=target.new_zeros(()) + share)

    def draw(self, num_rows: int, device: torch.device) -> tuple[Tensor, Tensor]:
        """Random numbers of one batch, see :func:`~mmcluster.functional.losses.mixing.draw_mixing`."""
        return draw_mixing(num_rows, self.alpha, device)
