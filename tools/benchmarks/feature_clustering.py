"""Time and peak memory of clustering features, on made-up ones: K given, K from a range, and very many rows.

    python tools/benchmarks/feature_clustering.py                  # all cases, each in a process of its own
    python tools/benchmarks/feature_clustering.py given map        # some of them
"""
from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import time

import numpy as np

# name -> (rows, width, n_clusters, method, bound of seconds, bound of GB)
CASES = {
    'given': (10_000, 1280, 10, 'auto', 20, None),
    'scan': (10_000, 1280, 10, 'scan', None, None),
    'temi': (10_000, 1280, 10, 'temi', None, None),
    'range': (10_000, 1280, (2, 60), 'auto', 180, None),
    'million': (1_000_000, 256, 100, 'auto', None, 6),
}
MAP_ROWS, MAP_SECONDS = 20_000, 20


def made_up(rows: int, width: int, groups: int = 40) -> np.ndarray:
    """Overlapping groups with a decaying spectrum, (rows, width) float32, made block by block."""
    random = np.random.default_rng(0)
    spectrum = (np.arange(1, width + 1) ** -0.7).astype(np.float32)
    centers = random.standard_normal((groups, width), np.float32) * 1.2
    x = np.empty((rows, width), np.float32)
    for start in range(0, rows, 20_000):
        part = x[start:start + 20_000]
        random.standard_normal(out=part, dtype=np.float32)
        part += centers[random.integers(groups, size=len(part))]
        part *= spectrum
    return x


def run(name: str) -> None:
    """Run one case and print a line."""
    if name == 'map':
        from mmcluster.functional.clustering.layout import map_layout
        x = made_up(MAP_ROWS, 64)
        start = time.perf_counter()
        map_layout(x)
        report(name, f'{MAP_ROWS} x 64', time.perf_counter() - start, MAP_SECONDS, None)
        return
    from mmcluster.apis.features_clusterer import FeatureClusterer
    rows, width, count, method, seconds, memory = CASES[name]
    x = made_up(rows, width)
    start = time.perf_counter()
    model = FeatureClusterer(count, method).fit(x)
    what = (f'{rows} x {width}, K {count}, {model.method_}: {model.n_clusters_} clusters in {model.reduced_.shape[1]} '
            'dimensions')
    report(name, what, time.perf_counter() - start, seconds, memory)


def report(name: str, what: str, seconds: float, most_seconds: float | None, most_memory: float | None) -> None:
    """Print time (of the processor, too: a busy machine shows), memory and bounds."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    peak = used.ru_maxrss / 2 ** 20
    bounds = [f'under {bound} {unit}' for bound, unit in ((most_seconds, 's'), (most_memory, 'GB')) if bound]
    print(f'{name}: {what}; {seconds:.1f} s ({used.ru_utime + used.ru_stime:.1f} s of the processor with start and '
          f'data), {peak:.2f} GB at most{" (asked: " + ", ".join(bounds) + ")" if bounds else ""}', flush=True)


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('cases', nargs='*', help=f'of {", ".join([*CASES, "map"])}; default: all')
    parser.add_argument('--here', action='store_true', help='run in this process, as the script does for each case')
    args = parser.parse_args()
    unknown = set(args.cases) - {*CASES, 'map'}
    if unknown:
        parser.error(f'unknown cases {sorted(unknown)}')
    for name in args.cases or [*CASES, 'map']:
        if args.here:
            run(name)
        else:
            subprocess.run([sys.executable, __file__, '--here', name], check=True)


if __name__ == '__main__':
    main()
