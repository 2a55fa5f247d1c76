"""Contrast and regression between two views."""
from __future__ import annotations

from typing import Optional

import torch
from torch import Tensor
from torch.linalg import vector_norm
from torch.nn import functional as F

NORM_EPS = 1e-12


def at_least_float32(x: Tensor) -> Tensor:
    """Return a half-precision tensor of any shape as float32, float32 and float64 as they are."""
    return x.float() if x.element_size() < 4 else x


def unit_rows(x: Tensor, eps: float = NORM_EPS) -> Tensor:
    """Divide every row by max(its norm, eps), in float32 or wider.

    Args:
        x: (B, D).
        eps: Smallest divisor.

    Returns:
        (B, D) unit rows.

    Edge cases: a row whose norm is at most ``eps`` has no direction. It stays (almost) zero and passes no gradient,
    where the plain quotient would pass one of size 1 / eps.
    """
    x = at_least_float32(x)
    norm = vector_norm(x, dim=1, keepdim=True)
    unit = x / norm.clamp_min(eps)
    return unit.where(norm > eps, unit.detach())


def cosine_regression(p: Tensor, k: Tensor) -> Tensor:
    """Squared distance between unit vectors, 2 - 2 cos (ProPos eq. 10, BYOL).

    Args:
        p: (B, D) prediction, any norm.
        k: (B, D) target, any norm; a constant, so it receives no gradient.

    Returns:
        () mean over the rows, in [0, 4].

    Edge cases: a zero row counts 2 and has no gradient; no row at all gives 0.
    """
    return (2 - 2 * _cosines(p, k)).sum() / max(len(p), 1)


def mutual_prediction(p1: Tensor, p2: Tensor, z1: Tensor, z2: Tensor) -> Tensor:
    """Minus the cosine between each view's prediction and the other view's projection (SimSiam eqs. 1-4).

    Args:
        p1: (B, D) predictions from the first view, any norm.
        p2: (B, D) predictions from the second view.
        z1: (B, D) projections of the first view, any norm; constants, so they receive no gradient.
        z2: (B, D) projections of the second view; constants.

    Returns:
        () mean over the rows and both directions, in [-1, 1].

    Edge cases: a zero row counts 0 and has no gradient; no row at all gives 0.
    """
    return -0.5 * (_cosines(p1, z2) + _cosines(p2, z1)).sum() / max(len(p1), 1)


def _cosines(p: Tensor, k: Tensor) -> Tensor:
    """Cosines (B,) between rows p (B, D) and constant rows k (B, D)."""
    return (unit_rows(p) * unit_rows(k.detach())).sum(dim=1)


def info_nce(q: Tensor, k: Tensor, queue: Tensor, temperature: float) -> tuple[Tensor, Tensor]:
    """Contrast every query with its key and a queue of other keys (SPICE eq. 1, MoCo).

    ``-log(exp(q k / tau) / (exp(q k / tau) + sum_i exp(q z_i / tau)))`` with q and k on the unit sphere.

    Args:
        q: (B, D) queries, any norm.
        k: (B, D) keys, any norm; constants.
        queue: (D, Q) keys of earlier batches, unit columns; constants.
        temperature: Divides the similarities (paper's tau).

    Returns:
        Loss (), mean over the rows, and logits (B, 1 + Q), the positive first. Only ``q`` receives a gradient.

    Edge cases: an empty queue, or no row at all, gives 0 with a zero gradient.
    """
    q, k, queue = unit_rows(q), unit_rows(k.detach()), at_least_float32(queue.detach())
    with torch.autocast(q.device.type, enabled=False):
        logits = torch.cat([(q * k).sum(dim=1, keepdim=True), q @ queue], dim=1) / temperature
    first = torch.zeros(len(q), dtype=torch.long, device=q.device)
    return F.cross_entropy(logits, first, reduction='sum') / max(len(q), 1), logits


def nt_xent(z1: Tensor, z2: Tensor, temperature: float, symmetric: bool = True, normalize: bool = True,
            label: Optional[Tensor] = None) -> Tensor:
    """Contrast the two views of every image with all other views of the batch (SimCLR, NT-Xent).

    Every anchor is compared with the 2B - 1 other rows of both views; its positive is the other view of its image.
    With labels, other images of the anchor's label are no negatives (TCL's boosting, false-negative removal).

    Args:
        z1: (B, D) first view, any norm.
        z2: (B, D) second view.
        temperature: Divides the similarities.
        symmetric: Take the rows of both views as anchors, or those of the first alone (SCAN's pretext task).
        normalize: Scale the rows to unit length first. ``False`` is for unit rows whose gradient may leave the
            sphere.
        label: (B,) long, cluster of each image, -1 where it is not known; ``None``: of none.

    Returns:
        () mean over the anchors; both views receive a gradient.

    Edge cases: a single pair has no negative and gives 0; so do images that all share one label, and an empty batch,
    with a zero gradient.
    """
    size = len(z1)
    z = torch.cat([z1, z2])
    z = unit_rows(z) if normalize else at_least_float32(z)
    anchors = z if symmetric else z[:size]
    with torch.autocast(z.device.type, enabled=False):
        logits = anchors @ z.t() / temperature
    place = torch.arange(len(anchors), device=z.device)
    column = torch.arange(2 * size, device=z.device)
    positive = (place + size) % max(2 * size, 1)
    left_out = place[:, None] == column
    if label is not None:
        labels = torch.cat([label, label])
        alike = (labels[place, None] == labels) & (labels >= 0)
        left_out = left_out | (alike & (column != positive[:, None]))
    logits = logits.masked_fill(left_out, torch.finfo(logits.dtype).min / 2)
    # Not logsumexp - positive: at a low temperature both are large, and their rounding is that of the gradient.
    return F.cross_entropy(logits, positive, reduction='sum') / max(len(anchors), 1)
