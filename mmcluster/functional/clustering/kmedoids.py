"""k-medoids by PAM: no randomness, ties to the lowest index, all swaps of a step judged in matrix form."""
from __future__ import annotations

from typing import NamedTuple, Optional

import numpy as np
import torch

from ..finite import require_finite

SLACK = 1e-12           # objectives closer than this share of the largest possible one are a tie


class KMedoids(NamedTuple):
    """Outcome of k-medoids.

    Attributes:
        label: (M,) int64, cluster of each object; clusters are numbered by ascending medoid.
        medoids: (K,) int64, ascending.
        objective: Summed dissimilarity of the objects to their medoids.
    """
    label: np.ndarray
    medoids: np.ndarray
    objective: float


def assign_to_medoids(dissimilarity: np.ndarray, medoids: np.ndarray) -> KMedoids:
    """Give every object to its nearest medoid, the lowest one on ties; a medoid belongs to itself.

    Args:
        dissimilarity: (M, M), zero diagonal; row: object, column: medoid.
        medoids: (K,) distinct objects.

    Returns:
        Labels, medoids in ascending order, and the objective.
    """
    medoids = np.sort(np.asarray(medoids, dtype=np.int64))
    far = dissimilarity[:, medoids]
    label = far.argmin(axis=1) if len(medoids) else np.zeros(0, dtype=np.int64)
    label[medoids] = np.arange(len(medoids))
    return KMedoids(label, medoids, float(far[np.arange(len(label)), label].sum()))


def pam(dissimilarity: np.ndarray, num_clusters: int, starts: int = 4, max_swaps: int = 1000) -> KMedoids:
    """Partition objects around medoids (PAM): add the best medoid K times, then swap while a swap helps.

    Args:
        dissimilarity: (M, M) finite, not negative, zero diagonal; row: object, column: medoid. It need not be
            symmetric.
        num_clusters: K.
        starts: 1 is PAM as published. The others begin with the second, third, ... best single medoid instead of the
            best; the lowest objective counts, the earlier start on ties.
        max_swaps: Most swaps of a start; each of them lowers the objective.

    Returns:
        A clustering that no single swap improves. Edge cases: with K >= M every object is a medoid, so there are M
        clusters; where all objects are equally far apart the first K are the medoids and the first takes the others.

    Raises:
        ValueError: If K < 1 while there are objects, or a dissimilarity is not finite.
    """
    far = np.asarray(dissimilarity, dtype=np.float64)
    require_finite(torch.from_numpy(far), 'k-medoids: dissimilarities')
    if num_clusters < 1 and len(far):
        raise ValueError(f'{len(far)} objects cannot be given to {num_clusters} clusters: ask for one at least')
    if num_clusters >= len(far):
        return assign_to_medoids(far, np.arange(len(far)))
    slack = SLACK * float(far.max()) * len(far)
    first = np.argsort(np.round(far.sum(axis=0) / max(slack, SLACK)), kind='stable')[:max(starts, 1)]
    best: Optional[KMedoids] = None
    for one in first:
        found = assign_to_medoids(far, _swap(far, _build(far, int(one), num_clusters, slack), slack, max_swaps))
        if best is None or found.objective < best.objective - slack:
            best = found
    assert best is not None     # one start at least
    return best


def _build(far: np.ndarray, first: int, num_clusters: int, slack: float) -> np.ndarray:
    """Medoids (K,), one after the other, each the one that lowers the objective most."""
    chosen = np.zeros(len(far), dtype=bool)
    nearest = np.full(len(far), far.max())
    total, best = far.sum(axis=0), first
    for _ in range(num_clusters):
        chosen[best] = True
        closer = np.flatnonzero(far[:, best] < nearest)
        rows, before = far[closer], nearest[closer, None]
        nearest[closer] = far[closer, best]
        total += (np.minimum(rows, nearest[closer, None]) - np.minimum(rows, before)).sum(axis=0)
        total[chosen] = np.inf
        best = int((total <= total.min() + slack).argmax())
    return np.flatnonzero(chosen)


def _swap(far: np.ndarray, medoids: np.ndarray, slack: float, max_swaps: int) -> np.ndarray:
    """Medoids (K,) after the best swap was made again and again; equal swaps: lowest medoid, then lowest object."""
    for _ in range(max_swaps):
        change = swap_changes(far, medoids)
        best = float(change.min())
        if best >= -slack:
            break
        out, into = np.unravel_index(int((change <= best + slack).argmax()), change.shape)
        medoids = np.sort(np.append(np.delete(medoids, out), into))
    return medoids


def swap_changes(far: np.ndarray, medoids: np.ndarray) -> np.ndarray:
    """Return by how much the objective changes when one medoid gives way to another object.

    The newcomer wins the objects that it is nearer to than their medoid. Of the others only those of the medoid that
    goes change: they take the newcomer or their second medoid.

    Args:
        far: (M, M); row: object, column: medoid.
        medoids: (K,) ascending.

    Returns:
        (K, M), infinite for objects that are medoids.
    """
    rows = np.arange(len(far))
    to_medoids = far[:, medoids]
    own = to_medoids.argmin(axis=1)
    first = to_medoids[rows, own]
    to_medoids[rows, own] = np.inf
    second = to_medoids.min(axis=1)
    kept = np.minimum(far, first[:, None])
    lost = np.minimum(far, second[:, None]) - kept
    order = np.argsort(own, kind='stable')
    present, start = np.unique(own[order], return_index=True)
    change = np.zeros((len(medoids), len(far)))
    change[present] = np.add.reduceat(lost[order], start, axis=0)
    change += kept.sum(axis=0) - first.sum()
    change[:, medoids] = np.inf
    return change
