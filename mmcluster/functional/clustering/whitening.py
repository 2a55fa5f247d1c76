"""Principal components of frozen features and how many of them to whiten; rows come in blocks, so memory is bounded."""
from __future__ import annotations

from typing import Iterator, NamedTuple

import numpy as np
import scipy.linalg
import torch

BLOCK = 8192                    # rows that are held in float64 or as a product at once
FULL_WIDTH = 4096               # wider features find their leading components by iteration, not from a D x D matrix
PASSES = 4                      # passes of that iteration over the rows
ROUNDING = 1e-6                 # a component whose variance is a smaller part of the largest one is rounding
MOST_DIMS = 64
ROWS_PER_DIM = 8                # whitening multiplies the noise of what few rows estimate
FEWEST_DIMS = 8
EXPONENT = 0.35                 # of the variance that is divided by; 0.5 makes all equal, those of noise too
FLAT_ROWS = 10                  # rows for each dimension from which the spectrum of noise is flat enough to be told


class Components(NamedTuple):
    """Leading principal components.

    Attributes:
        mean: (D,) float64.
        directions: (d, D) float64, orthonormal, largest variance first.
        variance: (d,) float64.
        total: Variance of all D dimensions.
    """
    mean: np.ndarray
    directions: np.ndarray
    variance: np.ndarray
    total: float


def blocks(x: np.ndarray, size: int = BLOCK) -> Iterator[np.ndarray]:
    """Cut rows (N, D), which may lie on disk, into blocks."""
    return (x[start:start + size] for start in range(0, len(x), size))


def _centred(x: np.ndarray, mean: np.ndarray) -> Iterator[torch.Tensor]:
    """Blocks of rows minus their mean, which is taken off in float64: a far offset would eat digits."""
    return (torch.from_numpy((part - mean).astype(np.float32)) for part in blocks(x))


def _covariance(x: np.ndarray, mean: np.ndarray) -> np.ndarray:
    """Covariance (D, D) float64 of rows (N, D)."""
    total = torch.zeros(x.shape[1], x.shape[1], dtype=torch.float64)
    for part in _centred(x, mean):
        total += part.T @ part
    return total.numpy() / max(len(x) - 1, 1)


def _range(x: np.ndarray, mean: np.ndarray, count: int) -> np.ndarray:
    """Orthonormal basis (D, count) near the leading components, by subspace iteration (Halko et al., 2011)."""
    generator = torch.Generator().manual_seed(0)
    basis = torch.randn(x.shape[1], count, generator=generator)
    for _ in range(PASSES):
        basis = torch.linalg.qr(basis)[0]
        image = torch.zeros_like(basis)
        for part in _centred(x, mean):
            image += part.T @ (part @ basis)
        basis = image
    return torch.linalg.qr(basis.double())[0].numpy()


def principal_components(x: np.ndarray, count: int) -> Components:
    """Find the leading principal components.

    Args:
        x: (N, D) finite rows, of any float type, in memory or mapped.
        count: Components that are asked for.

    Returns:
        At most ``count`` components; those whose variance is rounding are left out, so that equal rows have none. The
        largest entry of a direction is positive, which makes the sign repeatable.
    """
    width = x.shape[1]
    mean = sum(part.sum(axis=0, dtype=np.float64) for part in blocks(x)) / len(x)
    if width <= FULL_WIDTH:
        covariance, basis = _covariance(x, mean), None
        total = float(np.trace(covariance))
    else:
        basis = _range(x, mean, min(count + 16, width, len(x)))
        reduced = [(part.astype(np.float64) - mean) @ basis for part in blocks(x)]
        covariance = sum(part.T @ part for part in reduced) / max(len(x) - 1, 1)
        total = float(sum(((part - mean) ** 2).sum() for part in blocks(x))) / max(len(x) - 1, 1)
    size = len(covariance)
    variance, vectors = scipy.linalg.eigh(covariance, subset_by_index=[max(size - count, 0), size - 1])
    variance, vectors = variance[::-1], vectors[:, ::-1]
    # what lies beyond the precision of the features themselves is no variance either
    floor = max(ROUNDING * variance[0], (np.finfo(np.float32).eps * np.abs(mean).max()) ** 2)
    keep = variance > floor
    directions = (vectors if basis is None else basis @ vectors)[:, keep].T
    signs = np.sign(directions[np.arange(len(directions)), np.abs(directions).argmax(axis=1)])
    return Components(mean, directions * signs[:, None], variance[keep], total)


def whitening_scale(variance: np.ndarray) -> np.ndarray:
    """Return what components are multiplied with: variance to the power -0.35, the largest one made 1.

    Between principal components (0) and full whitening (0.5). Full whitening takes from large components what clusters
    have in common with them, and lifts small ones to the same size whether or not few rows know them.

    Args:
        variance: (d,) positive, descending.

    Returns:
        (d,) float64.
    """
    return (variance / variance[0]) ** -EXPONENT / np.sqrt(variance[0])


def signal_rank(variance: np.ndarray, total: float, rows: int, width: int) -> int:
    """Count the components that stand out of noise (Gavish and Donoho, 2014).

    The threshold on singular values is omega times their median, with omega for an unknown level of noise.

    Args:
        variance: (d,) leading variances, descending.
        total: Variance of all dimensions.
        rows: N.
        width: D.

    Returns:
        Between 0 and d. The median is that of the ``width`` variances where they are known, else their mean without
        the leading ones.
    """
    ratio = min(rows, width) / max(rows, width)
    omega = 0.56 * ratio ** 3 - 0.95 * ratio ** 2 + 1.82 * ratio + 1.43
    known = len(variance) > min(rows, width) // 2
    rest = max(total - variance.sum(), 0) / max(min(rows, width) - len(variance), 1)
    middle = variance[min(rows, width) // 2] if known else rest
    return int((variance > omega ** 2 * middle).sum())


def above_flat_noise(variance: np.ndarray, rows: int, width: int) -> int:
    """Count the components above the edge that noise of the smallest variance has (Marchenko and Pastur, 1967).

    Args:
        variance: All variances that are not rounding, descending.
        rows: N.
        width: D.
    """
    root = np.sqrt(min(rows, width) / max(rows, width))
    return int((variance > variance[-1] * (1 + root) ** 2 / max(1 - root, 0.5) ** 2).sum())


def whitened_dims(found: Components, rows: int, width: int) -> tuple[int, str]:
    """Choose how many components to whiten.

    Args:
        found: At least the leading ``MOST_DIMS`` components, or all.
        rows: N.
        width: D.

    Returns:
        The number of dimensions and the reason for it, as a sentence.
    """
    rank = len(found.variance)
    limit = min(MOST_DIMS, max(rows // ROWS_PER_DIM, FEWEST_DIMS))
    dims, reason = min(limit, rank), f'{rank} dimensions vary'
    if limit < rank:
        reason = f'{rows} rows bear {limit} (one for {ROWS_PER_DIM} rows, {FEWEST_DIMS} to {MOST_DIMS})'
    if width > 2 * FEWEST_DIMS:
        signal = max(signal_rank(found.variance, found.total, rows, width), 2)
        if rows >= FLAT_ROWS * width:
            # where nearly all dimensions are signal their median is no noise; the smallest one may still be
            signal = max(signal, min(above_flat_noise(found.variance, rows, width), 2 * FEWEST_DIMS))
        if signal < dims:
            dims, reason = signal, f'{signal} stand out of the noise'
    return dims, f'{dims} of {width} dimensions: {reason}.'
