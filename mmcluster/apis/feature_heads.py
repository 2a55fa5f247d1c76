"""Linear heads on frozen features: SCAN's and TEMI's agree on neighbours, TURTLE's labels are learnt best."""
from __future__ import annotations

from typing import Iterator, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from mmcluster.functional.clustering.linear_score import labelling_losses
from mmcluster.functional.clustering.neighbors import nearest
from mmcluster.functional.losses.consistency import scan_loss
from mmcluster.functional.losses.temi import temi_loss
from mmcluster.functional.losses.turtle import cold_heads, fit_inner, start_heads, turtle_loss, with_ones

NEIGHBORS = 10
EPOCHS = 30
BATCH = 1000
LEARNING_RATE = 0.003
TEMPERATURE = 0.1
ENTROPY_WEIGHT = 1.0            # the start at k-means centres is balanced already; the paper's 5 starts at random
TEMI_DECAY = 0.98               # of the teacher; 0.996 suits the paper's many more iterations
TURTLE_RATES = ((0.1, 0.001), (0.1, 0.003), (0.3, 0.001), (0.3, 0.003))     # of the inner heads, of the labels
TURTLE_STEPS, TURTLE_INNER_STEPS, TURTLE_GAMMA = 200, 10, 10.
TURTLE_SCORED = 3000            # rows on which the labellings are compared


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


def fit_scan(z: Tensor, centers: Tensor, seed: int = 0) -> Head:
    """Learn a head by SCAN's loss from given centres on (Van Gansbeke et al., 2020, section 2.2).

    Args:
        z: (N, d) unit rows.
        centers: (K, d), the start.
        seed: Decides batches and neighbours.

    Returns:
        The head, with its temperature in the weights.
    """
    weight = F.normalize(centers, dim=1).T.clone().requires_grad_()
    bias = z.new_zeros(len(centers)).requires_grad_()
    optimizer = torch.optim.Adam([weight, bias], lr=LEARNING_RATE)
    for anchors, others in _pairs(z, _neighbors(z), seed):
        one, other = (((rows @ weight + bias) / TEMPERATURE).log_softmax(dim=1) for rows in (anchors, others))
        optimizer.zero_grad()
        scan_loss(one, other, ENTROPY_WEIGHT).total.backward()
        optimizer.step()
    return Head(weight.detach() / TEMPERATURE, bias.detach() / TEMPERATURE)


def fit_temi(z: Tensor, centers: Tensor, seed: int = 0) -> Head:
    """Learn a head by TEMI's loss from given centres on (Adaloglou et al., 2023).

    The head is a cosine classifier, the paper's last layer alone: without the hidden layers it can start at centres,
    which on whitened features ends better than the paper's random start.

    Args:
        z: (N, d) unit rows.
        centers: (K, d), the start.
        seed: Decides batches and neighbours.

    Returns:
        The teacher, with its temperature in the weights.
    """
    student = F.normalize(centers, dim=1).T.clone().requires_grad_()
    teacher = student.detach().clone()
    prior = teacher.new_full((1, len(centers)), 1 / len(centers))
    optimizer = torch.optim.AdamW([student], lr=LEARNING_RATE, weight_decay=1e-4)
    for anchors, others in _pairs(z, _neighbors(z), seed):
        pair = torch.stack([anchors, others])
        ours, theirs = ((pair @ F.normalize(weight, dim=0))[None] for weight in (student, teacher))
        loss = temi_loss(ours, theirs, prior, student_temperature=TEMPERATURE, teacher_temperature=TEMPERATURE)
        optimizer.zero_grad()
        loss.total.backward()
        optimizer.step()
        prior = loss.prior
        with torch.no_grad():
            teacher.lerp_(student, 1 - TEMI_DECAY)
    return Head(F.normalize(teacher, dim=0) / TEMPERATURE, z.new_zeros(len(centers)))


def fit_turtle(z: Tensor, centers: Tensor, seed: int = 0) -> Head:
    """Search the labels that linear heads learn best, from given centres on (Gadetsky et al., 2024).

    Several rates are tried at once, and the label-free score keeps the labels that are learnt best among those that
    use the most clusters.

    Args:
        z: (N, d) unit rows.
        centers: (K, d), the start; the paper's is random.
        seed: Decides batches and inner heads.

    Returns:
        The task encoder of the best search.
    """
    generator, rows, count = torch.Generator().manual_seed(seed), with_ones(z), len(TURTLE_RATES)
    start = torch.cat([F.normalize(centers, dim=1) / TEMPERATURE, z.new_zeros(len(centers), 1)], dim=1)
    # one tensor for each search, so that each has a rate of its own; without weight normalisation, whose only part is
    # to shape Adam's steps from a random start
    searches = [start.clone().requires_grad_() for _ in TURTLE_RATES]
    inner = torch.tensor([rate for rate, _ in TURTLE_RATES])[:, None, None]
    optimizer = torch.optim.Adam([dict(params=[one], lr=outer) for one, (_, outer) in zip(searches, TURTLE_RATES)])
    for _ in range(TURTLE_STEPS):
        batch = rows[torch.randperm(len(rows), generator=generator)[:2 * BATCH]]
        logits = (batch @ torch.stack(searches).mT)[None]
        heads = cold_heads(start_heads(count, len(centers), z.shape[1], generator))
        _, fitted = fit_inner([batch], logits.detach()[0].softmax(dim=-1), [heads], inner, TURTLE_INNER_STEPS)
        optimizer.zero_grad()
        turtle_loss(logits, fitted, TURTLE_GAMMA).heads.sum().backward()
        optimizer.step()
    labels = torch.stack([(rows @ one.detach().T).argmax(dim=1) for one in searches])
    chosen = torch.randperm(len(z), generator=generator)[:TURTLE_SCORED]
    losses = labelling_losses([z[chosen].numpy()], labels[:, chosen].numpy(), len(centers), max_iter=200)
    best = searches[int(losses.argmin())].detach()
    return Head(best[:, :-1].T.contiguous(), best[:, -1].contiguous())
