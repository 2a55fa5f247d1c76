"""TEMI: heads on frozen features that agree on neighbours by pointwise mutual information (BMVC 2023)."""
from __future__ import annotations

from typing import Any

import torch
from mmengine.dist import get_world_size
from torch import Tensor, nn

from mmcluster.checks import require_count, require_positive, require_share
from mmcluster.functional.losses.contrast import at_least_float32
from mmcluster.functional.losses.temi import pair_losses, temi_loss
from mmcluster.functional.shards import WHOLE, Shards
from mmcluster.registry import MODELS
from mmcluster.structures import Batch

from ..bank import SampleBank
from ..gather import reduce_sum
from ..teacher import MomentumTeacher
from .multi_head import MultiHeadClusterer


@MODELS.register_module()
class TEMI(MultiHeadClusterer):
    """Heads of a student and of its average, the teacher, on a frozen network; the best head of the teacher is kept.

    A ``NeighborHook`` with ``include_self=False`` mines ``bank.neighbors`` once. Each step draws a stream ``anchor``
    and one neighbour of every anchor, ``neighbor=dict(of='anchor', pool='neighbors')``.

    Args:
        head: Config of a ``MultiHead``, of :class:`~mmcluster.models.heads.CosineClusterHead` in the paper.
        num_neighbors: k.
        beta: Exponent of the joint probability; 1 is the mutual information.
        student_temperature: Divides the student's logits.
        teacher_temperature: Divides the teacher's logits.
        prior_decay: Part of the running shares of the clusters that stays in a step.
        weighted: Weigh pairs by how far the teachers of all heads see them in one cluster; ``False``: the PMI baseline.
        decay: Part of the teacher that stays in a step.
        last_layer: 0 lets the last layer rest, as in the first epoch of the paper; a ``ScheduleHook`` sets it. It has
            no gradient then, so several processes need ``find_unused_parameters=True``.
        kwargs: See :class:`MultiHeadClusterer`; the network below the heads is frozen. The bank needs nothing but
            ``num_samples``.

    Raises:
        ValueError: Without a bank.
    """

    bank: SampleBank
    prior: Tensor

    def __init__(self, head: dict, num_neighbors: int = 50, beta: float = 0.6, student_temperature: float = 0.1,
                 teacher_temperature: float = 0.1, prior_decay: float = 0.9, weighted: bool = True,
                 decay: float = 0.996, last_layer: float = 1., **kwargs: Any):
        require_count('TEMI', num_neighbors=num_neighbors)
        require_positive('TEMI', beta=beta, student_temperature=student_temperature,
                         teacher_temperature=teacher_temperature)
        require_share('TEMI', prior_decay=prior_decay)
        super().__init__(head, freeze=True, **kwargs)
        if self.bank is None:
            raise ValueError('TEMI keeps the neighbours of every image: give it bank=dict(num_samples=None)')
        self.bank.add_field('neighbors', shape=(num_neighbors + 1,))
        self.teacher = MomentumTeacher(dict(head=self.head), decay)
        self.register_buffer('prior', torch.full((self.head.num_heads, self.num_clusters), 1 / self.num_clusters))
        self.beta, self.weighted, self.prior_decay, self.last_layer = beta, weighted, prior_decay, last_layer
        self.student_temperature, self.teacher_temperature = student_temperature, teacher_temperature

    def _candidates(self, head: int) -> dict[str, nn.Module]:
        """A head of the teacher, once there is one."""
        kept: Any = getattr(self, 'teacher', self)
        return {**super()._candidates(head), 'head': kept.head.heads[head]}

    def head_logits(self, x: Tensor) -> Tensor:
        """Logits of all heads of the teacher, (B, C, H, W) -> (B, H, K)."""
        return self.teacher.head(self.features(x)).float().transpose(0, 1)

    def loss(self, anchor: Batch, neighbor: Batch) -> dict[str, Tensor]:
        """Weighted mutual information of anchors and neighbours, mean over heads.

        The teacher moves before the step, by the student that the last step left: after a step it moves, as in the
        release.

        Args:
            anchor: One view.
            neighbor: One view of a neighbour of each.

        Returns:
            ``loss_temi``, the mean weight of the pairs and the entropy of the running shares.
        """
        for head in self.head.heads:
            last: Any = getattr(head, 'last', None)
            if last is not None:
                last.requires_grad_(bool(self.last_layer))
        self.teacher.update(self)
        rows = torch.cat([self.features(stream.views[0]) for stream in (anchor, neighbor)])
        student, teacher = (at_least_float32(heads(rows)).unflatten(1, (2, -1))
                            for heads in (self.head, self.teacher.head))
        prob = (teacher / self.teacher_temperature).softmax(dim=-1)
        mean = reduce_sum(prob.mean(dim=(1, 2))) / get_world_size()
        loss = temi_loss(student, teacher, self.prior, self.beta, self.student_temperature, self.teacher_temperature,
                         self.prior_decay, self.weighted, mean)
        self.prior.copy_(loss.prior)
        entropy = -(self.prior * self.prior.clamp_min(1e-12).log()).sum(dim=1).mean()
        return dict(loss_temi=loss.total, pair_weight=loss.weight.mean(), prior_entropy=entropy)

    def selection_losses(self, logits: Tensor, shards: Shards = WHOLE) -> Tensor:
        """Loss of every head of the teacher over all images and all their neighbours.

        Args:
            logits: (n, H, K) of this rank.
            shards: Who holds the N rows.

        Returns:
            (H,).
        """
        neighbors = self.stored_neighbors("dict(type='NeighborHook', include_self=False)")
        log_prob = (logits / self.teacher_temperature).log_softmax(dim=-1).transpose(0, 1)
        return pair_losses(log_prob, shards.own(neighbors, len(logits)), self.beta, self.weighted, shards)
