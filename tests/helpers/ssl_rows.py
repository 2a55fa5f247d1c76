"""Losses with small settings, and rows of logits for them."""
from __future__ import annotations

from typing import Any, Optional

import torch
from torch import Tensor, nn

from mmcluster.functional.losses.prototype import one_hot
from mmcluster.models import Labelled, SampleBank, Unlabelled
from mmcluster.registry import MODELS

N, L, U, K, D = 40, 6, 14, 5, 3
LOSSES = dict(
    fixmatch=dict(type='FixMatchLoss', threshold=0.6),
    flexmatch=dict(type='FlexMatchLoss', threshold=0.6),
    freematch=dict(type='FreeMatchLoss', decay=0.5, fairness_weight=0.1),
    freematch_quantile=dict(type='FreeMatchLoss', decay=0.5, quantile=0.8, max_threshold=0.7, fairness_weight=0.1),
    softmatch=dict(type='SoftMatchLoss', decay=0.5),
    softmatch_per_class=dict(type='SoftMatchLoss', decay=0.5, per_class=True, align='labelled'),
    softmatch_plain=dict(type='SoftMatchLoss', decay=0.5, align=None),
    adamatch=dict(type='AdaMatchLoss', decay=0.5),
    mutexmatch=dict(type='MutexMatchLoss', in_channels=D, threshold=0.6),
    mutexmatch_k=dict(type='MutexMatchLoss', in_channels=D, threshold=0.6, k=2),
)


def make(name: str, **options: Any) -> nn.Module:
    """A loss by its name in ``LOSSES``, in training mode."""
    torch.manual_seed(0)
    return MODELS.build(dict(LOSSES[name], num_clusters=K, **options)).train()


def bank_of(loss: nn.Module) -> SampleBank:
    """A bank with the fields that a loss asks for."""
    return SampleBank(N, loss.fields)


def rows(seed: int = 0, labelled: Optional[int] = L, unlabelled: int = U, spread: float = 2.,
         soft: bool = False) -> tuple[Optional[Labelled], Unlabelled]:
    """Labelled rows, of which the first has no label, and unlabelled rows; every tensor asks for a gradient."""
    generator = torch.Generator().manual_seed(seed)

    def normal(count: int, width: int) -> Tensor:
        return (spread * torch.randn(count, width, generator=generator)).requires_grad_()
    u = Unlabelled(normal(unlabelled, D), normal(unlabelled, D), normal(unlabelled, K), normal(unlabelled, K),
                   torch.randint(0, N, (unlabelled,), generator=generator))
    if labelled is None:
        return None, u
    target = torch.randint(0, K, (labelled,), generator=generator)
    target[:1] = -1
    feat, logits = normal(labelled, D), normal(labelled, K)
    if soft:
        target = one_hot(target, K, logits.detach()).where(target[:, None] >= 0, -1.)
    return Labelled(feat, logits, target, torch.arange(labelled)), u


def total(losses: dict[str, Tensor]) -> Tensor:
    """Sum of what is minimised."""
    return sum(value for name, value in losses.items() if name.startswith('loss_'))


def gradients(losses: dict[str, Tensor], *inputs: Tensor) -> list[Tensor]:
    """Gradients of that sum, zero where an input has no part in it."""
    found = torch.autograd.grad(total(losses), inputs, allow_unused=True)
    return [torch.zeros_like(x) if grad is None else grad for x, grad in zip(inputs, found)]


def state(loss: nn.Module, bank: SampleBank) -> dict[str, Tensor]:
    """Copies of what a loss remembers."""
    return {**{name: value.clone() for name, value in loss.state_dict().items()},
            **{f'bank.{name}': getattr(bank, name).clone() for name in loss.fields}}
