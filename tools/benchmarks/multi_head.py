"""Time ten cluster heads against ten times one head, and count what passes the backbone in an E-step.

python tools/benchmarks/multi_head.py [--rows 2000] [--dim 512] [--clusters 10] [--heads 10] [--rounds 7]

The work is one iteration of SPICE on rows that are features already: E-step, then one walk over its pairs with Adam.
Heads take turns with one head in every round and the median counts. The target is at most 1.3 of ten times one head.
Images pass a frozen backbone in evaluation mode twice, in the weak and the strong view, whatever the number of heads.
"""
from __future__ import annotations

import argparse
import platform
import statistics
import time
from typing import Any, Callable

import torch
from mmengine.registry import init_default_scope
from torch import Tensor, nn
from train_step import cpu_name

from mmcluster.models import SPICE
from mmcluster.structures import Batch

TARGET = 1.3


def make_spice(heads: int, args: argparse.Namespace) -> SPICE:
    """SPICE on feature rows; its backbone does nothing.

    Args:
        heads: H.
        args: Command line.
    """
    torch.manual_seed(0)
    head = dict(type='MLPClusterHead', in_channels=args.dim, num_clusters=args.clusters)
    model = SPICE(dict(type='MultiHead', num_heads=heads, head=head), backbone=nn.Identity(), batch_size=args.batch,
                  repeat=args.repeat, bank=dict(num_samples=args.rows))
    model.bank.fill(feat=torch.randn(args.rows, args.dim))
    return model.train()


def make_optimisation(model: SPICE, batch: Batch) -> Callable[[], None]:
    """One iteration: an E-step and the optimiser steps that follow.

    Args:
        model: SPICE, whose bank holds the features of the batch.
        batch: Two views of the rows of the E-step.
    """
    optimizer = torch.optim.Adam(model.head.parameters(), 0.005)

    def iteration() -> None:
        for arguments in model.steps([dict(batch=batch)]):
            optimizer.zero_grad()
            model.loss(**arguments)['loss_spice'].backward()
            optimizer.step()

    return iteration


def count_passes(model: nn.Module, iteration: Callable[[], None]) -> int:
    """Rows that pass ``model.backbone`` in an iteration.

    Args:
        model: A clusterer.
        iteration: Runs one iteration.
    """
    passed: list[int] = []

    def note(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        passed.append(len(inputs[0]))

    handle = model.backbone.register_forward_hook(note)
    iteration()
    handle.remove()
    return sum(passed)


def median_seconds(iterations: dict[Any, Callable[[], Any]], rounds: int,
                   clock: Callable[[], float] = time.perf_counter) -> dict[Any, float]:
    """Median seconds of each, which take turns; every second round goes backwards.

    Args:
        iterations: Name -> what is timed; it has run before.
        rounds: Times that each is timed.
        clock: Wall time unless said otherwise.
    """
    times: dict[Any, list[float]] = {name: [] for name in iterations}
    for number in range(rounds):
        for name in list(iterations)[::-1 if number % 2 else 1]:
            start = clock()
            iterations[name]()
            times[name].append(clock() - start)
    return {name: statistics.median(values) for name, values in times.items()}


def main() -> None:
    """Count, time and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--rows', type=int, default=2000, help='M, rows of an E-step')
    parser.add_argument('--dim', type=int, default=512)
    parser.add_argument('--clusters', type=int, default=10)
    parser.add_argument('--heads', type=int, default=10)
    parser.add_argument('--batch', type=int, default=128, help='pairs of a mini-batch, per head')
    parser.add_argument('--repeat', type=int, default=1, help='walks over the pairs')
    parser.add_argument('--rounds', type=int, default=7)
    parser.add_argument('--threads', type=int, default=torch.get_num_threads())
    args = parser.parse_args()
    init_default_scope('mmcluster')
    torch.set_num_threads(args.threads)
    models = {heads: make_spice(heads, args) for heads in (1, args.heads)}
    weak = torch.randn(args.rows, args.dim)
    batch = Batch([weak, weak + 0.1 * torch.randn_like(weak)], torch.arange(args.rows))
    iterations = {heads: make_optimisation(model, batch) for heads, model in models.items()}
    passes = {heads: count_passes(model, iterations[heads]) for heads, model in models.items()}
    seconds = median_seconds(iterations, args.rounds)
    print(f'{cpu_name()}, {args.threads} threads; torch {torch.__version__}, Python {platform.python_version()}')
    print(f'M {args.rows}, D {args.dim}, K {args.clusters}, mini-batches of {args.batch}, {args.repeat} walks, median '
          f'of {args.rounds} rounds')
    for heads in models:
        print(f'{heads:3d} heads: {1e3 * seconds[heads]:8.1f} ms an iteration; {passes[heads]} images pass the '
              f'backbone, {passes[heads] / args.rows:g} M')
    print(f'{args.heads} heads take {seconds[args.heads] / args.heads / seconds[1]:.2f} of {args.heads} times one head '
          f'(target: at most {TARGET})')


if __name__ == '__main__':
    main()
