"""What an E-step of k-means takes on W processes that keep their rows, and on one that gathers them: a model of parts.

The parts are measured apart, one thread each: processor time of a pass over a row and of a step of the seeding for a
row, and time of the sum of what a pass exchanges, of a small exchange, and of rows that are gathered. The model adds
them up; it knows no waiting for each other and no imbalance.

    python tools/benchmarks/estep_model.py
"""
from __future__ import annotations

import argparse
import json
import platform
import statistics
import tempfile
import time
from typing import Callable, NamedTuple

import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from shards import Problem, first_centers, make_rows

from mmcluster.functional.clustering.assign import assign
from mmcluster.functional.clustering.seeding import Space, num_trials, seed_restarts
from mmcluster.models.shards import process_shards

STEPS = 30          # of the seeding that are timed
TIMES = 20          # that an exchange is repeated


class Parts(NamedTuple):
    """Seconds.

    Attributes:
        row_pass: Of a row in a pass of one restart.
        row_seed: Of a row in a step of the seeding of one restart.
        sums: Of the sums and counts that a pass exchanges.
        small: Of a small exchange.
        gathered: Of a row that is gathered.
    """
    row_pass: float
    row_seed: float
    sums: float
    small: float
    gathered: float


def least(run: Callable[[], object], clock: Callable[[], float], times: int) -> float:
    """Shortest of some runs."""
    spent = []
    for _ in range(times):
        start = clock()
        run()
        spent.append(clock() - start)
    return min(spent)


def rows_of_one(problem: Problem) -> tuple[float, float]:
    """Processor seconds of a row in a pass, and in a step of the seeding."""
    torch.set_num_threads(1)
    rows, centers = make_rows(problem, range(problem.samples)), first_centers(problem)
    space = Space.of(rows, 'cosine')
    passed = least(lambda: assign(space, centers[None].double(), None), time.process_time, 4)
    uniforms = torch.rand(1, STEPS, num_trials(problem.clusters), dtype=torch.float64)
    seeded = least(lambda: seed_restarts(space, torch.zeros(1, dtype=torch.long), uniforms), time.process_time, 3)
    return passed / problem.samples, seeded / STEPS / problem.samples


def exchange(rank: int, count: int, problem: Problem, rows: int, folder: str) -> None:
    """Time the exchanges of several processes; the first one leaves seconds in a file."""
    torch.set_num_threads(1)
    dist.init_process_group('gloo', init_method=f'file://{folder}/group', rank=rank, world_size=count)
    shards = process_shards()
    sums = torch.zeros(problem.clusters, problem.dim + 1, dtype=torch.float64)
    candidates = torch.zeros(num_trials(problem.clusters), problem.dim, dtype=torch.float64)
    own, found = torch.zeros(rows, problem.dim), []
    for run in (lambda: shards.sum(sums), lambda: shards.sum(candidates), lambda: shards.gather(own)):
        run()
        dist.barrier()
        found.append(least(run, time.perf_counter, TIMES))
    if rank == 0:
        with open(f'{folder}/found.json', 'w', encoding='utf-8') as file:
            json.dump(found, file)
    dist.barrier()
    dist.destroy_process_group()


def measure(problem: Problem, count: int, rows: int) -> Parts:
    """All parts."""
    with tempfile.TemporaryDirectory() as folder:
        mp.start_processes(exchange, (count, problem, rows, folder), count, start_method='fork')
        with open(f'{folder}/found.json', encoding='utf-8') as file:
            sums, small, gathered = json.load(file)
    return Parts(*rows_of_one(problem), sums, small, gathered / (rows * count))


def model(parts: Parts, samples: int, clusters: int, count: int, restarts: int, iterations: int) -> tuple[float, float]:
    """Seconds of an E-step whose processes keep their rows, and of one whose first process gathers and computes."""
    work = samples * restarts * (clusters * parts.row_seed + (iterations + 1) * parts.row_pass)
    exchanges = 4 * clusters * parts.small + restarts * (iterations + 1) * parts.sums
    return work / count + exchanges, work + samples * parts.gathered


def main() -> None:
    """Measure the parts and print the model."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--samples', type=int, default=1_280_000)
    parser.add_argument('--dim', type=int, default=256)
    parser.add_argument('--clusters', type=int, default=1000)
    parser.add_argument('--processes', type=int, default=8)
    parser.add_argument('--restarts', type=int, default=1)
    parser.add_argument('--iterations', type=int, default=30)
    parser.add_argument('--timed', type=int, default=40_000, help='rows of a timed pass')
    parser.add_argument('--gathered', type=int, default=5000, help='rows a process that are gathered')
    parser.add_argument('--spread', type=float, default=2.0)
    args = parser.parse_args()
    problem = Problem(args.timed, args.dim, args.clusters, args.spread)
    print(f'{platform.platform()}, torch {torch.__version__}; {args}')
    rounds = [measure(problem, args.processes, args.gathered) for _ in range(2)]
    parts = Parts(*map(min, zip(*rounds)))
    spread = max(statistics.pstdev(pair) / statistics.mean(pair) for pair in zip(*rounds))
    for name, value in parts._asdict().items():
        print(f'{name:10s} {1e6 * value:12.4f} us')
    print(f'two rounds differ by {spread:.0%} at most')
    kept, gathered = model(parts, args.samples, args.clusters, args.processes, args.restarts, args.iterations)
    print(f'model, {args.processes} processes, {args.restarts} restarts of {args.iterations} iterations: rows kept '
          f'{kept:.1f} s, gathered {gathered:.1f} s, {gathered / kept:.2f} x')


if __name__ == '__main__':
    main()
