"""ProPos as a plain PyTorch loop, written from the paper's equations: what `train_step.py` is measured against.

Rates, and that the momentum network moves before the optimiser, are the release's.
"""
from __future__ import annotations

import copy

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torchvision.models import resnet18

DIM, HIDDEN = 256, 4096
TAU, SIGMA, WEIGHT, DECAY = 0.5, 0.001, 0.1, 0.996
MEAN, STD = (125.307, 122.961, 113.8575), (51.5865, 50.847, 51.255)


def mlp(inputs: int) -> nn.Module:
    """Projector and predictor: one hidden layer with batch norm."""
    return nn.Sequential(nn.Linear(inputs, HIDDEN), nn.BatchNorm1d(HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, DIM))


def encoder() -> nn.Module:
    """ResNet-18 for 32 pixels, and the projector."""
    backbone = resnet18()
    backbone.conv1, backbone.maxpool, backbone.fc = nn.Conv2d(3, 64, 3, padding=1, bias=False), nn.Identity(), mlp(512)
    return backbone


def psa(prediction: Tensor, target: Tensor) -> Tensor:
    """Positive sampling alignment of two (B, D) (eq. 10)."""
    return (F.normalize(prediction, dim=1) - F.normalize(target, dim=1)).square().sum(dim=1).mean()


def prototypes(embed: Tensor, label: Tensor) -> Tensor:
    """Normalised sums (P, D) of the unit rows of each label that occurs (eq. 6)."""
    return F.normalize(torch.stack([embed[label == k].sum(dim=0) for k in label.unique()]), dim=1)


def psl(online: Tensor, momentum: Tensor, label: Tensor) -> Tensor:
    """Prototype scattering of unit rows (B, D) of one view and momentum rows of the other (eq. 4)."""
    mu, mu_target = prototypes(online, label), prototypes(momentum, label)
    logits = mu @ mu.t() / TAU
    logits = torch.diagonal_scatter(logits, (mu * mu_target).sum(dim=1) / TAU)
    return F.cross_entropy(logits, torch.arange(len(mu), device=mu.device))


class PlainProPos(nn.Module):
    """Online network, predictor and momentum network, with one training step.

    Args:
        lr: Rate of SGD; the predictor learns ten times as fast.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, lr: float = 0.1) -> None:
        super().__init__()
        self.online, self.predictor = encoder(), mlp(DIM)
        self.momentum = copy.deepcopy(self.online).requires_grad_(False)
        self.optimizer = torch.optim.SGD(
            [dict(params=self.online.parameters()), dict(params=self.predictor.parameters(), lr=10 * lr)],
            lr=lr, momentum=0.9, weight_decay=5e-4)
        self.register_buffer('mean', torch.tensor(MEAN).view(3, 1, 1))
        self.register_buffer('std', torch.tensor(STD).view(3, 1, 1))

    def loss(self, views: list[Tensor], label: Tensor) -> Tensor:
        """Alignment in both directions, and scattering (eq. 12).

        Args:
            views: Two (B, 3, 32, 32), normalised.
            label: (B,) of the E-step.
        """
        z = [self.online(view) for view in views]
        with torch.no_grad():
            k = [F.normalize(self.momentum(view), dim=1) for view in views]
        p = [self.predictor(q + SIGMA * torch.randn_like(q)) for q in z]
        unit = [F.normalize(q, dim=1) for q in z]
        return (psa(p[0], k[1]) + psa(p[1], k[0])) / 2 \
            + WEIGHT * (psl(unit[0], k[1], label) + psl(unit[1], k[0], label)) / 2

    def step(self, images: list[Tensor], label: Tensor) -> None:
        """One step on two finished uint8 views (B, 3, 32, 32)."""
        loss = self.loss([(view.float() - self.mean) / self.std for view in images], label)
        with torch.no_grad():
            for slow, fast in zip(self.momentum.parameters(), self.online.parameters()):
                slow.lerp_(fast, 1 - DECAY)
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
