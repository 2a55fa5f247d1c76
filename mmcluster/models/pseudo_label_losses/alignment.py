"""Distribution alignment, shared by SoftMatch and AdaMatch."""
from __future__ import annotations

from typing import Optional

import torch
from torch import Tensor, nn

from mmcluster.checks import require_share
from mmcluster.functional.labels.thresholds import align_distribution, moving_mean
from mmcluster.functional.losses.contrast import at_least_float32
from mmcluster.functional.losses.pseudo import known_rows

from ..boost import Labelled
from ..gather import reduce_sum


class DistributionAligner(nn.Module):
    """Rescales predictions towards a class distribution; the averages are those of all ranks.

    Args:
        num_clusters: K.
        target: ``'uniform'``, or ``'labelled'``: the average prediction of the labelled rows.
        decay: Weight of the old value in the averages.
    """

    p_target: Tensor
    p_model: Tensor

    def __init__(self, num_clusters: int, target: str = 'uniform', decay: float = 0.999):
        require_share('DistributionAligner', decay=decay)
        super().__init__()
        if target not in ('uniform', 'labelled'):
            raise ValueError(f"predictions are aligned to the 'uniform' distribution or to that of the 'labelled' "
                             f'rows, got {target!r}')
        self.target = target
        self.decay = decay
        self.register_buffer('p_target', torch.full((num_clusters,), 1 / num_clusters))
        self.register_buffer('p_model', torch.full((num_clusters,), -1.))       # -1: no batch yet

    def forward(self, prob: Tensor, l: Optional[Labelled], move: bool) -> Tensor:
        """Move the averages if wanted, then align.

        Args:
            prob: (U, K) softmax of the weak view.
            l: Labelled rows, or ``None``.
            move: Whether this step moves the averages; see :attr:`PseudoLabelLoss.moves`.

        Returns:
            (U, K), rows sum to 1.
        """
        if move:
            self.update(prob, l)
        return align_distribution(prob, self.p_target, self.p_model)

    @torch.no_grad()
    def update(self, prob: Tensor, l: Optional[Labelled]) -> None:
        """One step of the averages; the first batch becomes ``p_model`` as it is.

        Args:
            prob: (U, K).
            l: Labelled rows, of which those with a label count, or ``None``.
        """
        total = row_sums(prob, None)
        first = moving_mean(self.p_model, total[:-1], total[-1], 0.)
        later = moving_mean(self.p_model, total[:-1], total[-1], self.decay)
        self.p_model.copy_(torch.where(self.p_model < 0, first, later))
        if self.target == 'labelled' and l is not None:
            total = row_sums(at_least_float32(l.logits).softmax(1), known_rows(l.labels))
            self.p_target.copy_(moving_mean(self.p_target, total[:-1], total[-1], self.decay))


def row_sums(x: Tensor, mask: Optional[Tensor]) -> Tensor:
    """Sums over rows of all ranks, without gradient.

    Args:
        x: (B, C).
        mask: (B,) bool, rows that count; ``None`` takes all.

    Returns:
        (C + 1,), the last entry is the number of rows.
    """
    weight = x.new_ones(len(x)) if mask is None else mask.to(x)
    return reduce_sum(torch.cat([(x * weight[:, None]).sum(0), weight.sum()[None]]))
