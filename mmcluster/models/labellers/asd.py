"""ASD: labels that an adaptor makes out of nothing, for any semi-supervised learner (TIP 2025)."""
from __future__ import annotations

from typing import Any, Optional

import torch
from mmengine.dist import broadcast, get_rank
from torch import Tensor, nn

from mmcluster.checks import (require_choice, require_count, require_positive, require_share, require_two_clusters,
                              require_width)
from mmcluster.functional.labels.instance import (InstanceLabels, align_instances, cluster_target, flip_labels,
                                                  regularisation)
from mmcluster.functional.labels.transition import record_, transition_codes
from mmcluster.functional.losses.prototype import one_hot
from mmcluster.functional.losses.pseudo import masked_cross_entropy
from mmcluster.registry import MODELS

from ..bank import SampleBank
from ..boost import Labelled, Reference, Unlabelled
from ..gather import gather_rows

ANCHOR_MODES = ('recompute', 'frozen')


@MODELS.register_module()
class ASDLabels(nn.Module):
    """Instance classes by optimal transport, and clusters of instance classes by class transitions.

    The n_l rows of the labelled stream are aligned with as many anchors, which an ``AnchorHook`` chooses once and
    which travel as the stream ``reference``. The plan gives each row a soft *instance class* that trains a head of its
    own (eqs. 6-8). What this head predicts for an unlabelled image, and what it predicted at the last visit
    (``bank.pred``), is a transition (eq. 9); a ``TransitionHook`` clusters the instance classes by their transitions
    and hands over a map. A row's label is the cluster of its likeliest instance class; before the first map there is
    none. Order of a step: plan, instance loss, transitions, labels. Everything that is kept comes from the rows of all
    ranks.

    Args:
        in_channels: D, width of the embedding.
        num_clusters: K.
        num_labelled: n_l, rows of the labelled stream over all ranks, and number of instance classes.
        num_unlabelled: U, rows of the unlabelled stream over all ranks.
        window: N_b, iterations whose transitions count.
        reg: Weight lambda of the entropy in the transport; the paper gives no value.
        reg_mode: ``'relative'``: times the standard deviation of the costs. ``'absolute'``: as it is.
        anchor_mode: ``'recompute'`` the anchors' features in each iteration, or ``'frozen'``: those of the first one.
        warmup: Iterations in which a batch that consists of the anchors has one-hot instance labels; the paper has
            one. With random rows only the first batch does.
        soft: Labels (L, K) that keep the doubt of the transport.
        given: Bank field of given labels, which a ``GroundTruthHook`` fills and the labelled stream draws from: they
            are the labels of its rows instead of a map's. The first phase of semi-supervised clustering; no map is
            needed.
        noise: Share of the given labels that is flipped anew in each iteration (ASD Fig. 7a, b).

    Attributes:
        ring: (N_b, U) int32 transitions of the last iterations, ``old * n_l + new``, -1 padding.
        counts: (n_l, n_l) long, their sums.
        pointer: () long, line of the next iteration.
        steps: () long, iterations so far.
        class_map: (n_l,) long, -1 before the first map.
        anchor_feat: (n_l, D), unless they are recomputed.
        seen: ``'labels'``: instance labels of the last step, for the hook that logs them; nothing depends on it.
    """

    fields: dict[str, dict[str, Any]] = dict(pred=dict(), anchor=dict())
    required_hooks: tuple[str, ...] = ('AnchorHook', 'TransitionHook')
    trains = True
    ring: Tensor
    counts: Tensor
    pointer: Tensor
    steps: Tensor
    class_map: Tensor
    anchor_feat: Tensor

    def __init__(self, in_channels: int, num_clusters: int, num_labelled: int, num_unlabelled: int,
                 window: int = 1000, reg: float = 0.2, reg_mode: str = 'relative',
                 anchor_mode: str = 'recompute', warmup: int = 1, soft: bool = False, given: Optional[str] = None,
                 noise: float = 0.):
        require_count('ASDLabels', num_labelled=num_labelled, num_unlabelled=num_unlabelled, window=window)
        require_positive('ASDLabels', reg=reg)
        require_share('ASDLabels', noise=noise)
        require_count('ASDLabels', least=0, warmup=warmup)
        super().__init__()
        require_two_clusters('ASDLabels', num_clusters)
        if num_labelled < num_clusters:
            raise ValueError(f'ASDLabels: {num_labelled} labelled rows cannot stand for {num_clusters} clusters; raise '
                             f'num_labelled and the size of the labelled stream, 4 K in the paper')
        require_choice('ASDLabels', ANCHOR_MODES, anchor_mode=anchor_mode)
        regularisation(torch.zeros(1, 1), reg, reg_mode)    # raises
        self.head = nn.Linear(in_channels, num_labelled)
        self.num_clusters = num_clusters
        self.num_labelled = num_labelled
        self.options: dict[str, Any] = dict(reg=reg, reg_mode=reg_mode)
        self.anchor_mode = anchor_mode
        self.warmup = warmup
        self.soft = soft
        self.given = given
        self.noise = noise
        if given is not None:
            self.fields = {**self.fields, given: {}}
            self.required_hooks = ('GroundTruthHook', 'AnchorHook')
        self.register_buffer('ring', torch.full((window, num_unlabelled), -1, dtype=torch.int32))
        self.register_buffer('counts', torch.zeros(num_labelled, num_labelled, dtype=torch.long))
        self.register_buffer('pointer', torch.zeros((), dtype=torch.long))
        self.register_buffer('steps', torch.zeros((), dtype=torch.long))
        self.register_buffer('class_map', torch.full((num_labelled,), -1))
        if anchor_mode != 'recompute':
            self.register_buffer('anchor_feat', torch.zeros(num_labelled, in_channels))
        self.host = dict(mapped=False)
        self.seen: dict[str, InstanceLabels] = {}

    @property
    def mapped(self) -> bool:
        """Whether there is a map, known without waiting for the device."""
        return self.host['mapped']

    @property
    def has_labels(self) -> bool:
        """Whether rows have labels, by a map or because they are given."""
        return self.mapped or self.given is not None

    def set_map(self, class_map: Tensor) -> None:
        """Take over a map (n_l,) long from instance classes to clusters, equal on all ranks. For hooks."""
        self.class_map.copy_(class_map)
        self.host['mapped'] = bool((self.class_map >= 0).all())

    def forward(self, l: Labelled, u: Optional[Unlabelled], bank: SampleBank,
                reference: Optional[Reference] = None) -> tuple[Optional[Tensor], dict[str, Tensor]]:
        """Labels of the labelled rows, once there is a map, and the instance loss.

        Args:
            l: Labelled rows of this rank.
            u: Unlabelled rows of this rank; their weak views are tracked.
            bank: Holds ``anchor``, the instance class of each anchor, and ``pred``.
            reference: Features (n_l / W, D) of this rank's anchors, in the order of the data set over all ranks, and
                of its labelled rows.

        Returns:
            (L,) or (L, K) targets, ``None`` before the first map unless they are given; and ``loss_ins``.

        Raises:
            ValueError: If there is no reference stream, labelled rows or anchors are not n_l, or the embedding has
                another width.
        """
        require_width('model.labeller', self.head.in_features, l.feat.shape[1])
        mine = slice(get_rank() * len(l.index), (get_rank() + 1) * len(l.index))
        aligned = self.align(l, bank, reference)
        self.seen['labels'] = aligned
        losses = dict(loss_ins=masked_cross_entropy(self._instance_logits(l.feat), aligned.label[mine]))
        if self.training and u is not None:
            self.track(u, bank)
        if self.given is not None:
            target = bank.read(self.given, gather_rows(l.index))
            if self.noise:
                target = flip_labels(target, self.noise, self.num_clusters)
                broadcast(target)       # a share of the rows of all ranks, by one draw
            return target[mine], losses
        if not self.mapped:
            return None, losses
        target = cluster_target(aligned.label, aligned.index, self.class_map, self.num_clusters, self.soft)
        return target[mine], losses

    @torch.no_grad()
    def align(self, l: Labelled, bank: SampleBank, reference: Optional[Reference]) -> InstanceLabels:
        """Instance labels of the labelled rows of all ranks (eq. 7); one-hot for the anchors at the beginning.

        Args:
            l: Labelled rows of this rank.
            bank: Holds ``anchor``.
            reference: Features of anchors and labelled rows, see :meth:`forward`.

        Returns:
            Labels (n_l, n_l) and what belongs to them.
        """
        if reference is None:
            raise ValueError("ASDLabels compares with anchors: give the sampler a stream reference=dict(size=n_l, "
                             "pool='anchor', order='fixed'), the preprocessor its view, and an AnchorHook")
        anchor, feat, index = map(gather_rows, (reference.anchor, reference.labelled, l.index))
        if len(feat) != self.num_labelled or len(anchor) != self.num_labelled:
            raise ValueError(f'ASDLabels has num_labelled={self.num_labelled}, but {len(feat)} labelled rows and '
                             f'{len(anchor)} anchors came; give both streams this size')
        if self.anchor_mode != 'recompute':
            anchor = torch.where(self.steps > 0, self.anchor_feat, anchor)
        aligned = align_instances(feat, anchor, **self.options)
        own = bank.read('anchor', index)
        fixed = (self.steps < self.warmup) & (own >= 0).all()
        label = torch.where(fixed, one_hot(own, self.num_labelled, aligned.label), aligned.label)
        if self.training:
            if self.anchor_mode != 'recompute':
                self.anchor_feat.copy_(anchor)
            self.steps.add_(1)
        return aligned._replace(label=label, index=torch.where(fixed, own, aligned.index))

    @torch.no_grad()
    def track(self, u: Unlabelled, bank: SampleBank) -> None:
        """Let the transitions of the unlabelled rows of all ranks enter the window (eq. 9).

        Args:
            u: Unlabelled rows of this rank.
            bank: Holds ``pred``.
        """
        old, new = bank.exchange('pred', u.index, self._instance_logits(u.feat_weak).argmax(1))
        record_(self.ring, self.counts, self.pointer, transition_codes(old, new, self.num_labelled))

    def _instance_logits(self, feat: Tensor) -> Tensor:
        return self.head(feat).float()

    def _load_from_state_dict(self, state_dict: dict, prefix: str, *args: Any) -> None:
        for name, own in self.named_buffers(recurse=False):
            given = state_dict.get(prefix + name, own)
            if given.shape != own.shape:
                raise ValueError(
                    f"the checkpoint's {prefix}{name} has shape {tuple(given.shape)}, this run needs "
                    f'{tuple(own.shape)}: give num_labelled, num_unlabelled and window the values of the checkpoint, '
                    f'or start from the weights alone')
        super()._load_from_state_dict(state_dict, prefix, *args)
        self.host['mapped'] = bool((self.class_map >= 0).all())
