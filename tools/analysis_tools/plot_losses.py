"""Plot curves of one or several stages: python tools/analysis_tools/plot_losses.py WORK_DIR... --out FILE.

Without --scalars the losses; with them any logged numbers, such as threshold_mean threshold_spread positive_share, or
what evaluations found, by epochs: head/acc kmeans/acc.
"""
from __future__ import annotations

import argparse
import os

import matplotlib

matplotlib.use('Agg')
from matplotlib import pyplot as plt

from mmcluster.evaluation.results import read_scalars


def main() -> None:
    """Draw one panel a stage."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('work_dirs', nargs='+')
    parser.add_argument('--out', required=True, help='image file')
    parser.add_argument('--scalars', nargs='+', help='logged numbers to draw instead of the losses')
    args = parser.parse_args()
    evaluations = any('/' in name for name in args.scalars or [])
    order = 'step' if evaluations else 'iter'
    figure, axes = plt.subplots(1, len(args.work_dirs), figsize=(4.5 * len(args.work_dirs), 3.2), squeeze=False)
    for axis, work_dir in zip(axes[0], args.work_dirs):
        records = read_scalars(work_dir, evaluations)
        for name in args.scalars or [key for key in records[-1] if key.startswith('loss')]:
            points = [(record[order], record[name]) for record in records if name in record]
            if not points:
                raise SystemExit(f'{work_dir} has no {name!r} in its log; it has {sorted(records[-1])}')
            axis.plot(*zip(*points), label=name, linewidth=2 if name == 'loss' else 1)
        axis.set_title(os.path.basename(os.path.normpath(work_dir)))
        axis.set_xlabel('epoch' if evaluations else 'iteration')
        axis.legend(fontsize=7)
    figure.tight_layout()
    figure.savefig(args.out, dpi=110)
    print(args.out)


if __name__ == '__main__':
    main()
