"""A figure of a table: values against a setting, values over training, or bars; the paper's values dashed.

``figure = dict(kind='lines')``: cells have ``x`` and, if there are several lines, ``series``. ``kind='curves'``: the
metric over epochs, mean over seeds. ``kind='bars'``: a bar for each row. ``metric`` is the one that is drawn, the first
by default; ``xlabel`` names the axis.
"""
from __future__ import annotations

import os
from typing import Optional

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mmcluster.evaluation.results import read_history
from mmcluster.writing import whole_file

from .jobs import Plan
from .printing import name_of
from .results import Result
from .table import Cell, Table

KINDS = ('lines', 'curves', 'bars')
WIDTH, HEIGHT = 4.5, 3.5        # inches of a panel


def draw(table: Table, results: list[Result], plans: dict[Cell, list[Plan]], root: str, path: str) -> bool:
    """Write the figure of a table, a panel for each column.

    Args:
        table: With a ``figure``.
        results: Of its cells.
        plans: See :func:`mmcluster.experiments.jobs.plans`.
        root: Folder of all runs.
        path: PNG file.

    Returns:
        Whether there was anything to draw.

    Raises:
        ValueError: If the kind is unknown.
    """
    kind, metric = table.figure.get('kind', 'lines'), table.figure.get('metric', table.metrics[0])
    if kind not in KINDS:
        raise ValueError(f'{table.name}: figure.kind must be one of {KINDS}, got {kind!r}')
    columns = list(dict.fromkeys(result.cell.column for result in results))
    figure = Figure((WIDTH * len(columns), HEIGHT), layout='constrained')
    drawn = False
    for place, column in enumerate(columns, 1):
        axes = figure.add_subplot(1, len(columns), place, title=column or table.title, ylabel=name_of(metric))
        own = [result for result in results if result.cell.column == column]
        if kind == 'curves':
            drawn |= _curves(axes, own, plans, metric, table.percent, root)
        else:
            drawn |= (_lines if kind == 'lines' else _bars)(axes, own, metric)
        axes.set_xlabel(table.figure.get('xlabel', 'epoch' if kind == 'curves' else ''))
        if axes.get_legend_handles_labels()[1]:
            axes.legend(fontsize='small')
    if drawn:
        with whole_file(path, durable=False) as file:
            figure.savefig(file, format='png', dpi=150)
    return drawn


def _lines(axes: Axes, results: list[Result], metric: str) -> bool:
    """Mean and deviation against ``x``, a line for each series."""
    drawn = False
    for name in dict.fromkeys(result.cell.spec.get('series', '') for result in results):
        own = sorted((result for result in results if result.cell.spec.get('series', '') == name
                      and result.cell.spec.get('x') is not None), key=lambda result: result.cell.spec['x'])
        for said, dash in ((False, '-'), (True, '--')):
            points: list[tuple[float, Optional[float], Optional[float]]] = [
                (result.cell.spec['x'], *((result.values[metric].paper, result.values[metric].spread) if said else
                                          (result.values[metric].mean, result.values[metric].deviation)))
                for result in own]
            known = [(x, mean, deviation or 0) for x, mean, deviation in points if mean is not None]
            if known:
                label = f'{name}, paper'.lstrip(', ') if said else name or 'measured'
                xs, means, deviations = map(list, zip(*known))
                axes.errorbar(xs, means, deviations, fmt=f'o{dash}', markersize=3, capsize=2, label=label)
                drawn = True
    return drawn


def _bars(axes: Axes, results: list[Result], metric: str) -> bool:
    """A bar for each row, the paper's value as a mark."""
    names = [result.cell.row for result in results]
    means = [result.values[metric].mean for result in results]
    axes.bar(names, [mean or 0 for mean in means], yerr=[result.values[metric].deviation or 0 for result in results])
    said = [(result.cell.row, result.values[metric].paper) for result in results
            if result.values[metric].paper is not None]
    if said:
        axes.plot(*zip(*said), 'k_', markersize=20, label='paper')
    axes.tick_params('x', rotation=90)
    return bool(said) or any(mean is not None for mean in means)


def _curves(axes: Axes, results: list[Result], plans: dict[Cell, list[Plan]], metric: str, percent: bool,
            root: str) -> bool:
    """A metric over epochs, mean over the seeds; the deviation is shaded."""
    drawn = False
    for result in results:
        each = [found for found in (history(plan, metric, root) for plan in plans.get(result.cell, [])) if found]
        if not each:
            continue
        epochs = sorted(set.intersection(*(set(one) for one in each)))
        values = np.array([[one[epoch] for epoch in epochs] for one in each]) * (100 if percent else 1)
        mean, deviation = values.mean(0), values.std(0, ddof=1) if len(values) > 1 else np.zeros(len(epochs))
        axes.plot(epochs, mean, label=result.cell.row)
        axes.fill_between(epochs, mean - deviation, mean + deviation, alpha=0.2)
        drawn = True
    return drawn


def history(plan: Plan, metric: str, root: str) -> dict[int, float]:
    """Epoch -> value of the evaluations of a run; empty before the first one.

    Args:
        plan: Of one seed.
        metric: With or without the prefix.
        root: Folder of all runs.
    """
    name = metric if '/' in metric else f'{plan.prefix}/{metric}'
    lines = read_history(os.path.join(root, plan.jobs[-1].folder))
    return {line['epoch']: line[name] for line in lines if name in line}
