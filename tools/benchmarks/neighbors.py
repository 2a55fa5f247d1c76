"""Seconds and peak extra memory of local consistency and of neighbour mining, against the whole matrix and one top-k.

The naive side is the textbook line: all N x N similarities at once, then the k largest of every row. Every run has a
process of its own, which makes the features, warms up, and then measures how far its resident memory rises above what
it held before the call, result included (Linux; the kernel's high-water mark, reset before the call). The sides take
turns and the median counts. The naive side is left out when the free memory does not hold its matrix.

    python tools/benchmarks/neighbors.py --num-samples 10000
"""
from __future__ import annotations

import argparse
import multiprocessing
import os
import platform
import statistics
import time
from typing import Callable, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from mmcluster.functional.clustering.neighbors import local_consistency, nearest

CLUSTERS = 10
WARM_ROWS = 512


class Run(NamedTuple):
    """What one process measured.

    Attributes:
        seconds: Wall-clock time of the call.
        busy: Processor time of the call.
        extra: Bytes by which resident memory rose above the level before the call.
        result: (N,) counts, or similarities of the last neighbour; equal results mean equal neighbours.
    """
    seconds: float
    busy: float
    extra: int
    result: list[float]


def make_rows(samples: int, dim: int) -> tuple[Tensor, Tensor]:
    """Unit rows (N, D) around ten directions, and labels (N,) of which one in ten is wrong."""
    generator = torch.Generator().manual_seed(0)
    middle = torch.randn(CLUSTERS, dim, generator=generator)
    owner = torch.randint(CLUSTERS, (samples,), generator=generator)
    rows = torch.randn(samples, dim, generator=generator).mul_(2)
    for cluster in range(CLUSTERS):
        rows[owner == cluster] += middle[cluster]
    wrong = torch.rand(samples, generator=generator) < .1
    label = torch.where(wrong, torch.randint(CLUSTERS, (samples,), generator=generator), owner)
    return F.normalize(rows, dim=1, out=rows), label


def naive_consistency(rows: Tensor, label: Tensor, k: int) -> Tensor:
    """Counts (N,) from the whole matrix of rows (N, D)."""
    index = (rows @ rows.t()).topk(k, dim=1).indices
    return (label[index] == label[:, None]).sum(dim=1)


def naive_mining(rows: Tensor, label: Tensor, k: int) -> Tensor:
    """Similarity (N,) of the k-th neighbour from the whole matrix of rows (N, D)."""
    return (rows @ rows.t()).topk(k, dim=1).values[:, -1]


def own_mining(rows: Tensor, label: Tensor, k: int) -> Tensor:
    """Similarity (N,) of the k-th neighbour from chunks of rows (N, D)."""
    return nearest(rows, k).similarity[:, -1]


TASKS: dict[str, dict[str, Callable[[Tensor, Tensor, int], Tensor]]] = {
    'local consistency': dict(mmcluster=local_consistency, naive=naive_consistency),
    'neighbour mining': dict(mmcluster=own_mining, naive=naive_mining),
}


def resident(field: str) -> int:
    """Resident memory of this process in bytes: now (``'VmRSS'``) or at its highest (``'VmHWM'``)."""
    with open('/proc/self/status', encoding='utf-8') as file:
        return next(int(line.split()[1]) * 1024 for line in file if line.startswith(f'{field}:'))


def free_memory() -> int:
    """Bytes that a new process can have."""
    with open('/proc/meminfo', encoding='utf-8') as file:
        return next(int(line.split()[1]) * 1024 for line in file if line.startswith('MemAvailable:'))


def measure(task: str, side: str, k: int, args: argparse.Namespace) -> Run:
    """Run one side of a task in this process."""
    torch.set_num_threads(args.threads)
    rows, label = make_rows(args.num_samples, args.dim)
    call = TASKS[task][side]
    call(rows[:WARM_ROWS], label[:WARM_ROWS], min(k, WARM_ROWS))
    with open('/proc/self/clear_refs', 'w', encoding='utf-8') as file:
        file.write('5')                                             # the high-water mark starts again from here
    before, start, busy = resident('VmRSS'), time.perf_counter(), time.process_time()
    result = call(rows, label, k)
    seconds, busy = time.perf_counter() - start, time.process_time() - busy
    return Run(seconds, busy, resident('VmHWM') - before, result.tolist())


def report(task: str, runs: dict[str, list[Run]]) -> None:
    """Print medians of all sides of a task and the ratios to the naive one."""
    middle = {side: Run(*(statistics.median(getattr(run, name) for run in taken) for name in Run._fields[:3]), [])
              for side, taken in runs.items()}
    for side, run in middle.items():
        print(f'{task:18s} {side:10s} {run.seconds:8.2f} s, processor {run.busy:8.2f} s, '
              f'peak extra memory {run.extra / 1e9:7.3f} GB')
    if 'naive' in runs:
        own, naive = middle['mmcluster'], middle['naive']
        pairs = list(zip(runs['mmcluster'][0].result, runs['naive'][0].result))
        same = sum(abs(a - b) < 1e-5 for a, b in pairs) / len(pairs)
        print(f'{task:18s} time ratio naive / mmcluster {naive.seconds / own.seconds:.2f} (processor '
              f'{naive.busy / own.busy:.2f}), memory ratio {naive.extra / max(own.extra, 1):.1f}, '
              f'equal results in {100 * same:.2f} % of the rows')


def main() -> None:
    """Run both sides of both tasks in turn and print medians and ratios."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--num-samples', type=int, default=60000)
    parser.add_argument('--dim', type=int, default=512)
    parser.add_argument('--consistency-k', type=int, default=100, help='rows that local consistency asks, itself too')
    parser.add_argument('--mining-k', type=int, default=21, help='neighbours that mining keeps, itself too')
    parser.add_argument('--threads', type=int, default=os.cpu_count())
    parser.add_argument('--repeats', type=int, default=3)
    args = parser.parse_args()
    matrix = 4 * args.num_samples ** 2
    fits = matrix + 2 * 10 ** 9 < free_memory()
    print(f'{platform.platform()}, {platform.processor() or platform.machine()}, torch {torch.__version__}, '
          f'{args.threads} threads')
    print(f'N {args.num_samples}, D {args.dim}, whole matrix {matrix / 1e9:.1f} GB'
          + ('' if fits else ': it does not fit, so the naive side is left out') + f', {args.repeats} rounds')
    context = multiprocessing.get_context('spawn')
    for (task, sides), k in zip(TASKS.items(), (args.consistency_k, args.mining_k)):
        runs: dict[str, list[Run]] = {side: [] for side in sides if fits or side != 'naive'}
        for _ in range(args.repeats):
            for side, taken in runs.items():
                with context.Pool(1) as pool:
                    taken.append(pool.apply(measure, (task, side, k, args)))
        report(task, runs)


if __name__ == '__main__':
    main()
