"""Start-up time and memory of the two-stream sampler over a run of 2^20 iterations.

python tools/benchmarks/sampler.py [--images 60000] [--labelled 64] [--unlabelled 448] [--iterations 2000]

The joint stage of SPICE draws 64 trusted and 448 arbitrary images a step. Timed are the construction with the pool of
trusted rows up to the first keys, and the jump of a resumed run to its last epoch; the targets are a second each.
Memory is what Python holds beyond the start after some iterations, the largest growth of it on the way, and the growth
of the process. For comparison, lists of all indices of a few iterations are made, timed, and scaled up to the run.
"""
from __future__ import annotations

import argparse
import itertools
import os
import platform
import random
import time
import tracemalloc
from typing import Iterator

import torch

from mmcluster.datasets import StreamSampler
from mmcluster.structures import Key

TARGET = 1.


def make_sampler(args: argparse.Namespace, length: int) -> StreamSampler:
    """A sampler of one process with published pools.

    Args:
        args: Command line.
        length: Iterations per epoch.
    """
    sampler = StreamSampler(range(args.images), dict(
        labelled=dict(size=args.labelled, pool='target', order='replace'),
        unlabelled=dict(size=args.unlabelled, order=args.order)), length=length, rank=0, world_size=1)
    sampler.set_pool('labelled', torch.arange(0, args.images, 6))
    return sampler


def start(args: argparse.Namespace, length: int, epoch: int) -> tuple[float, Iterator[list[Key]]]:
    """Seconds from nothing to the first keys of an epoch, and the iterator behind them.

    Args:
        args: Command line.
        length: Iterations per epoch.
        epoch: Number of the epoch.
    """
    begin = time.perf_counter()
    sampler = make_sampler(args, length)
    sampler.set_epoch(epoch)
    keys = iter(sampler)
    next(keys)
    return time.perf_counter() - begin, keys


def resident() -> int:
    """Bytes of the process in memory, 0 where the system does not tell."""
    if not os.path.exists('/proc/self/statm'):
        return 0
    with open('/proc/self/statm', encoding='utf-8') as file:
        return int(file.read().split()[1]) * os.sysconf('SC_PAGE_SIZE')


def growth(keys: Iterator[list[Key]], iterations: int) -> tuple[int, int, int]:
    """Bytes that Python holds more after some iterations, the most on the way, and the growth of the process.

    Args:
        keys: A sampler's iterator.
        iterations: How many to take.
    """
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    tracemalloc.reset_peak()
    process = resident()
    for _ in itertools.islice(keys, iterations):
        pass
    now, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return now - before, peak - before, resident() - process


def index_lists(args: argparse.Namespace, iterations: int) -> tuple[float, int]:
    """Seconds and bytes of the lists of all indices of some iterations.

    Args:
        args: Command line.
        iterations: How many.
    """
    tracemalloc.start()
    kept = [random.choices(range(args.images), k=size * iterations) for size in (args.labelled, args.unlabelled)]
    size = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    begin = time.perf_counter()
    kept = [random.choices(range(args.images), k=size * iterations) for size in (args.labelled, args.unlabelled)]
    seconds = time.perf_counter() - begin
    assert len(kept) == 2
    return seconds, size


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--images', type=int, default=60000)
    parser.add_argument('--labelled', type=int, default=64)
    parser.add_argument('--unlabelled', type=int, default=448)
    parser.add_argument('--order', choices=['permute', 'replace'], default='replace', help='of the unlabelled stream')
    parser.add_argument('--total', type=int, default=2**20, help='iterations of the run')
    parser.add_argument('--epochs', type=int, default=1024, help='in which they come')
    parser.add_argument('--iterations', type=int, default=2000, help='over which memory is watched')
    parser.add_argument('--repeats', type=int, default=3)
    args = parser.parse_args()
    length = args.total // args.epochs
    start(args, length, 0)
    firsts = [start(args, length, 0)[0] for _ in range(args.repeats)]
    lasts = [start(args, length, args.epochs - 1)[0] for _ in range(args.repeats)]
    one_epoch, keys = start(args, args.total, 0)
    print(f'{platform.platform()}, Python {platform.python_version()}, torch {torch.__version__}')
    print(f'N {args.images}, {args.labelled} + {args.unlabelled} rows a step, {args.total} iterations in '
          f'{args.epochs} epochs')
    print(f'from construction to the first keys {max(firsts):.4f} s, of the last epoch {max(lasts):.4f} s, of a run in '
          f'one epoch {one_epoch:.4f} s: longest of {args.repeats} (target {TARGET:g} s)')
    begin = time.perf_counter()
    for _ in itertools.islice(keys, args.iterations):
        pass
    each = (time.perf_counter() - begin) / args.iterations
    kept, most, process = growth(keys, args.iterations)
    print(f'{1e3 * each:.3f} ms an iteration; after {args.iterations} iterations Python holds {kept / 1024:.1f} KiB '
          f'more (at most {most / 1024:.1f} KiB on the way), the process {process / 2**20:.1f} MiB')
    some = max(1, args.iterations // 10)
    seconds, size = index_lists(args, some)
    print(f'lists of all indices, scaled from {some} iterations: {size / some * args.total / 2**30:.1f} GiB, '
          f'{seconds / some * args.total:.0f} s before the first keys, {seconds / some * args.total / max(firsts):.0f} '
          f'times as long')


if __name__ == '__main__':
    main()
