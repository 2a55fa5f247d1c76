"""Networks of a few hundred weights for images (B, 1, 4, 4), and comparisons of modules."""
from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from mmcluster.models.necks import MLPProjector
from mmcluster.registry import MODELS
from mmcluster.structures import Batch

N, B, D, K = 30, 12, 5, 4


@MODELS.register_module(force=True)
class FlatNet(nn.Module):
    """Linear, batch norm, ReLU on flattened images: (B, 1, 4, 4) -> (B, 6)."""

    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(16, 6)
        self.bn = nn.BatchNorm1d(6)

    def forward(self, x: Tensor) -> Tensor:
        return self.bn(self.fc(x.flatten(1))).relu()


def parts() -> dict[str, Any]:
    """Backbone, neck and predictor of a BYOL."""
    return dict(backbone=FlatNet(), neck=MLPProjector(6, 8, D), predictor=MLPProjector(D, 8, D))


def views(seed: int = 0, size: int = B, count: int = 2) -> list[Tensor]:
    """Related views (B, 1, 4, 4) of the same images."""
    generator = torch.Generator().manual_seed(seed)
    images = torch.randn(size, 1, 4, 4, generator=generator)
    return [images + 0.5 * torch.randn(size, 1, 4, 4, generator=generator) for _ in range(count)]


def batch(seed: int = 0, size: int = B) -> Batch:
    """Two views and distinct rows of a data set of N."""
    return Batch(views(seed, size), torch.randperm(N, generator=torch.Generator().manual_seed(seed))[:size])


def disturb(module: nn.Module, seed: int = 0, scale: float = 0.3) -> None:
    """Move all parameters, as a few optimiser steps would."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.add_(scale * torch.randn(parameter.shape, generator=generator))


def gradients(module: nn.Module) -> dict[str, Tensor]:
    """Name -> gradient of the parameters that have one."""
    return {name: p.grad.clone() for name, p in module.named_parameters() if p.grad is not None}


def assert_same(actual: dict[str, Tensor], expected: dict[str, Tensor], atol: float = 2e-6) -> None:
    """Same names, and values that agree to rounding."""
    assert set(actual) == set(expected)
    for name, value in expected.items():
        torch.testing.assert_close(actual[name], value, rtol=2e-4, atol=atol, msg=lambda text: f'{name}: {text}')
