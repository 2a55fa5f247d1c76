"""The geometry of k-means: what 'near', 'centre' and 'inertia' mean for a metric, in matmul form."""
from __future__ import annotations

from contextlib import contextmanager
from typing import Iterator, Optional

import torch
import torch.nn.functional as F
from torch import Tensor

# Elements of the largest temporary (rows x all centres): small enough for a CPU's cache, large enough to fill a GPU.
CPU_ELEMENTS, DEVICE_ELEMENTS, MIN_ROWS = 1 << 20, 1 << 27, 1024
# A CPU thread multiplies this many one-hot columns in the time that a scatter-add of one row takes.
ONE_HOT_COLUMNS_PER_THREAD = 4


def wide(device: torch.device) -> torch.dtype:
    """Type for sums over N rows: float64 where the device has it."""
    return torch.float32 if device.type == 'mps' else torch.float64


@contextmanager
def plain_precision(x: Tensor) -> Iterator[None]:
    """No gradient and no autocast: a k-means inside a mixed-precision region computes in the type of its input."""
    with torch.no_grad(), torch.autocast(x.device.type, enabled=False):
        yield


class Space:
    """Rows prepared for one metric, so that nearness is one matrix product.

    Both metrics are written as ``distance(x_i, c) = base_i - scale * (x_i . w + b)`` where ``(w, b)`` depends on the
    centre alone. The sum of distances then follows from the sums of the rows of each cluster, without N distances.

    Attributes:
        rows: (N, D) prepared rows.
        base: (N,) constant of each row.
        scale: See above.

    Args:
        x: (N, D); half precision and integers are computed in float32.
        chunk_size: Rows at a time; ``None`` chooses by device and number of centres.
    """
    scale = 1.0

    def __init__(self, x: Tensor, chunk_size: Optional[int] = None):
        x = x.detach()
        self.rows = x if x.dtype in (torch.float32, torch.float64) else x.float()
        self.wide = wide(x.device)
        self.chunk_size = chunk_size
        self._prepare()

    def _prepare(self) -> None:
        """Set ``rows`` and ``base``."""
        raise NotImplementedError

    def enter(self, centers: Tensor) -> Tensor:
        """Centres (..., D) given by the caller, in the coordinates of ``rows`` and the wide type."""
        return centers.detach().to(self.rows.device, self.wide)

    def leave(self, centers: Tensor) -> Tensor:
        """Centres (..., D) in the coordinates and the type of the caller's rows."""
        return centers.to(self.rows.dtype)

    def form(self, centers: Tensor) -> tuple[Tensor, Tensor]:
        """Linear form of nearness.

        Args:
            centers: (..., D).

        Returns:
            w (..., D) and b (...).
        """
        raise NotImplementedError

    def means(self, sums: Tensor, counts: Tensor, old: Tensor) -> Tensor:
        """New centres.

        Args:
            sums: (R, K, D) sums of the rows of each cluster.
            counts: (R, K) sizes.
            old: (R, K, D) centres before.

        Returns:
            (R, K, D).
        """
        raise NotImplementedError

    def shift(self, old: Tensor, new: Tensor) -> Tensor:
        """Movement (R,) of centres (R, K, D), summed over clusters, in the units of the metric."""
        raise NotImplementedError

    def spread(self) -> Tensor:
        """() mean over dimensions of the unbiased variance of the rows; 0 for fewer than two rows."""
        num, dim = self.rows.shape
        if num < 2 or not dim:
            return self.rows.new_zeros((), dtype=self.wide)
        center = self._column_sums(self.rows.new_zeros(dim))[0] / num
        rest, squares = self._column_sums(center.to(self.rows.dtype))
        return (squares - rest.square().sum() / num) / (dim * (num - 1))

    def _column_sums(self, origin: Tensor) -> tuple[Tensor, Tensor]:
        """Column sums (D,) of the rows around an origin (D,), and the sum () of all squares, in the wide type."""
        sums = torch.zeros_like(origin, dtype=self.wide)
        squares = sums.new_zeros(())
        for part in self.chunks(len(origin)):
            rows = self.rows[part] - origin
            sums += rows.new_ones(len(rows)) @ rows
            squares += torch.linalg.vector_norm(rows).square()
        return sums, squares

    def chunks(self, num_centers: int) -> Iterator[slice]:
        """Slices of rows such that a (rows, num_centers) temporary stays small."""
        step = self.chunk_size
        if step is None:
            elements = CPU_ELEMENTS if self.rows.device.type == 'cpu' else DEVICE_ELEMENTS
            step = max(MIN_ROWS, elements // max(num_centers, self.rows.shape[1], 1))
        for start in range(0, len(self.rows), step):
            yield slice(start, min(start + step, len(self.rows)))

    def assign(self, centers: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Nearest centre of every row for R sets of centres, reading the rows once.

        Args:
            centers: (R, K, D), wide type.

        Returns:
            labels (R, N) long, the first of equally near centres; sums (R, K, D) and counts (R, K) of the clusters,
            wide type.
        """
        runs, num_clusters, dim = centers.shape
        weight, bias = (part.to(self.rows.dtype).flatten(0, 1) for part in self.form(centers))
        labels = torch.empty(runs, len(self.rows), dtype=torch.long, device=self.rows.device)
        sums = torch.zeros(runs * num_clusters, dim, dtype=self.wide, device=self.rows.device)
        counts = torch.zeros(runs * num_clusters, dtype=self.wide, device=self.rows.device)
        first = torch.arange(runs, device=self.rows.device) * num_clusters
        for part in self.chunks(runs * num_clusters):
            score = torch.addmm(bias, self.rows[part], weight.t())
            label = score.view(-1, runs, num_clusters).argmax(dim=2)
            labels[:, part] = label.t()
            column = label + first
            sums += cluster_sums(self.rows[part], column, runs * num_clusters)
            counts.scatter_add_(0, column.flatten(), counts.new_ones(()).expand(column.numel()))
        return labels, sums.view(centers.shape), counts.view(runs, num_clusters)

    def inertia(self, centers: Tensor, sums: Tensor, counts: Tensor) -> Tensor:
        """Sum of distances of the rows to their centres.

        Args:
            centers: (R, K, D).
            sums: (R, K, D) of the rows assigned to them.
            counts: (R, K).

        Returns:
            (R,).
        """
        weight, bias = self.form(centers)
        near = (sums * weight).sum(dim=(1, 2)) + (counts * bias).sum(dim=1)
        return (self.base.sum(dtype=self.wide) - self.scale * near).clamp(min=0)


class CosineSpace(Space):
    """1 - cos. Centres are plain means of unit rows; an empty cluster has a zero centre, at distance 1 from all."""

    def _prepare(self) -> None:
        self.rows = F.normalize(self.rows, dim=1, eps=1e-12)
        self.base = self.rows.new_ones(len(self.rows))

    def form(self, centers: Tensor) -> tuple[Tensor, Tensor]:
        """Unit centres and no bias."""
        return F.normalize(centers, dim=-1, eps=1e-12), centers.new_zeros(centers.shape[:-1])

    def means(self, sums: Tensor, counts: Tensor, old: Tensor) -> Tensor:
        """Means; zero where a cluster is empty."""
        return sums / counts.clamp(min=1).unsqueeze(-1)

    def shift(self, old: Tensor, new: Tensor) -> Tensor:
        """Sum of 1 - cos; a centre that is or was zero counts 1."""
        return (1 - (self.form(old)[0] * self.form(new)[0]).sum(-1)).sum(-1)


class EuclideanSpace(Space):
    """Squared distance, in coordinates around the mean of the rows. An empty cluster keeps its centre."""
    scale = 2.0

    def _prepare(self) -> None:
        self.origin = self.rows.mean(dim=0) if len(self.rows) else self.rows.new_zeros(self.rows.shape[1])
        self.rows = self.rows - self.origin
        self.base = self.rows.square().sum(dim=1)

    def enter(self, centers: Tensor) -> Tensor:
        """Subtract the mean row."""
        return super().enter(centers) - self.origin

    def leave(self, centers: Tensor) -> Tensor:
        """Add the mean row."""
        return super().leave(centers + self.origin)

    def form(self, centers: Tensor) -> tuple[Tensor, Tensor]:
        """The centres, and minus half their squared norms."""
        return centers, -0.5 * centers.square().sum(dim=-1)

    def means(self, sums: Tensor, counts: Tensor, old: Tensor) -> Tensor:
        """Means; the old centre where a cluster is empty."""
        count = counts.unsqueeze(-1)
        return torch.where(count > 0, sums / count.clamp(min=1), old)

    def shift(self, old: Tensor, new: Tensor) -> Tensor:
        """Sum of squared movements."""
        return (new - old).square().sum(dim=(1, 2))


SPACES = {'cosine': CosineSpace, 'euclidean': EuclideanSpace}


def cluster_sums(rows: Tensor, column: Tensor, num_columns: int) -> Tensor:
    """Sum the rows of each cluster, for R labellings of the same rows.

    A one-hot matrix product on accelerators, where scatter-adds have no fixed order, and on a CPU with few clusters
    for its threads; else scatter-adds, whose cost does not grow with the number of clusters.

    Args:
        rows: (B, D).
        column: (B, R) long, the cluster of each row in each labelling, ids of different labellings disjoint.
        num_columns: R * K.

    Returns:
        (R * K, D), type of the rows.
    """
    runs = column.shape[1]
    if rows.device.type != 'cpu' or num_columns <= ONE_HOT_COLUMNS_PER_THREAD * runs * torch.get_num_threads():
        one_hot = rows.new_zeros(len(rows), num_columns).scatter_(1, column, 1)
        return one_hot.t() @ rows
    sums = rows.new_zeros(num_columns, rows.shape[1])
    for run in range(runs):
        sums.index_add_(0, column[:, run], rows)
    return sums
