"""Labels that a selector chose once."""
from __future__ import annotations

from typing import Any, Optional

from torch import Tensor, nn

from mmcluster.registry import MODELS

from ..bank import SampleBank
from ..boost import Labelled, Reference, Unlabelled


@MODELS.register_module()
class SelectedLabels(nn.Module):
    """Reads the target of a labelled row from ``bank.target``, which a ``SelectHook`` wrote.

    A labeller is ``forward(l, u, bank, reference) -> (target, losses)``: target (L,) or soft (L, K), -1 where it is not
    known, or ``None`` while there are no labels at all.
    """

    fields: dict[str, dict[str, Any]] = dict(target=dict())

    def forward(self, l: Labelled, u: Optional[Unlabelled], bank: SampleBank,
                reference: Optional[Reference] = None) -> tuple[Optional[Tensor], dict[str, Tensor]]:
        """Targets of the labelled rows.

        Args:
            l: Labelled rows.
            u: Unlabelled rows, not used.
            bank: Holds ``target`` (N,).
            reference: Not used.

        Returns:
            (L,) targets and no losses.
        """
        return bank.read('target', l.index), {}
