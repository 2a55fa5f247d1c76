"""Seconds and objective of k-means with restarts: this project, scikit-learn and a plain spherical k-means.

The plain side is what a straightforward tensor implementation does: restarts one after the other, rows normalised
again in every distance, centres by a one-hot product over all rows, greedy k-means++ over all rows. The sides take
turns in every round and the median counts, so that other load on the machine falls on all of them; processor time
tells what a busy machine hides. The objective is the summed 1 - cos of unit rows to the mean of their cluster,
computed from the labels in the same way for all.

    python tools/benchmarks/kmeans.py --samples 60000 --dim 512 --clusters 10
"""
from __future__ import annotations

import argparse
import os
import platform
import statistics
import time
from typing import Callable

import sklearn
import torch
import torch.nn.functional as F
from sklearn.cluster import KMeans
from threadpoolctl import threadpool_limits
from torch import Tensor

from mmcluster.functional.clustering.kmeans import kmeans
from mmcluster.functional.clustering.seeding import num_trials

OWN = 'mmcluster cosine'


def make_rows(samples: int, dim: int, clusters: int, spread: float) -> Tensor:
    """Unit rows (N, D) around K random directions; ``spread`` is the length of the noise against the signal."""
    generator = torch.Generator().manual_seed(0)
    middle = F.normalize(torch.randn(clusters, dim, generator=generator), dim=1)
    owner = torch.randint(clusters, (samples,), generator=generator)
    noise = torch.randn(samples, dim, generator=generator) * spread / dim ** 0.5
    return F.normalize(middle[owner] + noise, dim=1)


def objective(x: Tensor, label: Tensor) -> float:
    """Summed 1 - cos of unit rows x (N, D) to the mean of their cluster (N,)."""
    x = x.double()
    sums = torch.zeros(int(label.max()) + 1, x.shape[1], dtype=x.dtype).index_add_(0, label.long(), x)
    return float(len(x) - sums.norm(dim=1).sum())


def cosine_distance(x: Tensor, centers: Tensor) -> Tensor:
    """1 - cos of rows (N, D) to centres (K, D) -> (N, K), both normalised on the spot."""
    return 1 - F.normalize(x, dim=1) @ F.normalize(centers, dim=1).T


def plain_seeds(x: Tensor, clusters: int, generator: torch.Generator) -> Tensor:
    """Greedy k-means++ for one restart -> (K, D)."""
    chosen = torch.randint(len(x), (1,), generator=generator)
    closest = cosine_distance(x, x[chosen])[:, 0].clamp(min=0)
    for _ in range(1, clusters):
        draw = torch.rand(num_trials(clusters), generator=generator, dtype=torch.float64)
        mass = closest.double().cumsum(0)
        candidate = torch.searchsorted(mass, draw * mass[-1]).clamp(max=len(x) - 1)
        distance = torch.minimum(cosine_distance(x, x[candidate]).clamp(min=0), closest[:, None])
        best = distance.sum(0).argmin()
        closest = distance[:, best]
        chosen = torch.cat([chosen, candidate[best][None]])
    return x[chosen]


def plain_kmeans(x: Tensor, clusters: int, n_init: int, max_iter: int = 300, tol: float = 1e-4) -> Tensor:
    """The plain side: labels (N,) of the best restart."""
    generator = torch.Generator().manual_seed(0)
    limit = tol * float(x.var(0).mean())
    best_inertia, best_label = float('inf'), torch.zeros(len(x), dtype=torch.long)
    for _ in range(n_init):
        centers = plain_seeds(x, clusters, generator)
        previous = None
        for _ in range(max_iter):
            nearest = cosine_distance(x, centers).min(1)
            inertia = float(nearest.values.sum())
            if inertia < best_inertia:
                best_inertia, best_label = inertia, nearest.indices
            if previous is not None and torch.equal(nearest.indices, previous):
                break
            previous = nearest.indices
            member = F.one_hot(previous, clusters).to(x.dtype)
            moved = member.T @ x / member.sum(0).clamp(min=1)[:, None]
            shift = float((1 - F.cosine_similarity(centers, moved)).sum())
            centers = moved
            if shift <= limit:
                break
    return best_label


def main() -> None:
    """Time the sides in turns and print medians and ratios."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--samples', type=int, default=60000)
    parser.add_argument('--dim', type=int, default=512)
    parser.add_argument('--clusters', type=int, default=10)
    parser.add_argument('--n-init', type=int, default=10)
    parser.add_argument('--spread', type=float, default=2.0, help='length of the noise against the signal')
    parser.add_argument('--threads', type=int, default=os.cpu_count())
    parser.add_argument('--repeats', type=int, default=3)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    threadpool_limits(args.threads)
    x = make_rows(args.samples, args.dim, args.clusters, args.spread)
    array = x.numpy()
    sides: dict[str, Callable[[], Tensor]] = {
        OWN: lambda: kmeans(x, args.clusters, args.n_init).labels,
        'mmcluster euclidean': lambda: kmeans(x, args.clusters, args.n_init, metric='euclidean').labels,
        'scikit-learn': lambda: torch.from_numpy(
            KMeans(args.clusters, n_init=args.n_init, random_state=0).fit(array).labels_),
        'plain spherical': lambda: plain_kmeans(x, args.clusters, args.n_init),
    }
    print(f'{platform.platform()}, {platform.processor() or platform.machine()}, torch {torch.__version__}, '
          f'scikit-learn {sklearn.__version__}, {args.threads} threads')
    print(f'N {args.samples}, D {args.dim}, K {args.clusters}, {args.n_init} restarts, spread {args.spread}, '
          f'{args.repeats} rounds')
    wall: dict[str, list[float]] = {name: [] for name in sides}
    work: dict[str, list[float]] = {name: [] for name in sides}
    labels = {}
    for _ in range(args.repeats):
        for name, side in sides.items():
            start = time.perf_counter(), time.process_time()
            labels[name] = side()
            wall[name].append(time.perf_counter() - start[0])
            work[name].append(time.process_time() - start[1])
    elapsed, busy = ({name: statistics.median(values) for name, values in times.items()} for times in (wall, work))
    for name in sides:
        print(f'{name:20s} {elapsed[name]:8.3f} s, {elapsed[name] / elapsed[OWN]:5.2f} x; processor '
              f'{busy[name]:8.3f} s, {busy[name] / busy[OWN]:5.2f} x; objective {objective(x, labels[name]):.4f}')
    print(f'x: the time of {OWN}')


if __name__ == '__main__':
    main()
