"""A frozen copy of the network that a label-free selection kept."""
from __future__ import annotations

import copy
from typing import Mapping, Optional

import torch
from torch import Tensor, nn


class BestSoFar(nn.Module):
    """Keeps the modules with the lowest label-free loss over heads and epochs.

    Before the first comparison the copies are what the network started with. Copies are in checkpoints, so a resumed
    run goes on with the choice made so far, and the last checkpoint of a run is its result.

    Args:
        modules: name -> module that trains and is deployed; ``None`` entries are left out.
    """

    may_be_infinite = ('loss',)     # before the first comparison

    loss: Tensor
    head_index: Tensor

    def __init__(self, modules: Mapping[str, Optional[nn.Module]]):
        super().__init__()
        kept = {name: module for name, module in modules.items() if module is not None}
        self.names = list(kept)
        for name, module in kept.items():
            self.add_module(name, copy.deepcopy(module).requires_grad_(False))
        self.register_buffer('loss', torch.tensor(float('inf')))
        self.register_buffer('head_index', torch.tensor(0))

    @torch.no_grad()
    def copy_from(self, modules: dict[str, nn.Module]) -> None:
        """Take over parameters and buffers of modules of the same names."""
        for name in self.names:
            getattr(self, name).load_state_dict(modules[name].state_dict())

    @torch.no_grad()
    def keep_if_better(self, modules: dict[str, nn.Module], loss: Tensor, head_index: int = 0) -> bool:
        """Keep modules if their loss is lower than any before. Waits for the device: for hooks, not for ``loss``.

        Args:
            modules: name -> module.
            loss: () label-free loss, equal on all ranks; one that is not finite is never kept.
            head_index: Which head the loss belongs to.

        Returns:
            Whether they were kept.
        """
        loss = loss.to(self.loss)
        if not bool(torch.isfinite(loss) & (loss < self.loss)):
            return False
        self.copy_from(modules)
        self.loss.copy_(loss)
        self.head_index.fill_(head_index)
        return True
