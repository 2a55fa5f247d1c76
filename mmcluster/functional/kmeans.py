"""k-means with restarts, spherical or Euclidean, in matmul form: no distance is computed one pair at a time."""
from __future__ import annotations

from typing import NamedTuple, Optional

import torch
from torch import Tensor

from .kmeans_seeding import kmeans_plusplus, num_trials, seed_runs
from .kmeans_space import SPACES, Space, plain_precision

__all__ = ['KMeansResult', 'center_similarity', 'kmeans', 'kmeans_plusplus', 'lloyd']


class KMeansResult(NamedTuple):
    """A clustering. Labels, counts and inertia belong to the returned centres.

    Attributes:
        labels: (N,) long.
        centers: (K, D). Cosine: plain means of unit rows, zero for an empty cluster.
        inertia: Sum over rows of 1 - cos, or of squared distances, to the centre.
        n_iter: Iterations that were run (of the returned restart).
        counts: (K,) long, cluster sizes.
    """
    labels: Tensor
    centers: Tensor
    inertia: float
    n_iter: int
    counts: Tensor


def kmeans(x: Tensor, num_clusters: int, n_init: int = 10, max_iter: int = 300, tol: float = 1e-4,
           metric: str = 'cosine', seed: int = 0, chunk_size: Optional[int] = None,
           init: Optional[Tensor] = None) -> KMeansResult:
    """Cluster by k-means++ and Lloyd's iterations; the best of several restarts (ProPos section 3.3, E-step).

    All restarts advance together, so the rows are read once per iteration. Random numbers come from a generator of
    this call: the result is a function of the arguments, and restart r does not depend on ``n_init``.

    Args:
        x: (N, D), any device; half precision is computed in float32.
        num_clusters: K.
        n_init: Restarts.
        max_iter: Iterations of a restart at most.
        tol: Movement of the centres at which a restart stops, relative to the mean variance, see :func:`lloyd`.
        metric: ``'cosine'``: rows are normalised, distance 1 - cos. ``'euclidean'``: squared distance.
        seed: Seed of the draws.
        chunk_size: Rows at a time; ``None`` chooses. Changes results by rounding only.
        init: (K, D) start centres, or (R, K, D) those of R restarts; ``n_init`` and ``seed`` are then not used.

    Returns:
        The restart, and within it the iteration, of smallest inertia.

    Edge cases: fewer (distinct) rows than K leaves clusters empty; no row at all gives zero centres.
    """
    with plain_precision(x):
        space = SPACES[metric](x, chunk_size)
        if init is not None:
            start = space.enter(init.reshape(-1, num_clusters, x.shape[1]))
        elif len(x):
            start = space.rows[seed_runs(space, *_draws(len(x), num_clusters, max(n_init, 1), seed))].to(space.wide)
        else:
            start = torch.zeros(1, num_clusters, x.shape[1], dtype=space.wide, device=x.device)
        return _best_run(space, start, max_iter, tol)


def lloyd(x: Tensor, init: Tensor, metric: str = 'cosine', max_iter: int = 300, tol: float = 1e-4,
          chunk_size: Optional[int] = None) -> KMeansResult:
    """Lloyd's iterations from given centres.

    Rows are assigned to ``init`` first, which is not counted. One iteration moves the centres to the means of their
    rows and assigns again. It is the last one when no label changed, or when the summed movement of the centres
    (1 - cos, or squared distance) is at most ``tol`` times the mean over dimensions of the variance of the
    (normalised) rows. The iteration of smallest inertia is returned, which need not be the last one.

    Args:
        x: (N, D).
        init: (K, D) centres.
        metric: ``'cosine'`` or ``'euclidean'``.
        max_iter: Iterations at most; 0 assigns to ``init``.
        tol: See above.
        chunk_size: Rows at a time; ``None`` chooses.

    Returns:
        The clustering.

    Edge cases: cosine: an empty cluster has a zero centre at distance 1 from everything, so it catches rows whose
    cosine to all other centres is negative; while there is one, only equal labels stop. Euclidean: an empty cluster
    keeps its centre.
    """
    return kmeans(x, len(init), max_iter=max_iter, tol=tol, metric=metric, chunk_size=chunk_size, init=init)


def center_similarity(x: Tensor, centers: Tensor, metric: str = 'cosine',
                      chunk_size: Optional[int] = None) -> Tensor:
    """Similarity of rows to centres, larger is nearer.

    Args:
        x: (N, D).
        centers: (K, D).
        metric: ``'cosine'``: the cosine, 0 for a zero centre. ``'euclidean'``: minus the squared distance.
        chunk_size: Rows at a time; ``None`` chooses.

    Returns:
        (N, K), floating type of x (float32 for half precision).
    """
    with plain_precision(x):
        space = SPACES[metric](x, chunk_size)
        weight, bias = (part.to(space.rows.dtype) for part in space.form(space.enter(centers)))
        out = space.rows.new_empty(len(x), len(centers))
        for part in space.chunks(len(centers)):
            score = torch.addmm(bias, space.rows[part], weight.t())
            out[part] = score if metric == 'cosine' else (space.scale * score - space.base[part, None]).clamp(max=0)
        return out


def _draws(num_rows: int, num_clusters: int, runs: int, seed: int) -> tuple[Tensor, Tensor]:
    """First seeds (R,) and uniforms (R, K - 1, T); those of a restart do not depend on the number of restarts."""
    generator = torch.Generator().manual_seed(seed)
    shape = (max(num_clusters - 1, 0), num_trials(num_clusters))
    pairs = [(torch.randint(num_rows, (), generator=generator),
              torch.rand(shape, generator=generator, dtype=torch.float64)) for _ in range(runs)]
    return torch.stack([first for first, _ in pairs]), torch.stack([uniform for _, uniform in pairs])


def _best_run(space: Space, start: Tensor, max_iter: int, tol: float) -> KMeansResult:
    centers, inertia, n_iter = _iterate(space, start, max_iter, tol)
    winner = inertia.argmin()
    centers = centers[winner][None]
    labels, sums, counts = space.assign(centers)
    return KMeansResult(labels[0], space.leave(centers[0]), float(space.inertia(centers, sums, counts)),
                        int(n_iter[winner]), counts[0].long())


def _iterate(space: Space, start: Tensor, max_iter: int, tol: float) -> tuple[Tensor, Tensor, Tensor]:
    """Advance R restarts together and drop those that have stopped.

    Args:
        space: N prepared rows.
        start: (R, K, D), wide type.
        max_iter: See :func:`lloyd`.
        tol: See :func:`lloyd`.

    Returns:
        best centres (R, K, D), their inertia (R,), iterations (R,).
    """
    best_centers = start.clone()
    best = torch.full(start.shape[:1], torch.inf, dtype=space.wide, device=start.device)
    n_iter = torch.zeros_like(best, dtype=torch.long)
    alive = torch.arange(len(start), device=start.device)
    threshold = tol * space.spread()
    centers, (labels, sums, counts) = start, space.assign(start)
    for _ in range(max_iter):
        old, old_labels = centers, labels
        centers = space.means(sums, counts, old)
        labels, sums, counts = space.assign(centers)
        n_iter[alive] += 1
        inertia = space.inertia(centers, sums, counts)
        better = inertia < best[alive]
        best[alive] = torch.where(better, inertia, best[alive])
        best_centers[alive] = torch.where(better[:, None, None], centers, best_centers[alive])
        moving = (labels != old_labels).any(dim=1) & ~(space.shift(old, centers) <= threshold)
        keep = moving.nonzero().flatten()       # the only synchronisation of an iteration
        if not len(keep):
            break
        if len(keep) < len(alive):
            alive, centers, labels, sums, counts = (part[keep] for part in (alive, centers, labels, sums, counts))
    return best_centers, best, n_iter
