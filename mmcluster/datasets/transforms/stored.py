"""Views of features: a frozen network is not asked again, so some views of every image are stored beforehand."""
from __future__ import annotations

import torch
from torch import Tensor

from mmcluster.functional.rng import Draws
from mmcluster.registry import TRANSFORMS

from .batched_crop import send


@TRANSFORMS.register_module()
class StoredView:
    """Draw one of the stored views of every row, which are the plain one, n weak and n strong ones.

    Args:
        kind: ``'weak'`` or ``'strong'``.
    """

    def __init__(self, kind: str) -> None:
        if kind not in ('weak', 'strong'):
            raise ValueError(f"StoredView: kind is 'weak' or 'strong', got {kind!r}")
        self.strong = kind == 'strong'

    def __call__(self, x: Tensor, draws: Draws) -> Tensor:
        """Choose among x (B, 1 + 2 n, F) -> (B, F).

        Raises:
            ValueError: If there are no such views.
        """
        if x.dim() != 3 or x.shape[1] < 3 or x.shape[1] % 2 == 0:
            raise ValueError(f'StoredView: the features {tuple(x.shape)} hold no plain view with as many weak as '
                             'strong ones; store them by `mmcluster features FOLDER --draws 4 --out FILE`')
        count = x.shape[1] // 2
        view = draws.integers(count) + 1 + self.strong * count
        return x[torch.arange(len(x), device=x.device), send(view, x)]
