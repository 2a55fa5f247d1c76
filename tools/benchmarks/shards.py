"""Seconds, memory and objective of one pass of k-means on 1, 2 and 4 processes, against scikit-learn and faiss.

Each side runs in processes of its own, one thread each, which make their rows themselves. A pass gives all rows to
their nearest centres and sums them by cluster. scikit-learn's pass is the one inside its Lloyd iteration, faiss' is one
iteration of spherical k-means. Processor time is that of all processes together: beside other work it is what counts.
Memory is what a process holds beyond what it held before its rows.

    python tools/benchmarks/shards.py                                       # 1,280,000 x 256, K = 1000: 3 GB
    python tools/benchmarks/shards.py --samples 40000 --repeats 3
"""
from __future__ import annotations

import argparse
import json
import os
import platform
import tempfile
import time
from typing import Callable, NamedTuple

import numpy as np
import torch
import torch.distributed as dist
import torch.multiprocessing as mp
import torch.nn.functional as F
from threadpoolctl import threadpool_limits
from torch import Tensor

from mmcluster.functional.clustering.assign import assign
from mmcluster.functional.clustering.seeding import Space
from mmcluster.models.shards import process_shards

PART = 10_000       # rows that are drawn at once, so that rows do not depend on who makes them


class Problem(NamedTuple):
    """N, D, K and the length of the noise against the signal."""
    samples: int
    dim: int
    clusters: int
    spread: float


def make_rows(problem: Problem, own: range) -> Tensor:
    """Unit rows (n, D) of a share, around K random directions."""
    middle = F.normalize(torch.randn(problem.clusters, problem.dim, generator=torch.Generator().manual_seed(0)), dim=1)
    rows = torch.empty(len(own), problem.dim)
    for part in range(own.start // PART, -(-own.stop // PART)):
        generator = torch.Generator().manual_seed(part + 1)
        owner = torch.randint(problem.clusters, (PART,), generator=generator)
        noise = torch.randn(PART, problem.dim, generator=generator).mul_(problem.spread / problem.dim ** 0.5)
        made = F.normalize(noise.add_(middle[owner]), dim=1)
        first, last = max(part * PART, own.start), min((part + 1) * PART, own.stop)
        rows[first - own.start:last - own.start] = made[first - part * PART:last - part * PART]
    return rows


def first_centers(problem: Problem) -> Tensor:
    """K rows of the data set (K, D), near the true directions and with their noise."""
    return make_rows(problem, range(min(PART, problem.samples)))[:problem.clusters]


def resident(field: str) -> int:
    """Memory of this process in bytes: now (``'VmRSS'``) or at its highest (``'VmHWM'``)."""
    with open('/proc/self/status', encoding='utf-8') as file:
        return next(int(line.split()[1]) * 1024 for line in file if line.startswith(f'{field}:'))


def own_pass(rows: Tensor, centers: Tensor) -> Callable[[], float]:
    """A pass of this project; returns the objective over all rows."""
    space = Space.of(rows, 'cosine', process_shards())
    return lambda: float(assign(space, centers[None].double(), None).inertia)


def sklearn_pass(rows: Tensor, centers: Tensor) -> Callable[[], float]:
    """A pass of scikit-learn's Lloyd iteration."""
    from sklearn.cluster._k_means_lloyd import lloyd_iter_chunked_dense
    x, c, k = rows.numpy(), F.normalize(centers, dim=1).numpy(), len(centers)
    label, weight = np.full(len(x), -1, np.int32), np.ones(len(x), np.float32)

    def run() -> float:
        """Assign and update."""
        with threadpool_limits(1):
            lloyd_iter_chunked_dense(x, weight, c, np.zeros_like(c), np.zeros(k, np.float32), label,
                                     np.zeros(k, np.float32), 1)
        return objective(rows, torch.from_numpy(c), torch.from_numpy(label))

    return run


def faiss_pass(rows: Tensor, centers: Tensor) -> Callable[[], float]:
    """An iteration of faiss; it returns the summed similarity to the centres that it was given."""
    import faiss
    faiss.omp_set_num_threads(1)
    x, c = rows.numpy(), F.normalize(centers, dim=1).numpy()

    def run() -> float:
        """Assign and update."""
        means = faiss.Kmeans(x.shape[1], len(c), niter=1, spherical=True, max_points_per_centroid=len(x),
                             min_points_per_centroid=1)
        means.train(x, init_centroids=c)
        return len(x) - float(means.iteration_stats[0]['obj'])

    return run


def objective(rows: Tensor, centers: Tensor, label: Tensor) -> float:
    """Summed 1 - cos of rows (N, D) to the unit centres (K, D) of their labels (N,)."""
    return sum(float((1 - (part * centers[own.long()]).sum(1).double()).sum())
               for part, own in zip(rows.split(PART), label.split(PART)))


SIDES = {'mmcluster': own_pass, 'scikit-learn': sklearn_pass, 'faiss': faiss_pass}


def work(rank: int, count: int, side: str, problem: Problem, repeats: int, folder: str) -> None:
    """Time one side in one of several processes; leave seconds, processor time, memory and objective in a file."""
    torch.set_num_threads(1)
    if count > 1:
        dist.init_process_group('gloo', init_method=f'file://{folder}/{side}{count}', rank=rank, world_size=count)
    before, own = resident('VmRSS'), process_shards().share(problem.samples)
    rows = make_rows(problem, own)
    run = SIDES[side](rows, first_centers(problem))
    best = [float('inf')] * 2
    for _ in range(repeats):
        start, busy = time.perf_counter(), time.process_time()
        value = run()
        spent = time.perf_counter() - start, time.process_time() - busy
        best = [min(pair) for pair in zip(best, spent)]
    with open(f'{folder}/{side}{count}_{rank}.json', 'w', encoding='utf-8') as file:
        json.dump([*best, resident('VmHWM') - before, value], file)
    if count > 1:
        dist.barrier()
        dist.destroy_process_group()


def measure(side: str, count: int, problem: Problem, repeats: int) -> list[float]:
    """Seconds, processor time of all processes, largest memory of one, objective."""
    with tempfile.TemporaryDirectory() as folder:
        # forked: what they import is there already
        mp.start_processes(work, (count, side, problem, repeats, folder), count, start_method='fork')
        found = []
        for rank in range(count):
            with open(f'{folder}/{side}{count}_{rank}.json', encoding='utf-8') as file:
                found.append(json.load(file))
    seconds, busy, memory, value = zip(*found)
    return [max(seconds), sum(busy), max(memory), value[0]]


def main() -> None:
    """Run all sides in turn and print them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--samples', type=int, default=1_280_000)
    parser.add_argument('--dim', type=int, default=256)
    parser.add_argument('--clusters', type=int, default=1000)
    parser.add_argument('--spread', type=float, nargs='+', default=[2.0], help='length of the noise against the signal')
    parser.add_argument('--processes', type=int, nargs='+', default=[1, 2, 4])
    parser.add_argument('--against', nargs='*', default=['scikit-learn', 'faiss'])
    parser.add_argument('--repeats', type=int, default=2)
    args = parser.parse_args()
    print(f'{platform.platform()}, torch {torch.__version__}, {os.cpu_count()} cores, one thread a process')
    for spread in args.spread:
        problem = Problem(args.samples, args.dim, args.clusters, spread)
        print(problem)
        own = 0.0
        for side, count in [('mmcluster', count) for count in args.processes] + [(side, 1) for side in args.against]:
            seconds, busy, memory, value = measure(side, count, problem, args.repeats)
            own = own or busy
            print(f'{side:13s} {count} processes: {seconds:7.2f} s, processor {busy:7.2f} s ({busy / own:.2f} x), '
                  f'memory of a process {memory / 1e9:.3f} GB, objective {value:.4f}', flush=True)


if __name__ == '__main__':
    main()
