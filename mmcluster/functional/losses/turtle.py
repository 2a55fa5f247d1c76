"""TURTLE: labels that linear heads on frozen features fit best (Gadetsky, Jiang and Brbic, ICML 2024).

Every function takes H labellings at once, as a leading axis; they do not see each other.
"""
from __future__ import annotations

from typing import NamedTuple, Optional, Sequence, Union

import torch
from torch import Tensor

from .contrast import at_least_float32

ADAM_BETAS = (0.9, 0.999)
ADAM_EPS = 1e-8


class InnerHeads(NamedTuple):
    """Linear heads of one space with the state of their Adam, which a warm start keeps.

    Attributes:
        weight: (H, K, d + 1), the bias in the last column.
        first: (H, K, d + 1), running mean of the gradient.
        second: (H, K, d + 1), of its square.
        step: (), steps taken.
    """
    weight: Tensor
    first: Tensor
    second: Tensor
    step: Tensor


class TurtleLoss(NamedTuple):
    """Outcome of :func:`turtle_loss`.

    Attributes:
        heads: (H,), ``error - gamma * entropy``.
        error: (H,), cross-entropy of the inner heads with the labels, sum over the spaces.
        entropy: (H, S), of the mean label of each space; its exponential counts the clusters in use.
        labels: (H, N, K), mean over the spaces.
    """
    heads: Tensor
    error: Tensor
    entropy: Tensor
    labels: Tensor


def with_ones(z: Tensor) -> Tensor:
    """Append a column of ones to rows (N, d), the input of the bias -> (N, d + 1), float32 or wider."""
    return torch.cat([at_least_float32(z), at_least_float32(z).new_ones(len(z), 1)], dim=1)


def cold_heads(weight: Tensor) -> InnerHeads:
    """Heads that have not learnt.

    Args:
        weight: (H, K, d + 1).
    """
    return InnerHeads(weight, torch.zeros_like(weight), torch.zeros_like(weight), weight.new_zeros(()))


@torch.no_grad()
def inner_steps(rows: Tensor, labels: Tensor, heads: InnerHeads, lr: Union[float, Tensor], steps: int,
                betas: tuple[float, float] = ADAM_BETAS, eps: float = ADAM_EPS) -> tuple[InnerHeads, Tensor]:
    """Fit linear heads of one space to constant labels by full-batch Adam (the inner problem).

    The gradient of the cross-entropy is written out, ``(softmax - labels)^T z / N``; no graph is built.

    Args:
        rows: (N, d + 1) of :func:`with_ones`.
        labels: (H, N, K), rows sum to 1.
        heads: Where they start.
        lr: One rate, or (H, 1, 1).
        steps: M.
        betas: Decays of Adam's running means.
        eps: Added to the root of the second mean.

    Returns:
        The heads after the steps, and the loss (steps, H) before each of them.
    """
    weight, first, second, step = heads
    losses = []
    for _ in range(steps):
        log_prob = (rows @ weight.mT).log_softmax(dim=-1)
        losses.append(-(labels * log_prob).sum(dim=-1).mean(dim=-1))
        gradient = ((log_prob.exp() - labels) / len(rows)).mT @ rows
        step = step + 1
        first = first.lerp(gradient, 1 - betas[0])
        second = second.lerp(gradient.square(), 1 - betas[1])
        spread = (second / (1 - betas[1] ** step)).sqrt() + eps
        weight = weight - lr * (first / (1 - betas[0] ** step)) / spread
    return InnerHeads(weight, first, second, step), torch.stack(losses)


def mean_entropy(labels: Tensor) -> Tensor:
    """Entropy of the mean label, -sum_c m_c log m_c with 0 log 0 = 0.

    Args:
        labels: (..., N, K).

    Returns:
        (...). A cluster that no row has passes no gradient, where that of the plain formula is infinite.
    """
    mean = labels.mean(dim=-2)
    used = mean > 0
    safe = mean.where(used, torch.ones_like(mean))
    return -(safe * safe.log()).sum(dim=-1)


def turtle_loss(task_logits: Tensor, inner_logits: Tensor, gamma: float) -> TurtleLoss:
    """Ask for labels that the inner heads, which are constant, fit, and that use all clusters (eq. 12, 13).

    Args:
        task_logits: (S, H, N, K) of the task encoder in each space; the gradient flows through them alone.
        inner_logits: (S, H, N, K) of the inner heads.
        gamma: Weight of the entropies.

    Returns:
        The loss and its parts.
    """
    spaces = at_least_float32(task_logits).softmax(dim=-1)
    labels = spaces.mean(dim=0)
    log_prob = at_least_float32(inner_logits).detach().log_softmax(dim=-1)
    error = -(labels * log_prob).sum(dim=-1).mean(dim=-1).sum(dim=0)
    entropy = mean_entropy(spaces).T
    return TurtleLoss(error - gamma * entropy.sum(dim=1), error, entropy, labels)


def start_heads(count: int, num_clusters: int, width: int, generator: Optional[torch.Generator] = None,
                device: Union[str, torch.device] = 'cpu') -> Tensor:
    """Weights of fresh inner heads, U(-1, 1) / sqrt(d) as those of a new linear layer.

    Args:
        count: H.
        num_clusters: K.
        width: d.
        generator: Draws them; the global one of the device by default.
        device: Where they lie.

    Returns:
        (H, K, d + 1).
    """
    drawn = torch.rand(count, num_clusters, width + 1, generator=generator, device=device)
    return (2 * drawn - 1) / width ** 0.5


def fit_inner(rows: Sequence[Tensor], labels: Tensor, heads: Sequence[InnerHeads], lr: Union[float, Tensor],
              steps: int) -> tuple[list[InnerHeads], Tensor]:
    """Fit the heads of all spaces to one labelling and return what they say of the rows.

    Args:
        rows: S tensors (N, d_s + 1).
        labels: (H, N, K).
        heads: S of them.
        lr: See :func:`inner_steps`.
        steps: M.

    Returns:
        The heads, and their logits (S, H, N, K).
    """
    fitted = [inner_steps(z, labels, head, lr, steps)[0] for z, head in zip(rows, heads)]
    return fitted, torch.stack([z @ head.weight.mT for z, head in zip(rows, fitted)])
