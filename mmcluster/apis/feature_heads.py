"""Linear heads on frozen features that learn to agree on neighbours: SCAN's loss, and TEMI's."""
from __future__ import annotations

from typing import Iterator, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from mmcluster.functional.clustering.neighbors import nearest
from mmcluster.functional.losses.consistency import pair_selection_loss, scan_loss
from mmcluster.functional.losses.temi import temi_loss

NEIGHBORS = 10
EPOCHS = 30
BATCH = 1000
LEARNING_RATE = 0.003
TEMPERATURE = 0.1
ENTROPY_WEIGHT = 1.0            # the start at k-means centres is balanced already; the paper's 5 starts at random
TEMI_DECAY = 0.98               # of the teacher; 0.996 suits the paper's many more iterations


class Head(NamedTuple):
    """A linear head: the probabilities of rows z are the softmax of ``z @ weight + bias``.

    Attributes:
        weight: (d, K).
        bias: (K,).
    """
    weight: Tensor
    bias: Tensor


def _pairs(z: Tensor, neighbors: Tensor, seed: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Batches of rows, each with one of its neighbours, for all epochs."""
    generator = torch.Generator().manual_seed(seed)
    for _ in range(EPOCHS):
        for rows in torch.randperm(len(z), generator=generator).split(BATCH):
            choice = torch.randint(neighbors.shape[1], (len(rows),), generator=generator)
            yield z[rows], z[neighbors[rows, choice]]


def _neighbors(z: Tensor) -> Tensor:
    """Nearest other rows by cosine (N, m), long."""
    return nearest(F.normalize(z, dim=1), min(NEIGHBORS, len(z) - 1), include_self=False).index


def _best(heads: list[Head], z: Tensor, neighbors: Tensor) -> Head:
    """The head with the smallest SCAN loss over all pairs: what tells a good local optimum from a bad one."""
    losses = [pair_selection_loss((z @ head.weight + head.bias).softmax(dim=1)[None], neighbors) for head in heads]
    return heads[int(torch.cat(losses).argmin())]


def fit_scan(z: Tensor, centers: Tensor, seed: int = 0) -> Head:
    """Learn heads by SCAN's loss from k-means centres on (Van Gansbeke et al., 2020, section 2.2).

    Args:
        z: (N, d) unit rows.
        centers: (H, K, d), one start for each head.
        seed: Decides batches and neighbours.

    Returns:
        The head with the smallest loss over all pairs, with its temperature in the weights.
    """
    weight = F.normalize(centers, dim=2).transpose(1, 2).clone().requires_grad_()
    bias = z.new_zeros(len(centers), 1, centers.shape[1]).requires_grad_()
    optimizer = torch.optim.Adam([weight, bias], lr=LEARNING_RATE)
    neighbors = _neighbors(z)
    for anchors, others in _pairs(z, neighbors, seed):
        one, other = (((rows @ weight + bias) / TEMPERATURE).log_softmax(dim=2) for rows in (anchors, others))
        optimizer.zero_grad()
        scan_loss(one, other, ENTROPY_WEIGHT).total.sum().backward()
        optimizer.step()
    heads = zip(weight.detach() / TEMPERATURE, bias.detach()[:, 0] / TEMPERATURE)
    return _best([Head(*head) for head in heads], z, neighbors)


def fit_temi(z: Tensor, centers: Tensor, seed: int = 0) -> Head:
    """Learn heads by TEMI's loss from k-means centres on (Adaloglou et al., 2023).

    The heads are cosine classifiers, the paper's last layer alone: without the hidden layers a head can start at
    centres, which on whitened features ends better than the paper's random start. The paper keeps the head with the
    smallest training loss; the loss over all pairs tells heads of other starts apart better.

    Args:
        z: (N, d) unit rows.
        centers: (H, K, d), one start for each head.
        seed: Decides batches and neighbours.

    Returns:
        The best head's teacher, with its temperature in the weights.
    """
    student = F.normalize(centers, dim=2).transpose(1, 2).clone().requires_grad_()
    teacher = student.detach().clone()
    prior = teacher.new_full((len(teacher), teacher.shape[2]), 1 / teacher.shape[2])
    optimizer = torch.optim.AdamW([student], lr=LEARNING_RATE, weight_decay=1e-4)
    neighbors = _neighbors(z)
    for anchors, others in _pairs(z, neighbors, seed):
        both = torch.cat([anchors, others])
        ours, theirs = ((both @ F.normalize(weight, dim=1)).unflatten(1, (2, -1)) for weight in (student, teacher))
        loss = temi_loss(ours, theirs, prior, student_temperature=TEMPERATURE, teacher_temperature=TEMPERATURE)
        optimizer.zero_grad()
        loss.total.backward()
        optimizer.step()
        prior = loss.prior
        with torch.no_grad():
            teacher.lerp_(student, 1 - TEMI_DECAY)
    weights = F.normalize(teacher, dim=1) / TEMPERATURE
    return _best([Head(weight, z.new_zeros(len(prior[0]))) for weight in weights], z, neighbors)
