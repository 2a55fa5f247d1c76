"""A momentum copy of modules."""
from __future__ import annotations

import copy
from typing import Mapping, Optional

import torch
from torch import Tensor, nn

from mmcluster.checks import require_share
from mmcluster.functional.average import lerp_


class MomentumTeacher(nn.Module):
    """Averages of modules that train; the copies have the names of the originals and no gradient.

    Args:
        modules: name -> module that trains; ``None`` entries are left out.
        decay: Weight of the old value, ``x <- decay * x + (1 - decay) * new``.
        buffers: ``'own'``: the copies keep buffers (batch-norm statistics) of their own; ``'live'``: buffers are
            copied from the originals at every update.
    """

    backbone: nn.Module     # the copies that there are
    neck: nn.Module
    head: nn.Module
    projector: nn.Module

    def __init__(self, modules: Mapping[str, Optional[nn.Module]], decay: float, buffers: str = 'own'):
        require_share('MomentumTeacher', decay=decay)
        super().__init__()
        if buffers not in ('own', 'live'):
            raise ValueError(f"teacher buffers must be 'own' or 'live', got {buffers!r}")
        self.decay = decay
        self.buffer_mode = buffers
        copied = {name: module for name, module in modules.items() if module is not None}
        self.names = list(copied)
        for name, module in copied.items():
            self.add_module(name, copy.deepcopy(module).requires_grad_(False))

    def _pairs(self, source: nn.Module, kind: str) -> tuple[list[Tensor], list[Tensor]]:
        own, theirs = [], []
        for name in self.names:
            own += list(getattr(getattr(self, name), kind)())
            theirs += list(getattr(getattr(source, name), kind)())
        return own, theirs

    @torch.no_grad()
    def copy_from(self, source: nn.Module) -> None:
        """Take over parameters and buffers of ``source``, the module that holds the originals by the same names."""
        for kind in ('parameters', 'buffers'):
            for own, theirs in zip(*self._pairs(source, kind)):
                own.copy_(theirs)

    @torch.no_grad()
    def update(self, source: nn.Module) -> None:
        """Move the average by one step towards ``source`` (ProPos eq. 11)."""
        lerp_(*self._pairs(source, 'parameters'), self.decay)
        if self.buffer_mode == 'live':
            own, theirs = self._pairs(source, 'buffers')
            if own:
                torch._foreach_copy_(own, theirs)
