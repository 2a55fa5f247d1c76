"""The geometry of a k-means problem and greedy k-means++ seeding of several restarts at once."""
from __future__ import annotations

import math
from typing import NamedTuple, Optional

import torch
import torch.nn.functional as F
from torch import Tensor

from ..shards import WHOLE, Shards, variance

METRICS = ('cosine', 'euclidean')
ROUNDING = 4            # two scores closer than this many machine epsilons are a tie


def num_trials(num_clusters: int) -> int:
    """Return the candidates of one greedy k-means++ step, 2 + floor(ln K)."""
    return 2 + int(math.log(max(num_clusters, 1)))


class Space(NamedTuple):
    """Rows prepared for one metric, so that nearness is a matrix product: ``score = rows @ weight.T + bias``.

    ``'cosine'`` scores are cosines of unit rows, the distance is 1 - score. ``'euclidean'`` scores are
    x.c - |c|^2 / 2 of rows with zero mean (far offsets would eat digits), the squared distance is |x|^2 - 2 score.

    Attributes:
        rows: (n, D) unit rows, or rows minus the mean of all N.
        origin: (D,) float64, what was subtracted.
        half_square: (n,) float64 |x|^2 / 2 of Euclidean rows, ``None`` for cosine.
        metric: ``'cosine'`` or ``'euclidean'``.
        shards: Who holds the N rows.
        sizes: Rows of each holder.
    """
    rows: Tensor
    origin: Tensor
    half_square: Optional[Tensor]
    metric: str
    shards: Shards
    sizes: list[int]

    @classmethod
    def of(cls, x: Tensor, metric: str, shards: Shards = WHOLE) -> Space:
        """Prepare rows x (n, D) for a metric; integers and half precision become float32.

        Raises:
            ValueError: If the metric is unknown.
        """
        if metric not in METRICS:
            raise ValueError(f'metric must be one of {METRICS}, got {metric!r}')
        x, sizes = as_float(x), shards.sizes(len(x))
        if metric == 'cosine':
            origin = x.new_zeros(x.shape[1], dtype=torch.float64)
            return cls(F.normalize(x, dim=1), origin, None, metric, shards, sizes)
        origin = (shards.sum(x.sum(0, dtype=torch.float64)) / max(sum(sizes), 1)).nan_to_num()
        rows = x - origin.to(x.dtype)
        half_square = torch.linalg.vector_norm(rows, dim=1, dtype=torch.float64).square() / 2
        return cls(rows, origin.to(x.dtype).double(), half_square, metric, shards, sizes)

    @property
    def tie(self) -> float:
        """Difference that rounding can make of two numbers of size 1."""
        return ROUNDING * torch.finfo(self.rows.dtype).eps

    @property
    def total(self) -> int:
        """N."""
        return sum(self.sizes)

    @property
    def start(self) -> int:
        """Place of the first of these rows among all N."""
        return sum(self.sizes[:self.shards.rank])

    def place(self, index: Tensor) -> tuple[Tensor, Tensor]:
        """Where rows of all N (...,) long lie here.

        Returns:
            (...,) place among these n rows, 0 for the others; (...,) bool, whether they are here.
        """
        here = (index >= self.start) & (index < self.start + len(self.rows))
        return torch.where(here, index - self.start, 0), here

    def fetch(self, index: Tensor) -> Tensor:
        """Prepared rows (..., D) float64 by their place (...,) long among all N, from whoever holds them."""
        place, here = self.place(index)
        rows = self.rows[place].double() if len(self.rows) else self.origin.expand(*index.shape, -1)
        return self.shards.sum(torch.where(here[..., None], rows, 0.0))

    def weight_bias(self, centers: Tensor) -> tuple[Tensor, Optional[Tensor]]:
        """Turn centres (..., D) into what scores the rows.

        Returns:
            weight (..., D) in the type of the rows, and bias (...,), ``None`` for cosine.
        """
        if self.metric == 'cosine':
            return F.normalize(centers, dim=-1).to(self.rows.dtype), None
        return centers.to(self.rows.dtype), (-0.5 * centers.square().sum(-1)).to(self.rows.dtype)

    def distance(self, centers: Tensor) -> Tensor:
        """Seeding distance of every row to centres (M, D): 1 - cos, or the squared distance.

        Returns:
            (M, n), what rounding cannot tell from zero is zero.
        """
        weight, bias = self.weight_bias(centers)
        if bias is None or self.half_square is None:
            return torch.threshold_(torch.matmul(weight, self.rows.T).neg_().add_(1), self.tie, 0.0)
        half = self.half_square.to(self.rows.dtype)
        distance = torch.addmm(-bias[:, None], weight, self.rows.T, alpha=-1).add_(half).mul_(2)
        return distance.mul_(distance > 2 * self.tie * (half - bias[:, None]))

    def total_cost(self, centers: Tensor, sums: Tensor, counts: Tensor) -> Tensor:
        """Objective of R clusterings of all rows, from the centres (R, K, D) and the sums and sizes of their clusters.

        Args:
            centers: (R, K, D) float64.
            sums: (R, K, D) float64, summed rows of each cluster.
            counts: (R, K) float64.

        Returns:
            (R,) float64.
        """
        if self.half_square is None:
            return self.total - (F.normalize(centers, dim=-1) * sums).sum((-1, -2))
        score = (centers * sums).sum((-1, -2)) - (centers.square().sum(-1) * counts).sum(-1) / 2
        return 2 * (self.shards.sum(self.half_square.sum(dtype=torch.float64)) - score)

    def movement(self, old: Tensor, new: Tensor) -> Tensor:
        """Summed movement of centres (R, K, D) -> (R,): 1 - cos, or squared distances.

        A zero centre is at cosine distance 1 from everything, itself included.
        """
        if self.metric == 'cosine':
            return (1 - (F.normalize(old, dim=-1) * F.normalize(new, dim=-1)).sum(-1)).sum(-1)
        return (old - new).square().sum((-1, -2))

    def variance(self) -> Tensor:
        """Mean over the dimensions of the unbiased variance of all rows -> (); 0 for fewer than two rows."""
        return variance(self.rows, self.shards).mean().double()


def as_float(x: Tensor) -> Tensor:
    """Detach; keep float64, make everything else float32."""
    return x.detach() if x.dtype == torch.float64 else x.detach().float()


def random_seeds(num_rows: int, num_clusters: int, restarts: int, seed: int) -> Tensor:
    """Draw rows as first centres, all equally likely.

    Args:
        num_rows: N >= 1.
        num_clusters: K.
        restarts: R.
        seed: Decides the rows; the global random state is neither read nor changed.

    Returns:
        (R, K) long, distinct in each row unless K > N.
    """
    generator = torch.Generator().manual_seed(seed)
    place = torch.arange(num_clusters) % num_rows
    return torch.stack([torch.randperm(num_rows, generator=generator)[place] for _ in range(restarts)])


def seed_restarts(space: Space, first: Tensor, uniforms: Tensor) -> Tensor:
    """Greedy k-means++ for several restarts, whose candidates share one matrix product per step.

    A candidate is the first row whose cumulative distance to the centres so far reaches u times the total, where the
    distance is 1 - cos or the squared Euclidean one; of the T candidates of a step the one that leaves the smallest
    total wins, the earlier one on ties. Rows count in their order over all holders, so that they are the same for any
    number of these.

    Args:
        space: N >= 1 rows.
        first: (R,) long, the row each restart begins with.
        uniforms: (R, K - 1, T) float64 in [0, 1), T candidates per step; usually T = 2 + floor(ln K).

    Returns:
        (R, K) long, chosen rows of all N; they repeat when there are fewer than K distinct ones.
    """
    restart = torch.arange(len(first), device=first.device)
    chosen = [first]
    closest = space.distance(space.fetch(first))
    _forget(space, closest, first)
    for step in uniforms.unbind(1):
        candidate, total = _draw(space, closest, step)
        distance = space.distance(space.fetch(candidate.flatten())).view(*candidate.shape, -1)
        _forget(space, distance, candidate)
        distance = torch.minimum(distance, closest[:, None], out=distance)
        left = space.shards.sum(distance.sum(2, dtype=torch.float64))
        margin = space.tie * total.clamp(min=torch.finfo(torch.float64).tiny)
        best = (left <= left.amin(1, keepdim=True) + margin).to(torch.uint8).argmax(1)
        closest = distance[restart, best]
        chosen.append(candidate[restart, best])
    return torch.stack(chosen, 1)


def _forget(space: Space, distance: Tensor, index: Tensor) -> None:
    """Put the distance (..., n) of chosen rows (...,) to themselves to 0."""
    if len(space.rows):
        place, here = (value[..., None] for value in space.place(index))
        distance.scatter_(-1, place, distance.gather(-1, place).masked_fill_(here, 0.0))


def _draw(space: Space, closest: Tensor, uniform: Tensor) -> tuple[Tensor, Tensor]:
    """Draw rows of all N by their distance (R, n) to the centres so far, from uniform numbers (R, T).

    Returns:
        (R, T) long, and the total distance (R, 1).
    """
    mass = closest.cumsum(1, dtype=torch.float64)
    own = mass[:, -1] if len(space.rows) else closest.new_zeros(len(closest), dtype=torch.float64)
    ends = space.shards.gather(own[None]).cumsum(0).T.contiguous()                  # (R, W), up to each holder's last
    wanted = uniform * ends[:, -1:]
    upto = ends.clone()
    upto[:, :next(holder for holder, size in enumerate(space.sizes) if size)] = -1      # no row lies with these
    owner = torch.searchsorted(upto, wanted).clamp_(max=len(space.sizes) - 1)
    if space.shards.rank:
        mass += ends[:, space.shards.rank - 1, None]
    row = torch.searchsorted(mass, wanted).clamp_(max=max(len(space.rows) - 1, 0)) + space.start
    return space.shards.sum(torch.where(owner == space.shards.rank, row, 0)), ends[:, -1:]
