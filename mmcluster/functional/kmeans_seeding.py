"""Greedy k-means++ seeding (Arthur and Vassilvitskii 2007, with the greedy trials of section 5)."""
from __future__ import annotations

import math

import torch
from torch import Tensor

from .kmeans_space import SPACES, Space, plain_precision

# Distances of all rows to the trial seeds of this many elements are held at once; more restarts go one after another.
SEEDING_ELEMENTS = 1 << 26


def num_trials(num_clusters: int) -> int:
    """Candidates tried for each further seed: 2 + floor(ln K)."""
    return 2 + int(math.log(max(num_clusters, 1)))


def kmeans_plusplus(x: Tensor, num_clusters: int, first: int, uniforms: Tensor, metric: str = 'cosine') -> Tensor:
    """Choose K rows as seeds, from given random numbers.

    A further seed is drawn with probability proportional to the distance to the nearest seed so far (1 - cos, or the
    squared Euclidean distance): the candidate of a number u is the first row whose cumulative distance is at least
    u times the total. Of the candidates of one step the one that leaves the smallest sum of distances is kept.

    Args:
        x: (N, D).
        num_clusters: K.
        first: Index of the first seed.
        uniforms: (K - 1, T) numbers in [0, 1), T trials for each further seed.
        metric: ``'cosine'`` or ``'euclidean'``.

    Returns:
        (K,) long, row indices.

    Edge cases: with fewer distinct rows than K, rows repeat. Candidates of equal merit: the first.
    """
    with plain_precision(x):
        space = SPACES[metric](x)
        start = torch.as_tensor(first, device=x.device).reshape(1)
        return seed_runs(space, start, uniforms[None, :num_clusters - 1])[0]


def seed_runs(space: Space, first: Tensor, uniforms: Tensor) -> Tensor:
    """Seed R independent restarts, each step one pass over the rows for all of them.

    Args:
        space: N prepared rows, at least one.
        first: (R,) long, first seed of each restart.
        uniforms: (R, K - 1, T).

    Returns:
        (R, K) long.
    """
    rows, trials = len(space.rows), max(uniforms.shape[2], 1)
    group = max(1, SEEDING_ELEMENTS // (rows * trials))
    first = first.to(space.rows.device)
    uniforms = uniforms.to(space.rows.device, space.wide)
    return torch.cat([_seed_group(space, f, u) for f, u in zip(first.split(group), uniforms.split(group))])


def _seed_group(space: Space, first: Tensor, uniforms: Tensor) -> Tensor:
    runs, steps, trials = uniforms.shape
    seeds = [first]
    near = _distances(space, first[:, None])[:, 0]
    run = torch.arange(runs, device=first.device)
    for step in range(steps):
        cumulative = near.cumsum(dim=1, dtype=space.wide)
        candidate = torch.searchsorted(cumulative, uniforms[:, step].contiguous() * cumulative[:, -1:])
        candidate = candidate.clamp(max=near.shape[1] - 1)
        distance = _distances(space, candidate)
        torch.minimum(distance, near[:, None], out=distance)
        best = _first_smallest(distance.sum(dim=2, dtype=space.wide), torch.finfo(near.dtype).eps)
        seeds.append(candidate[run, best])
        near = distance[run, best]
    return torch.stack(seeds, dim=1)


def _distances(space: Space, index: Tensor) -> Tensor:
    """Distances (R, T, N) of all rows to the rows ``index`` (R, T)."""
    weight, bias = space.form(space.rows[index.flatten()])
    out = space.rows.new_empty(len(weight), len(space.rows))
    for part in space.chunks(len(weight)):
        torch.addmm(bias[:, None], weight, space.rows[part].t(), alpha=-space.scale, beta=-space.scale,
                    out=out[:, part])
        out[:, part] += space.base[part]
    return out.clamp_(min=0).view(*index.shape, -1)


def _first_smallest(value: Tensor, eps: float) -> Tensor:
    """Index (R,) of the first entry of each row (R, T) that equals its minimum up to the rounding of the sums."""
    bound = value.amin(dim=1, keepdim=True) * (1 + 16 * eps)
    return (value <= bound).int().argmax(dim=1)
