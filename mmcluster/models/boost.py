"""Booster: base x labeller x pseudo-label loss."""
from __future__ import annotations

import copy
from typing import Any, NamedTuple, Optional

import torch
from torch import Tensor, nn

from mmcluster.registry import MODELS
from mmcluster.structures import Batch

from .bank import SampleBank
from .base_parts import base_parts, load_base_parts
from .batch_norm import broadcast_statistics, frozen_statistics
from .clusterers.base import BaseClusterer, forward_parts
from .head_parts import build, build_for_head, build_head
from .returned import require_targets
from .teacher import MomentumTeacher
from .watch import ClusterWatch


class Labelled(NamedTuple):
    """Rows of the labelled stream after the forward pass.

    Attributes:
        feat: (L, D) embedding, the head's input.
        logits: (L, K).
        target: (L,) or soft (L, K); -1 is not yet known. ``None`` before the labeller spoke.
        index: (L,) data set index.
    """
    feat: Tensor
    logits: Tensor
    target: Optional[Tensor]
    index: Tensor  # type: ignore[assignment]  # hides tuple.index

    @property
    def labels(self) -> Tensor:
        """``target`` for a loss, which is asked for once the labeller has spoken."""
        assert self.target is not None
        return self.target


class Unlabelled(NamedTuple):
    """Rows of the unlabelled stream after the forward pass.

    Attributes:
        feat_weak: (U, D).
        feat_strong: (U, D).
        logits_weak: (U, K), without gradient.
        logits_strong: (U, K).
        index: (U,) data set index.
    """
    feat_weak: Tensor
    feat_strong: Tensor
    logits_weak: Tensor
    logits_strong: Tensor
    index: Tensor  # type: ignore[assignment]  # hides tuple.index


class Reference(NamedTuple):
    """What a labeller compares, from one pass of one network in one mode, without gradient.

    Attributes:
        anchor: (A, D) embedding of the anchors.
        labelled: (L, D) embedding of the labelled rows.
    """
    anchor: Tensor
    labelled: Tensor


@MODELS.register_module()
class Boost(BaseClusterer):
    """Fine-tunes a trained clusterer, or trains from scratch, with labels of its own making.

    Parameters are ``backbone.*``, ``neck.*`` and ``head.*``; a part that is given replaces the base's. The base's
    other parts and its bank are dropped. Its checkpoint (``base.init_cfg``) is loaded strictly when weights are
    initialised and is not needed on resume.

    Args:
        base: Config of a clusterer, usually with ``init_cfg=dict(type='Pretrained', checkpoint=...)``; ``None``
            needs a backbone.
        backbone: Config that replaces the base's backbone.
        neck: Config that replaces the base's neck.
        head: Config that replaces the base's head.
        labeller: Config of a module that says which label a labelled row has, now. It takes ``num_clusters`` and
            ``in_channels`` from the head, and so does the loss, unless its config gives them.
        pseudo_label_loss: Config of the semi-supervised loss.
        bank: Arguments of :class:`SampleBank`; the fields of labeller and loss are added.
        teacher: Arguments of :class:`MomentumTeacher`, ``dict(decay=0.999)``: an average of the weights that
            ``outputs`` (evaluation and E-steps) and ``reference`` use, both in evaluation mode, so its buffers are
            ``'live'`` unless said otherwise. A ``TeacherHook`` moves it after each optimiser step. ``None``: the
            network in training is used.
        reference: Which network sees anchors, for a labeller that compares rows with them. ``'teacher'``: the average.
            ``'network'``: the one that trains, normalised by these rows, its running statistics at rest. ``None``: the
            teacher if there is one.
        kwargs: See :class:`BaseClusterer`.

    Raises:
        ValueError: Without base and backbone, without a head, if head, labeller and loss have another number of
            clusters, or if the reference is unknown.
    """

    head: nn.Module
    bank: SampleBank        # wherever a part has fields

    def __init__(self, base: Optional[dict] = None, backbone: Optional[dict] = None, neck: Optional[dict] = None,
                 head: Optional[dict] = None, labeller: Optional[dict] = None,
                 pseudo_label_loss: Optional[dict] = None, bank: Optional[dict] = None,
                 teacher: Optional[dict] = None, reference: Optional[str] = None, **kwargs: Any):
        if base is None and backbone is None:
            raise ValueError('Boost needs a base (a trained clusterer) or a backbone')
        if reference not in (None, 'network', *['teacher'] * bool(teacher)):
            raise ValueError(f"Boost: reference is 'network' or, with teacher=dict(decay=...), 'teacher'; got "
                             f'{reference!r}')
        given = dict(backbone=build(backbone), neck=build(neck), head=head)
        taken = base_parts(base, given)
        parts = {**given, **taken}
        parts['head'] = build_head(**parts)
        if parts['head'] is None:
            raise ValueError("Boost needs a head: its base has none, so give head=dict(type='LinearClusterHead', ...)")
        super().__init__(**parts, bank=bank, **kwargs)
        self.base = copy.deepcopy(base)
        self.from_base = sorted(taken)
        self.labeller = build_for_head(labeller, self.head)
        self.pseudo_label_loss = build_for_head(pseudo_label_loss, self.head)
        for owner in (self.labeller, self.pseudo_label_loss):
            fields = getattr(owner, 'fields', {})
            if fields and self.bank is None:
                raise ValueError(f'{type(owner).__name__} keeps {", ".join(fields)} of every image: give '
                                 f'{type(self).__name__} bank=dict(num_samples=None)')
            for name, field in fields.items():
                self.bank.add_field(name, **field)
        self.watch = ClusterWatch(getattr(self.head, 'num_clusters', None))
        required = getattr(self.labeller, 'required_hooks', ())
        if isinstance(required, str):
            raise ValueError(f'{type(self.labeller).__name__}.required_hooks is a tuple of names, got {required!r}')
        self.required_hooks = (*required, *['TeacherHook'] * bool(teacher))
        self.from_teacher = bool(teacher) and reference != 'network'
        self.teacher = MomentumTeacher(parts, **{'buffers': 'live', **teacher}) if teacher else None

    @property
    def weights_needing_labels(self) -> dict[str, str]:
        """Weights of the loss that need k-means labels, see :class:`PseudoLabelLoss`."""
        named = getattr(self.pseudo_label_loss, 'weights_needing_labels', {})
        return {f'pseudo_label_loss.{name}': field for name, field in named.items()}

    def init_weights(self) -> None:
        """Initialise new parts and take over the base's weights, loading its checkpoint strictly."""
        super().init_weights()
        if self.base is None or (self.init_cfg or {}).get('type') == 'Pretrained':
            return
        load_base_parts(self, self.base, self.from_base)
        if self.teacher is not None:
            self.teacher.copy_from(self)

    def deployed(self) -> tuple[nn.Module, Optional[nn.Module], nn.Module]:
        """Backbone, neck and head of the teacher if there is one, else of the network that trains."""
        source = self if self.teacher is None else self.teacher
        return source.backbone, getattr(source, 'neck', None), source.head

    def outputs(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Embedding (B, D) and logits (B, K) of images (B, C, H, W): deployed parts, in training the trained ones."""
        backbone, neck, head = (self.backbone, self.neck, self.head) if self.training else self.deployed()
        return forward_parts(x, backbone, neck, head)

    @torch.no_grad()
    def embed_reference(self, anchor: Tensor, labelled: Tensor) -> Reference:
        """Embed anchors and labelled rows in one batch, so that both see the same network in the same mode.

        Args:
            anchor: (A, C, H, W).
            labelled: (L, C, H, W).

        Returns:
            Embeddings (A, D) and (L, D) without gradient.
        """
        source: Boost | MomentumTeacher = self
        if self.from_teacher and self.teacher is not None:
            source = self.teacher.eval()
            broadcast_statistics(source)    # what is compared across ranks has seen one network
        with frozen_statistics(source):
            both = torch.cat([anchor, labelled])
            feat = forward_parts(both, source.backbone, getattr(source, 'neck', None), None)[0]
        return Reference(*feat.float().split([len(anchor), len(labelled)]))

    def forward_streams(self, unlabelled: Batch, labelled: Optional[Batch] = None, reference: Optional[Batch] = None,
                        joint: bool = True) -> tuple[Optional[Labelled], Unlabelled, dict[str, Tensor]]:
        """Forward all streams and ask the labeller.

        Args:
            unlabelled: Two views, weak and strong, (U, C, H, W) each.
            labelled: One weak view (L, C, H, W), or ``None``.
            reference: One view (A, C, H, W); the labeller gets its embedding and, from the same pass, that of the
                labelled view.
            joint: One forward over [labelled weak, unlabelled weak, unlabelled strong], so that batch norm sees the
                mixture; ``False`` forwards each on its own, the unlabelled weak view without gradient.

        Returns:
            The labelled rows (``target`` is ``None`` while the labeller knows no labels), the unlabelled rows, and
            the labeller's own losses.

        Raises:
            ValueError: If the unlabelled stream has a single view, or a labelled stream has no labeller.
        """
        if len(unlabelled.views) < 2:
            raise ValueError('Boost needs two views of the unlabelled stream, weak and strong, and got one; give '
                             'views=dict(unlabelled=[weak, strong], ...), or such a pipeline of the data set')
        images = ([labelled.views[0]] if labelled is not None else []) + unlabelled.views[:2]
        if joint:
            sizes = [len(image) for image in images]
            feats, logits = (part.split(sizes) for part in self._online(torch.cat(images)))
        else:
            with torch.no_grad():
                weak = self._online(images[-2])
            feats, logits = zip(*[self._online(image) for image in images[:-2]], weak, self._online(images[-1]))
        u = Unlabelled(feats[-2], feats[-1], logits[-2].detach(), logits[-1], unlabelled.index)
        if labelled is None:
            self.watch(u.logits_weak, None)
            return None, u, {}
        l = Labelled(feats[0], logits[0], None, labelled.index)
        if self.labeller is None:
            raise ValueError('Boost got a labelled stream but has no labeller; give labeller=dict(type=...) or drop '
                             'the stream')
        embedded = None if reference is None else self.embed_reference(reference.views[0], labelled.views[0])
        target, losses = require_targets(type(self.labeller).__name__, tuple(l.logits.shape),
                                         self.labeller(l, u, self.bank, embedded))
        if target is not None:
            self.watch(u.logits_weak, target)
        return l._replace(target=target), u, losses

    def _online(self, x: Tensor) -> tuple[Tensor, Tensor]:
        feat, logits = forward_parts(x, self.backbone, self.neck, self.head)
        return feat.float(), logits.float()

    def loss(self, unlabelled: Batch, labelled: Optional[Batch] = None,
             reference: Optional[Batch] = None) -> dict[str, Tensor]:
        """Losses of one iteration, by the pseudo-label loss.

        Raises:
            ValueError: Without one.
        """
        if self.pseudo_label_loss is None:
            raise ValueError("Boost needs a loss to train: give pseudo_label_loss=dict(type='ClusMatchLoss', ...)")
        return self.pseudo_label_loss(self, unlabelled, labelled, reference)
