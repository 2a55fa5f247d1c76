"""Linear heads on frozen features that learn to agree on neighbours: SCAN's loss, and TEMI's."""
from __future__ import annotations

from typing import Iterator, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from mmcluster.functional.consistency import scan_loss
from mmcluster.functional.neighbours import nearest
from mmcluster.functional.temi import temi_loss

NEIGHBOURS = 10
EPOCHS = 30
BATCH = 1000
LEARNING_RATE = 0.01
SCAN_TEMPERATURE = 0.1
ENTROPY_WEIGHT = 1.0            # the start at k-means centres is balanced already; the paper's 5 starts at random
TEMI_TEMPERATURE = 0.05
TEMI_DECAY = 0.98               # of the teacher; 0.996 suits the paper's many more iterations


class Head(NamedTuple):
    """A linear head: the probabilities of rows z are the softmax of ``z @ weight + bias``.

    Attributes:
        weight: (d, K).
        bias: (K,).
    """
    weight: Tensor
    bias: Tensor


def _pairs(z: Tensor, neighbours: Tensor, seed: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Batches of rows, each with one of its neighbours, for all epochs."""
    generator = torch.Generator().manual_seed(seed)
    for _ in range(EPOCHS):
        for rows in torch.randperm(len(z), generator=generator).split(BATCH):
            choice = torch.randint(neighbours.shape[1], (len(rows),), generator=generator)
            yield z[rows], z[neighbours[rows, choice]]


def _neighbours(z: Tensor) -> Tensor:
    """Nearest other rows by cosine (N, m), long."""
    return nearest(F.normalize(z, dim=1), min(NEIGHBOURS, len(z) - 1), include_self=False).index


def fit_scan(z: Tensor, centers: Tensor, seed: int = 0) -> Head:
    """Learn a head by SCAN's loss from k-means centres on (Van Gansbeke et al., 2020, section 2.2).

    Args:
        z: (N, d) unit rows.
        centers: (K, d).
        seed: Decides batches and neighbours.

    Returns:
        The head, with its temperature in the weights.
    """
    weight = F.normalize(centers, dim=1).T.clone().requires_grad_()
    bias = torch.zeros(len(centers), dtype=z.dtype, requires_grad=True)
    optimizer = torch.optim.Adam([weight, bias], lr=LEARNING_RATE)
    for anchors, others in _pairs(z, _neighbours(z), seed):
        logits = [(rows @ weight + bias) / SCAN_TEMPERATURE for rows in (anchors, others)]
        optimizer.zero_grad()
        scan_loss(*logits, ENTROPY_WEIGHT).total.backward()
        optimizer.step()
    return Head(weight.detach() / SCAN_TEMPERATURE, bias.detach() / SCAN_TEMPERATURE)


def fit_temi(z: Tensor, centers: Tensor, seed: int = 0) -> Head:
    """Learn several heads by TEMI's loss from k-means centres on, and keep the one with the smallest last loss.

    The heads are cosine classifiers, the paper's last layer alone: without the hidden layers a head can start at
    centres, which on whitened features ends better than the paper's random start.

    Args:
        z: (N, d) unit rows.
        centers: (H, K, d), one start for each head.
        seed: Decides batches and neighbours.

    Returns:
        The best head's teacher, with its temperature in the weights.
    """
    student = F.normalize(centers, dim=2).transpose(1, 2).clone().requires_grad_()
    teacher = student.detach().clone()
    heads, _, clusters = student.shape
    prior, running = teacher.new_full((heads, clusters), 1 / clusters), teacher.new_zeros(heads)
    optimizer = torch.optim.AdamW([student], lr=LEARNING_RATE, weight_decay=1e-4)
    for anchors, others in _pairs(z, _neighbours(z), seed):
        both = torch.cat([anchors, others])
        logits = [(both @ F.normalize(weight, dim=1)).unflatten(1, (2, -1)) for weight in (student, teacher)]
        loss = temi_loss(*logits, prior, student_temperature=TEMI_TEMPERATURE, teacher_temperature=TEMI_TEMPERATURE)
        optimizer.zero_grad()
        loss.total.backward()
        optimizer.step()
        prior = loss.prior
        with torch.no_grad():
            teacher.lerp_(student, 1 - TEMI_DECAY)
            running.lerp_(loss.heads, 0.1)      # the last batches decide
    best = int(running.argmin())
    return Head(F.normalize(teacher[best], dim=0) / TEMI_TEMPERATURE, z.new_zeros(clusters))
