"""k-means in matrix products: spherical (cosine) and Euclidean, all restarts of a run side by side.

The rows are prepared once; one product scores a chunk of rows against the centres of every restart that still moves,
so that a pass over the data serves all of them. Works on any device; an iteration waits for it once.
"""
from __future__ import annotations

import functools
from typing import Any, Callable, NamedTuple, Optional, Union

import torch
import torch.nn.functional as F
from torch import Tensor

from ..finite import require_finite
from ..shards import WHOLE, Shards
from .assign import State, assign, chunks, means, reassign
from .seeding import METRICS, Space, as_float, num_trials, random_seeds, seed_restarts

__all__ = ['KMeansResult', 'center_similarity', 'kmeans', 'lloyd']

SEED_DISTANCES = 1 << 26        # distances held at once by the seeding; decides how many restarts go together


def _in_full_precision(function: Callable) -> Callable:
    """Run a function of rows x without gradients and outside autocast."""

    @functools.wraps(function)
    def run(x: Tensor, *args: Any, **kwargs: Any) -> Any:
        """Call the function in full precision, without gradient."""
        with torch.no_grad(), torch.autocast(x.device.type, enabled=False):
            return function(x, *args, **kwargs)

    return run


class KMeansResult(NamedTuple):
    """Outcome of k-means.

    Attributes:
        labels: (n,) long, nearest of ``centers``.
        centers: (K, D); cosine: plain means of unit rows, zero for an empty cluster.
        inertia: Sum of 1 - cos, or of squared distances, to ``centers``.
        n_iter: Iterations done (of the winning restart).
        counts: (K,) long, sizes of the clusters of ``labels``.
    """
    labels: Tensor
    centers: Tensor
    inertia: float
    n_iter: int
    counts: Tensor


def _first_best(inertia: list[float], dtype: torch.dtype) -> int:
    """Place of the first value that rounding cannot tell from the smallest; 0 if all are NaN."""
    margin = 1 + 16 * torch.finfo(dtype).eps
    inertia = [max(value, 0.0) for value in inertia]        # a perfect fit is just below or above 0
    smallest = min((value for value in inertia if value == value), default=0.0)
    return next((place for place, value in enumerate(inertia) if value <= smallest * margin), 0)


def _stand_still(space: Space, old: State, new: State, limit: Tensor) -> Tensor:
    """Which restarts (A,) repeat all labels or move their centres no further than a limit."""
    changed = (new.labels != old.labels).any(1)
    far = ~(space.movement(old.centers, new.centers) <= limit)
    # a vote, so that no holder goes on alone where their processors round apart
    return (space.shards.sum(torch.stack([changed, far]).long()) == 0).any(0)


def _run(space: Space, centers: Tensor, max_iter: int, tol: float, chunk_size: Optional[int]) -> KMeansResult:
    """Move the centres (R, K, D) of all restarts, drop those that stand still, return the best.

    Centres and labels of a restart are those of its best iteration; the first one counts even if it is worse than
    the given centres.
    """
    limit = tol * space.variance()
    now = best = assign(space, centers.double(), chunk_size)
    active, finished = list(range(len(centers))), []
    for n_iter in range(1, max_iter + 1):
        new = reassign(space, now, means(now, space.metric), chunk_size)
        best = new if n_iter == 1 else best.or_better(new)
        still = _stand_still(space, now, new, limit)
        now = new
        moving = [slot for slot, stop in enumerate(still.tolist()) if not stop]
        if len(moving) < len(active):
            stopped = sorted(set(range(len(active))) - set(moving))
            finished += [(best.rows(slot), n_iter, active[slot]) for slot in stopped]
            keep = torch.tensor(moving, dtype=torch.long, device=centers.device)
            now, best, active = now.rows(keep), best.rows(keep), [active[slot] for slot in moving]
        if not active:
            break
    finished += [(best.rows(slot), max(max_iter, 0), restart) for slot, restart in enumerate(active)]
    finished.sort(key=lambda one: one[2])
    inertia = torch.stack([state.inertia for state, _, _ in finished]).tolist()
    state, n_iter, _ = finished[_first_best(inertia, space.rows.dtype)]
    out = (state.centers + space.origin).to(space.rows.dtype)
    return KMeansResult(state.labels.long(), out, max(float(state.inertia), 0.0), n_iter, state.counts.long())


@_in_full_precision
def lloyd(x: Tensor, init: Tensor, metric: str = 'cosine', max_iter: int = 300, tol: float = 1e-4,
          chunk_size: Optional[int] = None, shards: Shards = WHOLE) -> KMeansResult:
    """Iterate k-means from given centres (ProPos Sec. 3: the E-step).

    Rows are first given to ``init``, which is not counted. An iteration moves the centres to the means of their rows
    and assigns again, so labels, inertia and counts belong to the returned centres. It stops when labels repeat or
    when the summed movement of the centres is at most ``tol`` times the mean variance of the (unit) rows.

    Args:
        x: (n, D) raw rows; cosine normalises them.
        init: (K, D).
        metric: ``'cosine'`` (distance 1 - cos, centres are plain means of unit rows) or ``'euclidean'``.
        max_iter: Most iterations; 0 only assigns.
        tol: Relative tolerance.
        chunk_size: Rows scored at once; ``None`` suits the device.
        shards: Who holds the N rows; labels are those of the rows here, all else is that of all rows.

    Returns:
        The iteration with the smallest inertia. Edge cases: an empty cosine cluster has a zero centre at distance 1
        from every row and may catch rows again; an empty Euclidean cluster keeps its centre; ties go to the first
        centre; rows without length are at distance 1 from everything.

    Raises:
        ValueError: If a row or a centre is not finite.
    """
    require_finite(x, 'k-means', shards=shards)
    require_finite(init, 'k-means: first centres')
    space = Space.of(x, metric, shards)
    return _run(space, (init.to(x.device).double() - space.origin)[None], max_iter, tol, chunk_size)


@_in_full_precision
def kmeans(x: Tensor, num_clusters: int, n_init: int = 10, max_iter: int = 300, tol: float = 1e-4,
           metric: str = 'cosine', seed: int = 0, chunk_size: Optional[int] = None,
           init: Union[Tensor, str, None] = None, shards: Shards = WHOLE) -> KMeansResult:
    """Cluster rows by the best of several restarts from greedy k-means++ seeds.

    Args:
        x: (n, D) raw rows on any device.
        num_clusters: K.
        n_init: Restarts; the first ones are the same for every ``n_init``.
        max_iter: See :func:`lloyd`.
        tol: See :func:`lloyd`.
        metric: See :func:`lloyd`.
        seed: Decides the seeds of all restarts; the global random state is neither read nor changed.
        chunk_size: See :func:`lloyd`.
        init: (K, D) centres to start from, once, instead of seeding. ``'random'``: each restart begins with rows that
            are all equally likely.
        shards: Who holds the N rows, see :func:`lloyd`. The seeds are those of one holder.

    Returns:
        The restart with the smallest inertia. Edge cases: with fewer than K distinct rows some clusters are empty;
        without rows the centres are zero.

    Raises:
        ValueError: If ``init`` or ``metric`` is unknown, or a row is not finite.
    """
    if isinstance(init, str) and init != 'random':
        raise ValueError(f"init must be centres, 'random' or None (greedy k-means++), got {init!r}")
    if isinstance(init, Tensor) or not sum(shards.sizes(len(x))):
        init = init if isinstance(init, Tensor) else x.new_zeros(num_clusters, x.shape[1])
        return lloyd(x, init, metric, max_iter, tol, chunk_size, shards)
    require_finite(x, 'k-means', shards=shards)
    space = Space.of(x, metric, shards)
    if init == 'random':
        seeds = random_seeds(space.total, num_clusters, max(n_init, 1), seed).to(x.device)
        return _run(space, space.fetch(seeds), max_iter, tol, chunk_size)
    trials = num_trials(num_clusters)
    generator = torch.Generator().manual_seed(seed)
    steps = max(num_clusters - 1, 0)
    draws = torch.stack([torch.rand(1 + steps * trials, generator=generator, dtype=torch.float64)
                         for _ in range(max(n_init, 1))]).to(x.device)
    results = []
    for part in draws.split(max(1, SEED_DISTANCES // (trials * max(space.sizes)))):
        first = (part[:, 0] * space.total).long().clamp_(max=space.total - 1)
        seeds = seed_restarts(space, first, part[:, 1:].view(len(part), steps, trials))
        results.append(_run(space, space.fetch(seeds), max_iter, tol, chunk_size))
    return results[_first_best([result.inertia for result in results], space.rows.dtype)]


@_in_full_precision
def center_similarity(x: Tensor, centers: Tensor, metric: str = 'cosine') -> Tensor:
    """Similarity of rows to centres, larger is nearer, computed in chunks.

    Args:
        x: (N, D) raw rows.
        centers: (K, D).
        metric: ``'cosine'`` gives the cosine, ``'euclidean'`` minus the squared distance.

    Returns:
        (N, K). Edge case: 0 to a zero centre (cosine).

    Raises:
        ValueError: If the metric is unknown.
    """
    if metric not in METRICS:
        raise ValueError(f'metric must be one of {METRICS}, got {metric!r}')
    x = as_float(x)
    centers = centers.to(x)
    if metric == 'cosine':
        unit = F.normalize(centers, dim=1)
        parts = [F.normalize(rows, dim=1) @ unit.T for rows in chunks(x, len(centers), None)]
    else:
        exact = 'donot_use_mm_for_euclid_dist'      # a product loses the digits of near pairs beside a far one
        parts = [-torch.cdist(rows, centers, compute_mode=exact).square() for rows in chunks(x, len(centers), None)]
    return torch.cat(parts) if parts else x.new_zeros(0, len(centers))
