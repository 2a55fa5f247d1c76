"""TURTLE: search the labelling of frozen features that linear heads learn best (ICML 2024)."""
from __future__ import annotations

from typing import Any, Sequence, Union

import numpy as np
import torch
from mmengine.dist import broadcast
from torch import Tensor

from mmcluster.checks import require_count, require_not_negative, require_positive
from mmcluster.functional.clustering.linear_score import labelling_losses
from mmcluster.functional.losses.turtle import InnerHeads, cold_heads, fit_inner, start_heads, turtle_loss, with_ones
from mmcluster.functional.shards import WHOLE, Shards
from mmcluster.registry import MODELS
from mmcluster.structures import Batch
from mmcluster.utils import on_main_process

from ..bank import SampleBank
from ..gather import gather_rows
from .multi_head import MultiHeadClusterer


@MODELS.register_module()
class TURTLE(MultiHeadClusterer):
    """Task heads whose labels inner linear heads fit in a few steps (eqs. 9-13).

    The H heads of the :class:`MultiHead` are searches of their own: other random starts, other rates of the inner
    heads (``inner_lr``) and of the optimiser (``lr_mult`` of ``head.heads.1``). A ``BestHeadHook`` keeps the one whose
    labels logistic regressions predict best across folds, among those that use the most clusters: collapsed labellings
    are easy to learn. The inner heads are no parameters; with ``warm`` they are buffers.

    Every process sees the rows of all, so all take the step of one process.

    Args:
        head: Config of a ``MultiHead`` of :class:`~mmcluster.models.heads.TaskHead`.
        inner_lr: Rate of the inner Adam, one or H.
        inner_steps: M, its steps in an iteration.
        warm: Inner heads go on where the last iteration left them; ``False``: they start afresh, as in the paper.
        gamma: Weight of the entropies of the mean labels, which ask for equal clusters.
        kwargs: See :class:`MultiHeadClusterer`; the network below the heads is frozen. The bank needs nothing but
            ``num_samples``.

    Raises:
        ValueError: Without a bank, with other heads, or with another number of rates than heads.
    """

    bank: SampleBank
    inner_rate: Tensor
    inner_step: Tensor

    def __init__(self, head: dict, inner_lr: Union[float, Sequence[float]] = 0.001, inner_steps: int = 10,
                 warm: bool = False, gamma: float = 10., **kwargs: Any):
        rates: list[float] = [inner_lr] if isinstance(inner_lr, (int, float)) else list(inner_lr)
        require_positive('TURTLE', **{f'inner_lr[{i}]': rate for i, rate in enumerate(rates)})
        require_count('TURTLE', inner_steps=inner_steps)
        require_not_negative('TURTLE', gamma=gamma)
        super().__init__(head, freeze=True, **kwargs)
        first: Any = self.head.heads[0]
        if self.bank is None or not hasattr(first, 'spaces'):
            raise ValueError("TURTLE searches labels by task heads and keeps the embedding of every image: give "
                             "head=dict(type='MultiHead', head=dict(type='TaskHead', ...)) and "
                             'bank=dict(num_samples=None)')
        if len(rates) not in (1, self.head.num_heads):
            raise ValueError(f'TURTLE: inner_lr has {len(rates)} rates for {self.head.num_heads} heads')
        self.inner_steps, self.warm, self.gamma = inner_steps, warm, gamma
        self.widths: list[int] = first.widths
        self.bank.add_field('feat', shape=(sum(self.widths),), dtype='float32', fill=0, persistent=False)
        self.register_buffer('inner_rate', torch.tensor(rates)[:, None, None], persistent=False)
        if warm:        # weight, and both means of Adam
            self.register_buffer('inner_step', torch.zeros(()))
            for space, width in enumerate(self.widths):
                shape = (3, self.head.num_heads, self.num_clusters, width + 1)
                self.register_buffer(f'inner_{space}', torch.zeros(shape))

    def loss(self, batch: Batch) -> dict[str, Tensor]:
        """One outer loss, after the inner steps on the labels as they are.

        Args:
            batch: One view.

        Returns:
            ``loss_turtle``, the sum over heads, which do not see each other; the clusters in use, exp of the entropy.
        """
        rows = gather_rows(self.features(batch.views[0]))
        with torch.autocast(rows.device.type, enabled=False):       # rates are small and labels sharp
            spaces = rows.split(self.widths, dim=1)
            searches: Any = self.head.heads
            logits = torch.stack([head.spaces(rows) for head in searches], dim=1)
            labels = logits.detach().softmax(dim=-1).mean(dim=0)
            heads, inner = fit_inner([with_ones(z) for z in spaces], labels, self._start(rows), self.inner_rate,
                                     self.inner_steps)
            loss = turtle_loss(logits, inner, self.gamma)
        if self.warm:
            self._keep(heads)
        return dict(loss_turtle=loss.heads.sum(), inner_error=loss.error.detach().mean(),
                    clusters_used=loss.entropy.detach().exp().mean())

    def _start(self, rows: Tensor) -> list[InnerHeads]:
        """Inner heads of all spaces: fresh ones that all ranks share, or, when warm, those of the last iteration."""
        fresh = [start_heads(self.head.num_heads, self.num_clusters, width, device=rows.device)
                 for width in self.widths]
        for weight in fresh:
            broadcast(weight)
        if not self.warm:
            return [cold_heads(weight) for weight in fresh]
        kept = [getattr(self, f'inner_{space}') for space in range(len(fresh))]
        return [InnerHeads(state[0].where(self.inner_step > 0, weight), state[1], state[2], self.inner_step)
                for state, weight in zip(kept, fresh)]

    def _keep(self, heads: list[InnerHeads]) -> None:
        """Write the inner heads into the buffers."""
        for space, head in enumerate(heads):
            getattr(self, f'inner_{space}').copy_(torch.stack(head[:3]))
        self.inner_step.copy_(heads[0].step)

    def selection_losses(self, logits: Tensor, shards: Shards = WHOLE) -> Tensor:
        """Minus the score of every head's labels, plus the clusters that they lack.

        Args:
            logits: (n, H, K) of this rank.
            shards: Who holds the N rows.

        Returns:
            (H,).
        """
        labels = shards.gather(logits.argmax(dim=2)).T.cpu().numpy()
        found = on_main_process(self._labelling_losses, labels)
        return torch.zeros(len(labels)) if found is None else found

    def _labelling_losses(self, labels: np.ndarray) -> Tensor:
        """Losses (H,) of labels (H, N): scikit-learn needs all rows, which the bank has."""
        spaces = [space.cpu().numpy() for space in self.stored_features().split(self.widths, dim=1)]
        return torch.from_numpy(labelling_losses(spaces, labels, self.num_clusters))
