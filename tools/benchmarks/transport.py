"""Time what ASD computes beside the network: Sinkhorn's sweeps against POT, PAM against PAM that tries every swap.

python tools/benchmarks/transport.py [--classes 240] [--clusters 60] [--threads 1] [--rounds 5]

Sinkhorn aligns a random batch with random anchors of the same clusters, both half-rectified features. Its sweeps, in
tens, are the fewest whose labels differ by at most 1e-3 from converged ones, plain and over-relaxed, which is the
default from 50 classes on; POT's `sinkhorn` gets as many as the plain side. PAM clusters the transitions of planted
groups; the plain side computes the objective of every swap anew. The sides take turns, the median counts. Targets on
one core: 5 ms for Sinkhorn, 50 ms for PAM.
"""
from __future__ import annotations

import argparse
import platform
import warnings
from typing import Callable, NamedTuple

import numpy as np
import ot
import torch
from multi_head import median_seconds
from torch import Tensor
from train_step import cpu_name

from mmcluster.functional.clustering.kmedoids import KMedoids, assign_to_medoids, pam
from mmcluster.functional.labels.instance import MANY_RELAX, anchor_cost, regularisation
from mmcluster.functional.labels.sinkhorn import sinkhorn
from mmcluster.functional.labels.transition import dissimilarity, transition_similarity

LABEL_ERROR = 1e-3
SINKHORN_MS, PAM_MS = 5., 50.
MOST_SWEEPS = 40_000
REGULARISATIONS = (('absolute', 0.05), ('relative', 0.2), ('relative', 0.5))


class Problem(NamedTuple):
    """One alignment.

    Attributes:
        cost: (M, M).
        reg: Weight of the entropy.
        relax: Over-relaxation.
        sweeps: How many lead to the wanted labels.
        error: Largest difference of their labels from converged ones.
        default_error: The same of 100 sweeps.
    """
    cost: Tensor
    reg: float
    relax: float
    sweeps: int
    error: float
    default_error: float


def make_cost(classes: int, clusters: int, spread: float) -> Tensor:
    """Costs (M, M) of random rows against random anchors; ``spread`` is the noise against the cluster's direction."""
    generator = torch.Generator().manual_seed(0)
    middle = torch.randn(clusters, 512, generator=generator)
    batch, anchor = ((middle[torch.randint(clusters, (classes,), generator=generator)]
                      + spread * torch.randn(classes, 512, generator=generator)).relu() for _ in range(2))
    return anchor_cost(batch, anchor)


def solve(cost: Tensor, mode: str, factor: float, relax: float = 1.) -> Problem:
    """Find the sweeps that a problem needs."""
    reg = float(regularisation(cost, factor, mode))
    exact = sinkhorn(cost, reg, sweeps=MOST_SWEEPS, tol=1e-8).label

    def error(sweeps: int) -> float:
        return float((sinkhorn(cost, reg, sweeps=sweeps, relax=relax).label - exact).abs().max())

    low, high = 0, 1
    while error(10 * high) > LABEL_ERROR and 10 * high < MOST_SWEEPS:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if error(10 * middle) <= LABEL_ERROR else (middle, high)
    return Problem(cost, reg, relax, 10 * high, error(10 * high), error(100))


def time_sinkhorn(args: argparse.Namespace, spread: float, mode: str, factor: float) -> None:
    """Print three lines for one kind of features and one regularisation."""
    problem, relaxed = (solve(make_cost(args.classes, args.clusters, spread), mode, factor, relax)
                        for relax in (1., MANY_RELAX))
    mass, array = np.full(args.classes, 1 / args.classes), problem.cost.numpy()
    options = dict(reg=problem.reg, numItermax=problem.sweeps, stopThr=0.)

    def timed(one: Problem, sweeps: int) -> Callable[[], object]:
        return lambda: sinkhorn(one.cost, one.reg, sweeps=sweeps, relax=one.relax)

    with warnings.catch_warnings():
        warnings.simplefilter('ignore')                 # POT says that it stopped early
        seconds = median_seconds({
            'plain': timed(problem, problem.sweeps), 'plain 100': timed(problem, 100),
            'relaxed': timed(relaxed, relaxed.sweeps), 'relaxed 100': timed(relaxed, 100),
            'POT': lambda: ot.sinkhorn(mass, mass, array, **options)}, args.rounds)
    times = {name: 1e3 * value for name, value in seconds.items()}
    print(f'Sinkhorn, noise {spread:3.1f}, {mode} {factor:4.2f} = {problem.reg:.4f}; POT {times["POT"]:.2f} ms, '
          f'{times["POT"] / times["plain"]:.1f} x plain, {times["POT"] / times["relaxed"]:.1f} x relaxed')
    for name, one in (('plain', problem), ('relaxed', relaxed)):
        print(f'  {name:7}: {one.sweeps:5d} sweeps, label error {one.error:.1e}, {times[name]:6.2f} ms (target '
              f'{SINKHORN_MS:g}); 100 sweeps {times[name + " 100"]:5.2f} ms, label error {one.default_error:.1e}')


def make_transitions(classes: int, clusters: int, inside: float) -> np.ndarray:
    """Dissimilarities (M, M) of 50,000 transitions, a share of which stays in groups of equal size."""
    rng = np.random.default_rng(0)
    group = rng.permutation(np.arange(classes) % clusters)
    same = (group[:, None] == group) & ~np.eye(classes, dtype=bool)
    rate = np.where(same, inside / same.sum(), (1 - inside) / (~same).sum())
    counts = rng.poisson(50_000 * rate)
    np.fill_diagonal(counts, 0)
    return dissimilarity(transition_similarity(torch.from_numpy(counts))).numpy()


def plain_pam(far: np.ndarray, clusters: int) -> KMedoids:
    """PAM as written down: every addition and every swap by its objective."""
    medoids: list[int] = []
    others = list(range(len(far)))
    for _ in range(clusters):
        medoids.append(min((m for m in others if m not in medoids),
                           key=lambda m: float(far[:, [*medoids, m]].min(axis=1).sum())))
    best = float(far[:, medoids].min(axis=1).sum())
    while True:
        trials = [(float(far[:, [*medoids[:i], m, *medoids[i + 1:]]].min(axis=1).sum()), i, m)
                  for i in range(clusters) for m in others if m not in medoids]
        value, i, m = min(trials)
        if value >= best - 1e-9:
            return assign_to_medoids(far, np.array(medoids))
        medoids[i], best = m, value


def time_pam(args: argparse.Namespace, inside: float) -> None:
    """Print one line for one share of transitions inside the groups."""
    far = make_transitions(args.classes, args.clusters, inside)
    found: dict[str, KMedoids] = {}

    def keep(name: str, result: KMedoids) -> None:
        found[name] = result

    sides = {'own': lambda: keep('own', pam(far, args.clusters)),
             'one start': lambda: keep('one start', pam(far, args.clusters, 1))}
    seconds = median_seconds(sides, args.rounds)
    seconds.update(median_seconds({'plain': lambda: keep('plain', plain_pam(far, args.clusters))}, 1))
    print(f'PAM, {inside:.0%} inside: {1e3 * seconds["own"]:6.2f} ms with four starts (target {PAM_MS:g}), '
          f'{1e3 * seconds["one start"]:5.2f} ms with one, plain {seconds["plain"] / seconds["one start"]:.0f} x; '
          f'objectives {found["own"].objective:.4f}, {found["one start"].objective:.4f}, '
          f'{found["plain"].objective:.4f}')


def main() -> None:
    """Time both and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--classes', type=int, default=240, help='M, instance classes')
    parser.add_argument('--clusters', type=int, default=60)
    parser.add_argument('--rounds', type=int, default=5)
    parser.add_argument('--threads', type=int, default=1)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    print(f'{cpu_name()}, {args.threads} threads; torch {torch.__version__}, numpy {np.__version__}, POT '
          f'{ot.__version__}, Python {platform.python_version()}')
    print(f'M {args.classes}, K {args.clusters}, median of {args.rounds} rounds')
    for spread in (0.3, 0.8, 1.5):
        for mode, factor in REGULARISATIONS:
            time_sinkhorn(args, spread, mode, factor)
    for inside in (0.8, 0.2):
        time_pam(args, inside)


if __name__ == '__main__':
    main()
