"""Seconds of ACC + NMI + ARI + purity from one table of counts, against scikit-learn's NMI + ARI alone.

The two take turns in every round, on one thread, and the median counts. Tables that several holders of rows have
counted are added up too: the time after that, and of the matching alone.

    python tools/benchmarks/metrics.py --samples 60000 100000 1280000
"""
from __future__ import annotations

import argparse
import platform
import statistics
import time

import numpy as np
import sklearn
import torch
from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score
from threadpoolctl import threadpool_limits

from mmcluster.functional.clustering.match import contingency, hungarian
from mmcluster.functional.clustering.metrics import clustering_metrics, table_metrics


def make_labels(samples: int, classes: int, noise: float) -> tuple[np.ndarray, np.ndarray]:
    """Classes and clusters (N,) that agree up to a permutation except on a share of the rows."""
    rng = np.random.default_rng(0)
    target = rng.integers(classes, size=samples)
    pred = rng.permutation(classes)[target]
    wrong = rng.random(samples) < noise
    pred[wrong] = rng.integers(classes, size=int(wrong.sum()))
    return target, pred


def of_table(target: np.ndarray, pred: np.ndarray, clusters: int, shards: int, repeats: int) -> str:
    """Least milliseconds of one holder's table, of the metrics of their sum, and of the matching among these."""
    parts = list(zip(torch.from_numpy(target).chunk(shards), torch.from_numpy(pred).chunk(shards)))
    table = torch.stack([contingency(*part, clusters, clusters) for part in parts]).sum(0)
    assert table_metrics(table) == clustering_metrics(target, pred, ami=False)
    found = []
    for run in (lambda: contingency(*parts[0], clusters, clusters), lambda: table_metrics(table),
                lambda: hungarian(table)):
        spent = []
        for _ in range(repeats):
            start = time.perf_counter(), time.process_time()
            run()
            spent.append((1e3 * (time.perf_counter() - start[0]), 1e3 * (time.process_time() - start[1])))
        found.append('{:.2f} ms (processor {:.2f})'.format(*map(min, zip(*spent))))
    return f'{shards} holders, least times: a table {found[0]}, metrics of their sum {found[1]}, matching {found[2]}'


def main() -> None:
    """Time both sides for every size and print medians, the ratio and the largest difference of the values."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--samples', type=int, nargs='+', default=[60000, 100000, 1280000])
    parser.add_argument('--clusters', type=int, nargs='+', default=[10, 200, 1000], help='one for each size')
    parser.add_argument('--noise', type=float, default=0.3)
    parser.add_argument('--shards', type=int, default=4)
    parser.add_argument('--threads', type=int, default=1)
    parser.add_argument('--repeats', type=int, default=7)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    threadpool_limits(args.threads)
    print(f'{platform.platform()}, {platform.processor() or platform.machine()}, numpy {np.__version__}, '
          f'scikit-learn {sklearn.__version__}, {args.threads} threads, {args.repeats} rounds')
    for samples, clusters in zip(args.samples, args.clusters):
        target, pred = make_labels(samples, clusters, args.noise)
        own, other = [], []
        for _ in range(args.repeats):
            start = time.perf_counter()
            values = clustering_metrics(target, pred, ami=False)
            middle = time.perf_counter()
            reference = (normalized_mutual_info_score(target, pred), adjusted_rand_score(target, pred))
            other.append(time.perf_counter() - middle)
            own.append(middle - start)
        mine, theirs = statistics.median(own), statistics.median(other)
        error = max(abs(values['nmi'] - reference[0]), abs(values['ari'] - reference[1]))
        print(f'N {samples:8d}, K {clusters:5d}: mmcluster {1e3 * mine:8.2f} ms, scikit-learn {1e3 * theirs:8.2f} ms, '
              f'{theirs / mine:6.1f} x, largest difference {error:.1e}')
        print('  ' + of_table(target, pred, clusters, args.shards, args.repeats))


if __name__ == '__main__':
    main()
