"""Seconds and memory of exact neighbours on 1, 2 and 4 processes, whose rows travel round the ring.

Processes have one thread each and make their rows themselves. Processor time is that of all together: beside other work
it is what counts, and time on processors of their own is its W-th part. Memory is what a process holds beyond what it
held before its rows. Some rows of the first process are compared with all rows by products in float64.

    python tools/benchmarks/shard_neighbors.py --samples 25000 50000
    python tools/benchmarks/shard_neighbors.py --samples 200000 --queries 1000
"""
from __future__ import annotations

import argparse
import json
import os
import platform
import tempfile
import time
from typing import Optional

import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from shards import Problem, make_rows, resident
from torch import Tensor

from mmcluster.functional.clustering.neighbors import Neighbors, Search, exact, nearest
from mmcluster.models.shards import process_shards

LOOKED_AT = 50      # rows that are compared with all
CLUSTERS, SPREAD = 1000, 2.0


def worst(similarity: Tensor, problem: Problem, rows: Tensor) -> float:
    """Largest difference of similarities (M, k) of the first rows to those of exact neighbours in float64."""
    every = make_rows(problem, range(problem.samples)).double()
    scores = rows[:LOOKED_AT].double() @ every.T
    scores.diagonal().fill_(-torch.inf)
    exact = scores.topk(similarity.shape[1], dim=1).values
    return float((similarity[:LOOKED_AT] - exact).abs().max())


def some(queries: int) -> Search:
    """An exact search for the first rows alone; the others find nothing."""

    def search(rows: Tensor, among: Tensor, k: int, own: Optional[Tensor]) -> Neighbors:
        """Neighbours (n, k)."""
        found = exact(rows[:queries], among, k, None if own is None else own[:queries])
        nothing = Neighbors(rows.new_full((len(rows), k), -torch.inf), torch.zeros(len(rows), k, dtype=torch.long))
        for whole, part in zip(nothing, found):
            whole[:queries] = part
        return nothing

    return search


def work(rank: int, count: int, problem: Problem, k: int, queries: Optional[int], folder: str) -> None:
    """Mine in one of several processes; leave seconds, processor time, memory and the largest error in a file."""
    torch.set_num_threads(1)
    if count > 1:
        dist.init_process_group('gloo', init_method=f'file://{folder}/group', rank=rank, world_size=count)
    before, shards = resident('VmRSS'), process_shards()
    rows = make_rows(problem, shards.share(problem.samples))
    start, busy = time.perf_counter(), time.process_time()
    found = nearest(rows, k, include_self=False, shards=shards, search=None if queries is None else some(queries))
    spent = [time.perf_counter() - start, time.process_time() - busy, resident('VmHWM') - before]
    error = worst(found.similarity, problem, rows) if rank == 0 else 0.0
    with open(f'{folder}/{rank}.json', 'w', encoding='utf-8') as file:
        json.dump([*spent, error], file)
    if count > 1:
        dist.barrier()
        dist.destroy_process_group()


def main() -> None:
    """Run all sizes on all numbers of processes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--samples', type=int, nargs='+', default=[200_000])
    parser.add_argument('--dim', type=int, default=256)
    parser.add_argument('--k', type=int, default=20)
    parser.add_argument('--processes', type=int, nargs='+', default=[1, 2, 4])
    parser.add_argument('--queries', type=int, help='let only so many rows of each process look for neighbours')
    args = parser.parse_args()
    print(f'{platform.platform()}, torch {torch.__version__}, {os.cpu_count()} cores, one thread a process, '
          f'D {args.dim}, k {args.k}')
    for samples in args.samples:
        for count in args.processes:
            with tempfile.TemporaryDirectory() as folder:
                problem = Problem(samples, args.dim, CLUSTERS, SPREAD)
                mp.start_processes(work, (count, problem, args.k, args.queries, folder), count, start_method='fork')
                found = []
                for rank in range(count):
                    with open(f'{folder}/{rank}.json', encoding='utf-8') as file:
                        found.append(json.load(file))
            seconds, busy, memory, error = zip(*found)
            pairs = samples * min(count * (args.queries or samples), samples)
            print(f'N {samples}, {count} processes: {max(seconds):8.2f} s, processor {sum(busy):8.2f} s, '
                  f'{sum(busy) / pairs * 1e9:.3f} ns for each of {pairs:.1e} pairs, memory of a process '
                  f'{max(memory) / 1e9:.3f} GB, largest error {max(error):.1e}', flush=True)


if __name__ == '__main__':
    main()
