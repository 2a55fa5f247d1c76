"""The sub-command ``curves`` of analyse.py: metrics over epochs, runs of several seeds as their mean and deviation."""
from __future__ import annotations

import argparse

from mmcluster.command_line import output_file
from mmcluster.visualization import compare, groups_of, plots, told_apart


def add_curves(commands: argparse._SubParsersAction) -> None:
    """Add the sub-command."""
    text = 'Metrics of runs over epochs; work dirs that differ in seed_<n> are one line, with their deviation.'
    parser = commands.add_parser('curves', help=text, description=text)
    parser.add_argument('work_dirs', nargs='+')
    parser.add_argument('--metrics', nargs='+', default=['kmeans/acc'], help='such as kmeans/nmi head/acc')
    parser.add_argument('--out', type=output_file, required=True, help='PNG file')
    parser.add_argument('--arrays', type=output_file, help='NumPy file (.npz) for what is drawn')
    parser.set_defaults(draw=draw_curves)


def draw_curves(args: argparse.Namespace) -> tuple[plots.Figure, dict]:
    """Print a table of the last epoch that all runs of a group share, and draw."""
    groups = groups_of(args.work_dirs)
    found = {(name, metric): compare(runs, metric) for name, runs in zip(told_apart(list(groups)), groups.values())
             for metric in args.metrics}
    print('| run | metric | epoch | mean | deviation | n |\n|---|---|---|---|---|---|')
    for (name, metric), one in found.items():
        print(f'| {name} | {metric} | {one.epochs[-1]} | {one.mean[-1]:.4f} | '
              f'{one.deviation[-1]:.4f} | {len(one.values)} |')
    names = {key: ' '.join(key) for key in found}
    figure = plots.curves({name: (found[key].epochs, found[key].mean, found[key].deviation)
                           for key, name in names.items()}, 'epoch', ' '.join(args.metrics))
    return figure, {f'{name}/{key}': getattr(found[pair], key) for pair, name in names.items()
                    for key in ('epochs', 'values')}
