"""ProPos: prototype scattering and positive sampling on BYOL (TPAMI 2022)."""
from __future__ import annotations

from typing import Any

import torch
from mmengine.dist import get_rank
from torch import Tensor, nn

from mmcluster.checks import require_choice, require_count, require_not_negative, require_positive, require_two_clusters
from mmcluster.functional.losses.contrast import cosine_regression
from mmcluster.functional.losses.prototype import class_prototypes, enqueue_, queue_labels, scattering_of_views
from mmcluster.registry import MODELS

from ..bank import SampleBank
from ..gather import gather_rows, gather_rows_with_grad
from .byol import BYOL


@MODELS.register_module()
class ProPos(BYOL):
    """Positive sampling alignment (PSA) plus prototype scattering (PSL).

    The E-step (a ``KMeansHook`` on the momentum embedding) writes ``bank.label``; the prototypes of a batch are the
    normalised class means of online and momentum embeddings. ``psl_weight`` and ``sigma`` are floats that a
    ``ScheduleHook`` holds at 0 during warm-up; a zero weight skips the computation.

    Args:
        num_clusters: K.
        psl_weight: Weight of prototype scattering (paper's lambda_psl).
        sigma: Standard deviation of the noise on the raw online embedding, whatever its norm (paper's sigma).
        temperature: Divides the similarities of prototypes (paper's tau).
        assignment: ``'hard'`` reads ``bank.label`` (N,), ``'soft'`` reads ``bank.posterior`` (N, K).
        queue_size: Rows of past momentum embeddings that join the prototypes (section 5.9); 0 is off.
        gather_grad: ``'sum'``: the gradient of one process with the whole batch. ``'local'``: the release's 1 / W.
        mask_scope: ``'global'``: a cluster is absent if no rank has it. ``'rank'``: if this rank has none (release).
        absent_fill: ``None`` leaves absent clusters out of the denominator; -10 sets their logits so (release).
        psl_terms: ``'both'`` (eq. 4), or one part of eq. 5 alone, the paper's ablation: ``'alignment'``, of prototypes
            of the predictor's outputs, without which it collapses, or ``'uniformity'``.
        over_all: Divide by K (eq. 4) instead of by the number of present clusters (release).
        kwargs: See :class:`BYOL`. The bank needs the field of ``assignment``; this class declares it.
    """

    bank: SampleBank
    queue: Tensor
    queue_index: Tensor
    queue_pointer: Tensor

    def __init__(self, *args: Any, num_clusters: int, psl_weight: float = 0.1, sigma: float = 0.001,
                 temperature: float = 0.5, assignment: str = 'hard', queue_size: int = 0, gather_grad: str = 'sum',
                 mask_scope: str = 'global', absent_fill: float | None = None, over_all: bool = False,
                 psl_terms: str = 'both', **kwargs: Any):
        require_not_negative('ProPos', psl_weight=psl_weight, sigma=sigma)
        require_positive('ProPos', temperature=temperature)
        require_count('ProPos', least=0, queue_size=queue_size)
        super().__init__(*args, **kwargs)
        require_choice('ProPos', ('hard', 'soft'), assignment=assignment)
        require_choice('ProPos', ('both', 'alignment', 'uniformity'), psl_terms=psl_terms)
        require_choice('ProPos', ('sum', 'local'), gather_grad=gather_grad)
        require_choice('ProPos', ('global', 'rank'), mask_scope=mask_scope)
        require_two_clusters('ProPos', num_clusters)
        if self.bank is None:
            raise ValueError('ProPos keeps cluster labels per sample: give it bank=dict(num_samples=None)')
        self.num_clusters = num_clusters
        self.psl_weight = psl_weight
        self.sigma = sigma
        self.temperature = temperature
        self.gather_grad = gather_grad
        self.mask_scope = mask_scope
        self.absent_fill = absent_fill
        self.over_all = over_all
        self.psl_terms = psl_terms
        self.bank.add_field('label')
        self.field = 'label'
        if assignment == 'soft':
            self.field = 'posterior'
            self.bank.add_field('posterior', shape=(num_clusters,), dtype='float32', fill=0)
        self.weights_needing_labels = dict(psl_weight=self.field)
        self.queue_size = queue_size
        if queue_size:
            neck: Any = self.neck
            self._init_queue(queue_size, neck.out_channels)

    def _init_queue(self, size: int, width: int) -> None:
        self.register_buffer('queue', nn.functional.normalize(torch.randn(size, width), dim=1))
        self.register_buffer('queue_index', torch.full((size,), -1))
        self.register_buffer('queue_pointer', torch.zeros((), dtype=torch.long))

    def losses(self, z: list[Tensor], k: list[Tensor], index: Tensor) -> dict[str, Tensor]:
        """PSA in both directions, and PSL once the warm-up is over (eq. 12).

        Args:
            z: Raw online embeddings (B, D) of the two views.
            k: Unit momentum embeddings (B, D) of the two views.
            index: (B,) data set index.

        Returns:
            ``loss_psa``, and ``loss_psl`` with the clusters that are present when its weight is not 0.
        """
        losses = dict(loss_psa=0.5 * (self.align(z[0], k[1]) + self.align(z[1], k[0])))
        if self.psl_weight:
            losses.update(self.scatter(z, k, index))
        return losses

    def align(self, z: Tensor, k: Tensor) -> Tensor:
        """Positive sampling alignment (eqs. 8-10): regress the momentum embedding from a noisy neighbour of z.

        Args:
            z: (B, D) raw online embedding.
            k: (B, D) unit momentum embedding of the other view.

        Returns:
            () 2 - 2 cos, mean over the rows.
        """
        noisy = z + self.sigma * torch.randn_like(z) if self.sigma else z
        return cosine_regression(self.predictor(noisy), k)

    def scatter(self, z: list[Tensor], k: list[Tensor], index: Tensor) -> dict[str, Tensor]:
        """Prototype scattering (eqs. 4-7) over the rows of all ranks and, if there is one, the queue.

        Args:
            z: Raw online embeddings (B, D) of the two views.
            k: Unit momentum embeddings (B, D) of the two views.
            index: (B,) data set index.

        Returns:
            ``loss_psl`` and the number of clusters present in the global batch.
        """
        z = [self.predictor(q) for q in z] if self.psl_terms == 'alignment' else z
        online = [gather_rows_with_grad(nn.functional.normalize(q, dim=1), self.gather_grad) for q in z]
        momentum = [gather_rows(x) for x in k]
        rows = gather_rows(index)
        label = self.bank.read(self.field, rows)
        present = self._present(label, len(index))
        label = self._join_labels(label)
        loss, seen = scattering_of_views(
            [self._join(q) for q in online], [self._join(key) for key in momentum], label, self.num_clusters,
            self.temperature, present, self.absent_fill, self.over_all, self.psl_terms)
        if self.queue_size:
            self._enqueue(torch.cat(momentum), rows.repeat(2))
        return dict(loss_psl=self.psl_weight * loss, present_clusters=seen.sum().float())

    def _present(self, label: Tensor, rows: int) -> Tensor | None:
        """Clusters of this rank's own rows when the mask is rank-local, else ``None``."""
        if self.mask_scope == 'global':
            return None
        mine = label[get_rank() * rows:(get_rank() + 1) * rows]
        return class_prototypes(torch.ones(rows, 1, device=label.device), mine, self.num_clusters)[1]

    def _join(self, rows: Tensor) -> Tensor:
        """Append the queue to (WB, D) rows."""
        return torch.cat([rows, self.queue]) if self.queue_size else rows

    def _join_labels(self, label: Tensor) -> Tensor:
        """Append what the present bank says of the queue's rows; rows never filled have no label."""
        if not self.queue_size:
            return label
        unknown = -1 if self.field == 'label' else 0
        return torch.cat([label, queue_labels(self.bank.field(self.field), self.queue_index, unknown)])

    def _enqueue(self, keys: Tensor, rows: Tensor) -> None:
        """Store (2WB, D) momentum embeddings of both views with their data set indices."""
        enqueue_(self.queue, self.queue_pointer, keys, self.queue_index, rows)
