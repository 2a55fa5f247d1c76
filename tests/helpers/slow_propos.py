"""One iteration of BYOL and ProPos, written down term by term from the paper, for tests."""
from __future__ import annotations

import collections
import copy
from typing import Optional

import torch
from torch import Tensor, nn


def unit(x: Tensor) -> Tensor:
    return x / x.norm(dim=-1, keepdim=True)


class SlowProPos:
    """Copies of a model's networks; one process, hard labels (N,) or posteriors (N, K).

    Args:
        model: Supplies networks and the options of its class.
        label: What the E-step wrote.
    """

    def __init__(self, model: nn.Module, label: Optional[Tensor] = None):
        self.options = model
        self.nets = {name: copy.deepcopy(getattr(model, name)) for name in ('backbone', 'neck', 'predictor')}
        self.momentum = {name: copy.deepcopy(getattr(model.teacher, name)) for name in ('backbone', 'neck')}
        self.label = label
        self.past: collections.deque = collections.deque(maxlen=getattr(model, 'queue_size', 0))

    def move_average(self) -> None:
        """Eq. 11, parameters only."""
        decay = self.options.teacher.decay
        with torch.no_grad():
            for name, net in self.momentum.items():
                for old, new in zip(net.parameters(), self.nets[name].parameters()):
                    old.copy_(decay * old + (1 - decay) * new)

    def forward(self, views: list[Tensor]) -> tuple[list[Tensor], list[Tensor]]:
        """Raw online and unit momentum embeddings of the two views."""
        def both(nets: dict) -> list[Tensor]:
            if not self.options.joint_views:
                return [nets['neck'](nets['backbone'](view)) for view in views]
            return list(nets['neck'](nets['backbone'](torch.cat(views))).split(len(views[0])))
        z = both(self.nets)
        with torch.no_grad():
            k = [unit(rows) for rows in both(self.momentum)]
        return z, k

    def step(self, views: list[Tensor], index: Tensor, seed: int = 0) -> dict[str, Tensor]:
        """Unweighted terms of an iteration; ``seed`` is that of the noise."""
        torch.manual_seed(seed)
        if self.options.ema_before_forward:
            self.move_average()
        z, k = self.forward(views)
        terms = dict(psa=torch.zeros(()), psl=torch.zeros(()))
        for a, b in ((0, 1), (1, 0)):
            sigma = getattr(self.options, 'sigma', 0)
            noise = torch.randn(z[a].shape) if sigma else 0.
            p = unit(self.nets['predictor'](z[a] + sigma * noise))
            terms['psa'] = terms['psa'] + 0.5 * (p - k[b]).square().sum(1).mean()
            if self.label is not None:
                terms['psl'] = terms['psl'] + 0.5 * self.scatter(unit(z[a]), k[b], index)
        for rows in k:
            self.past.extend(zip(rows, index.tolist()))
        if not self.options.ema_before_forward:
            self.move_average()
        return terms

    def shares(self, row: int) -> list[float]:
        """p(k|x) of all clusters by the present bank."""
        value = self.label[row].tolist()
        return value if self.label.dim() == 2 else [float(value == k) for k in range(self.options.num_clusters)]

    def prototypes(self, rows: Tensor, index: Tensor) -> dict[int, Tensor]:
        """Eqs. 6-7 over batch and queue: cluster -> unit sum."""
        members = [(x, self.shares(row)) for x, row in [*zip(rows, index.tolist()), *self.past]]
        found = {}
        for cluster in range(self.options.num_clusters):
            own = [shares[cluster] * x for x, shares in members if shares[cluster] > 0]
            if own:
                found[cluster] = unit(sum(own))
        return found

    def scatter(self, q: Tensor, k: Tensor, index: Tensor) -> Tensor:
        """Eq. 4."""
        tau, fill = self.options.temperature, self.options.absent_fill
        mu, mu_target = self.prototypes(q, index), self.prototypes(k, index)
        present = mu.keys()
        if self.options.mask_scope == 'rank':
            present = [c for c in mu if any(self.shares(row)[c] > 0 for row in index.tolist())]
        total = torch.zeros(())
        for c in present:
            positive = (mu[c] @ mu_target[c] / tau).exp()
            negative = sum((mu[c] @ mu[j] / tau).exp() for j in present if j != c)
            if fill is not None:
                negative = negative + (self.options.num_clusters - len(present)) * torch.tensor(fill).exp()
            total = total - (positive / (positive + negative)).log()
        return total / (self.options.num_clusters if self.options.over_all else len(present))
