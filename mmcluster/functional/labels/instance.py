"""Instance classes: images aligned with anchors by optimal transport (ASD section III-B)."""
from __future__ import annotations

from typing import NamedTuple, Optional

import torch
from torch import Tensor

from ..losses.contrast import unit_rows
from ..losses.prototype import one_hot
from .sinkhorn import sinkhorn, sinkhorn_domain

REG_MODES = ('relative', 'absolute')
REG_FLOOR = 1e-6        # least regularisation: below lies the rounding of float32 features
LARGEST_COST = 2.       # 1 - cos
MANY_CLASSES = 50       # from here on plain sweeps may need hundreds
MANY_RELAX = 1.8
LARGEST_SPREAD = 10.    # costs further than this many standard deviations apart are cut in kernel form, if reg is small


class InstanceLabels(NamedTuple):
    """Images aligned with anchors.

    Attributes:
        label: (L, M) soft instance labels, rows sum to 1.
        index: (L,) long, the most likely instance class, the first one on ties.
        plan: (L, M) transport plan.
        cost: (L, M) float64, 1 - cos.
        error: () how far the plan is from convergence, see :class:`Transport`.
    """
    label: Tensor
    index: Tensor  # type: ignore[assignment]  # hides tuple.index
    plan: Tensor
    cost: Tensor
    error: Tensor


@torch.no_grad()
def anchor_cost(feat: Tensor, anchor: Tensor) -> Tensor:
    """Return what it costs to take an image for an anchor: ``1 - cos`` (ASD eq. 7).

    Args:
        feat: (L, D), any norm.
        anchor: (M, D), any norm.

    Returns:
        (L, M) float64 in [0, 2]; 1 for a zero row.
    """
    with torch.autocast(feat.device.type, enabled=False):
        return 1 - unit_rows(feat.double()) @ unit_rows(anchor.double()).t()


def regularisation(cost: Tensor, reg: float, mode: str = 'relative') -> float | Tensor:
    """Return the weight of the entropy in the transport (ASD's lambda, whose value the paper does not give).

    Args:
        cost: (L, M).
        reg: Factor.
        mode: ``'relative'``: ``reg`` times the standard deviation of all costs, which follows features that are
            alike at first and spread later. ``'absolute'``: ``reg`` itself.

    Returns:
        A number, or () on the device of the costs; at least 1e-6, which makes labels of identical features uniform.

    Raises:
        ValueError: If ``mode`` is unknown or ``reg`` is not positive.
    """
    if mode not in REG_MODES or not reg > 0:
        raise ValueError(f'the regularisation must be positive and its mode one of {REG_MODES}, got {reg!r} and '
                         f'{mode!r}')
    if mode == 'absolute':
        return max(reg, REG_FLOOR)
    size = max(cost.numel(), 1)
    return (reg * ((cost - cost.sum() / size).square().sum() / size).sqrt()).clamp(min=REG_FLOOR)


def suited_relax(num_classes: int) -> float:
    """Return the over-relaxation of the transport that suits so many instance classes: 1 below 50, else 1.8."""
    return MANY_RELAX if num_classes >= MANY_CLASSES else 1.


@torch.no_grad()
def align_instances(feat: Tensor, anchor: Tensor, reg: float = 0.2, reg_mode: str = 'relative',
                    row_mass: Optional[Tensor] = None, column_mass: Optional[Tensor] = None, sweeps: int = 100,
                    tol: Optional[float] = None, relax: Optional[float] = None) -> InstanceLabels:
    """Label images with the instance classes of anchors by optimal transport (ASD eq. 7).

    Uniform masses let every instance class receive the same share of the batch.

    Args:
        feat: (L, D) features of the current images, any norm.
        anchor: (M, D) features of the anchors.
        reg: See :func:`regularisation`.
        reg_mode: See :func:`regularisation`.
        row_mass: (L,), sums to 1; ``None`` is uniform.
        column_mass: (M,), likewise.
        sweeps: See :func:`sinkhorn`.
        tol: See :func:`sinkhorn`; ``None`` never waits for the device.
        relax: See :func:`sinkhorn`; ``None``: what :func:`suited_relax` says of M.

    Returns:
        Labels without gradient.
    """
    cost = anchor_cost(feat, anchor)
    ratio = (LARGEST_COST if reg_mode == 'absolute' else LARGEST_SPREAD) / reg
    plan, label, error = sinkhorn(cost, regularisation(cost, reg, reg_mode), row_mass, column_mass, sweeps, tol,
                                  sinkhorn_domain(ratio), suited_relax(len(anchor)) if relax is None else relax)
    index = label.argmax(dim=1) if len(anchor) else label.new_zeros(len(feat), dtype=torch.long)
    kind = unit_rows(feat[:0]).dtype
    return InstanceLabels(label.to(kind), index, plan.to(kind), cost, error)


def cluster_target(label: Tensor, index: Tensor, class_map: Tensor, num_clusters: int, soft: bool = False) -> Tensor:
    """Turn instance labels into cluster labels by a map of instance classes (ASD section III-D).

    Args:
        label: (L, M) soft instance labels.
        index: (L,) long, their most likely instance class.
        class_map: (M,) long, cluster of each instance class.
        num_clusters: K.
        soft: Sum the soft label over the instance classes of each cluster instead, which keeps the doubt of the
            transport. The paper takes hard labels.

    Returns:
        (L,) long, or (L, K) whose rows sum to 1.
    """
    if not soft:
        return class_map[index]
    with torch.autocast(label.device.type, enabled=False):
        return label @ one_hot(class_map, num_clusters, label)


def flip_labels(label: Tensor, rate: float, num_classes: int, generator: Optional[torch.Generator] = None) -> Tensor:
    """Give a share of the labels another class, drawn uniformly from the others (ASD Figs. 4b, 7).

    Args:
        label: (L,) long; -1 stays.
        rate: Share of the known labels, of which exactly round(rate L) are flipped.
        num_classes: C.
        generator: On the device of the labels; torch's global one by default.

    Returns:
        (L,) long.

    Raises:
        ValueError: If ``rate`` is no share, or there is no other class.
    """
    if not 0 <= rate <= 1 or (rate and num_classes < 2):
        raise ValueError(f'rate must be a share in [0, 1], of at least two classes; got {rate} and {num_classes}')
    known = label >= 0
    draw = torch.rand(len(label), generator=generator, device=label.device).masked_fill(~known, 2.)
    step = torch.randint(1, max(num_classes, 2), (len(label),), generator=generator, device=label.device)
    # by rank, not by index, so that nothing waits for the device
    flipped = (draw.argsort().argsort() < (rate * known.sum()).round()) & known
    return torch.where(flipped, (label + step) % num_classes, label)
