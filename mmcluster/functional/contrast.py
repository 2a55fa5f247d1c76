"""Regression between two views."""
from __future__ import annotations

from torch import Tensor
from torch.linalg import vector_norm

NORM_EPS = 1e-12


def wide(x: Tensor) -> Tensor:
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
    x = wide(x)
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
    cosine = (unit_rows(p) * unit_rows(k.detach())).sum(dim=1)
    return (2 - 2 * cosine).sum() / max(len(p), 1)
