"""k-means with restarts: time and objective against scikit-learn and against a plain torch implementation.

    python tools/benchmarks/kmeans.py                       # 60,000 x 512, K = 10 and 60,000 x 256, K = 20
    python tools/benchmarks/kmeans.py --samples 2000 --repeats 1

Every method clusters the same unit rows with the same number of restarts. Objectives are computed from the labels in
one way for all, in float64: the sum of squared distances to the cluster means (euclidean), or the sum of 1 - cos to
their directions (cosine). Ratios above 1 mean that mmcluster is faster.
"""
from __future__ import annotations

import argparse
import math
import platform
import time
from typing import Callable

import numpy as np
import sklearn
import torch
import torch.nn.functional as F
from sklearn.cluster import KMeans
from threadpoolctl import threadpool_limits
from torch import Tensor

from mmcluster.functional.kmeans import kmeans


def mixture(samples: int, dim: int, clusters: int, seed: int) -> Tensor:
    """Unit rows of overlapping classes: unequal sizes, a shared low-rank spread that decays by a power law, noise.

    Returns:
        (N, D) float32.
    """
    rng = np.random.default_rng(seed)
    share = rng.dirichlet(np.full(clusters, 8.0))
    label = rng.choice(clusters, samples, p=share)
    basis = np.linalg.qr(rng.standard_normal((dim, min(dim, 64))))[0].astype(np.float32)
    spectrum = np.arange(1, basis.shape[1] + 1, dtype=np.float32) ** -0.5
    means = rng.standard_normal((clusters, basis.shape[1])) * spectrum * 1.2
    latent = means[label] + rng.standard_normal((samples, basis.shape[1])) * spectrum
    x = latent.astype(np.float32) @ basis.T + 0.03 * rng.standard_normal((samples, dim), dtype=np.float32)
    return F.normalize(torch.from_numpy(x), dim=1)


def objective(x: Tensor, labels: Tensor, clusters: int, metric: str) -> float:
    """Objective of a labelling, see the module's docstring."""
    x = x.double()
    one_hot = F.one_hot(labels.long(), clusters).double()
    sums, counts = one_hot.t() @ x, one_hot.sum(0)
    if metric == 'cosine':
        return float(len(x) - sums.norm(dim=1).sum())
    return float(x.square().sum() - (sums.square().sum(1) / counts.clamp(min=1)).sum())


def plain_distance(a: Tensor, b: Tensor) -> Tensor:
    """1 - cos (N, K) of rows (N, D) and (K, D), both normalised anew."""
    return 1 - F.normalize(a, dim=1) @ F.normalize(b, dim=1).t()


def plain_seeds(x: Tensor, clusters: int) -> Tensor:
    """Greedy k-means++ of one restart: (K, D)."""
    trials = 2 + int(math.log(clusters))
    seeds = x[torch.randint(len(x), (1,))]
    near = plain_distance(x, seeds)[:, 0].clamp(min=0)
    for _ in range(clusters - 1):
        cumulative = near.double().cumsum(0)
        picks = torch.searchsorted(cumulative, torch.rand(trials).double() * cumulative[-1]).clamp(max=len(x) - 1)
        distance = torch.minimum(plain_distance(x, x[picks]).clamp(min=0), near[:, None])
        best = distance.sum(0).argmin()
        near = distance[:, best]
        seeds = torch.cat([seeds, x[picks[best]][None]])
    return seeds


def plain_kmeans(x: Tensor, clusters: int, n_init: int, seed: int) -> Tensor:
    """Spherical k-means as public torch packages write it: restart after restart, one-hot means. Labels (N,)."""
    torch.manual_seed(seed)
    best, best_labels = math.inf, None
    tol = 1e-4 * F.normalize(x, dim=1).var(dim=0).mean()
    for _ in range(n_init):
        centers = plain_seeds(x, clusters)
        labels = plain_distance(x, centers).argmin(1)
        for _ in range(300):
            one_hot = F.one_hot(labels, clusters).to(x.dtype)
            new = (one_hot.t() @ F.normalize(x, dim=1)) / one_hot.sum(0).clamp(min=1)[:, None]
            distance, new_labels = plain_distance(x, new).min(1)
            inertia = float(distance.sum())
            if inertia < best:
                best, best_labels = inertia, new_labels
            shift = (1 - F.cosine_similarity(new, centers)).sum()
            same = torch.equal(new_labels, labels)
            labels, centers = new_labels, new
            if same or shift <= tol:
                break
    return best_labels


def methods(x: Tensor, clusters: int, n_init: int, seed: int) -> dict[str, tuple[str, Callable[[], Tensor]]]:
    """Name -> (metric, function that returns labels (N,))."""
    array = x.numpy()
    return {
        'mmcluster euclidean': ('euclidean', lambda: kmeans(x, clusters, n_init, metric='euclidean', seed=seed).labels),
        'scikit-learn': ('euclidean', lambda: torch.from_numpy(
            KMeans(clusters, n_init=n_init, random_state=seed).fit(array).labels_)),
        'mmcluster cosine': ('cosine', lambda: kmeans(x, clusters, n_init, seed=seed).labels),
        'plain torch cosine': ('cosine', lambda: plain_kmeans(x, clusters, n_init, seed)),
    }


def measure(samples: int, dim: int, clusters: int, args: argparse.Namespace) -> None:
    """Run every method in turn, `repeats` times with different seeds, and print a table."""
    x = mixture(samples, dim, clusters, args.seed)
    seconds: dict[str, list[float]] = {}
    labels: dict[str, list[Tensor]] = {}
    for repeat in range(args.repeats):
        for name, (_, run) in methods(x, clusters, args.restarts, args.seed + repeat).items():
            start = time.perf_counter()
            labels.setdefault(name, []).append(run())
            seconds.setdefault(name, []).append(time.perf_counter() - start)
    print(f'\n{samples} x {dim}, K = {clusters}, {args.restarts} restarts, best of {args.repeats} times; '
          f'objective: mean over the repeats')
    print(f'{"method":<20} {"seconds":>8} {"euclidean":>12} {"cosine":>12} {"ratio e":>8} {"ratio c":>8}')
    best = {name: min(values) for name, values in seconds.items()}
    for name, (_, _run) in methods(x, clusters, args.restarts, args.seed).items():
        value = [np.mean([objective(x, part, clusters, metric) for part in labels[name]])
                 for metric in ('euclidean', 'cosine')]
        print(f'{name:<20} {best[name]:8.2f} {value[0]:12.2f} {value[1]:12.2f} '
              f'{best[name] / best["mmcluster euclidean"]:8.2f} {best[name] / best["mmcluster cosine"]:8.2f}')


def main() -> None:
    """Parse the command line and measure both shapes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--samples', type=int, default=60_000)
    parser.add_argument('--shapes', nargs='+', default=['512x10', '256x20'], help='dimension x clusters')
    parser.add_argument('--restarts', type=int, default=10)
    parser.add_argument('--repeats', type=int, default=3)
    parser.add_argument('--threads', type=int, default=2)
    parser.add_argument('--seed', type=int, default=0)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    print(f'{platform.machine()} {platform.processor()}, {args.threads} threads, Python {platform.python_version()}, '
          f'torch {torch.__version__}, scikit-learn {sklearn.__version__}, numpy {np.__version__}')
    with threadpool_limits(args.threads):
        for shape in args.shapes:
            dim, clusters = (int(part) for part in shape.split('x'))
            measure(args.samples, dim, clusters, args)


if __name__ == '__main__':
    main()
