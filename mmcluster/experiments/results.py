"""What the runs of a table have given so far."""
from __future__ import annotations

import json
import os
import statistics
from dataclasses import dataclass
from typing import Any, Optional

from .jobs import SUMMARY, Plan
from .table import Cell

HOURS = 'hours'     # of the last stage, in the place of a metric


@dataclass(frozen=True)
class Value:
    """One metric of a cell, beside the paper's.

    Attributes:
        each: Of every seed that is done, in their order.
        paper: What the paper prints.
        spread: Its deviation there, if it has one.
    """
    each: tuple[float, ...]
    paper: Optional[float]
    spread: Optional[float]

    @property
    def mean(self) -> Optional[float]:
        """Over the seeds."""
        return statistics.fmean(self.each) if self.each else None

    @property
    def deviation(self) -> Optional[float]:
        """Standard deviation over the seeds, n - 1."""
        return statistics.stdev(self.each) if len(self.each) > 1 else None

    @property
    def difference(self) -> Optional[float]:
        """Mean less the paper's value."""
        return None if self.mean is None or self.paper is None else self.mean - self.paper


@dataclass(frozen=True)
class Result:
    """A cell with what was measured.

    Attributes:
        cell: The cell.
        values: Metric -> value, in the unit of the table.
        digest: Of its config, empty for what is quoted.
        data: Fingerprint of its images, empty before the first run is done.
        seconds: Of its last stage, each seed.
    """
    cell: Cell
    values: dict[str, Value]
    digest: str = ''
    data: str = ''
    seconds: tuple[float, ...] = ()

    @property
    def count(self) -> int:
        """Seeds that are done."""
        return max((len(value.each) for value in self.values.values()), default=0)


def result_of(cell: Cell, plans: list[Plan], metrics: tuple[str, ...], percent: bool, root: str) -> Result:
    """Read what the runs of a cell have left.

    Args:
        cell: The cell.
        plans: One for each seed, none of a quoted cell.
        metrics: Names, see :class:`mmcluster.experiments.table.Table`.
        percent: Give measured values in percent.
        root: Folder of all runs.
    """
    summaries = [found for found in (_summary(one, root) for one in plans) if found is not None]
    values = {}
    for name in metrics:
        full = name if '/' in name or not plans else f'{plans[0].prefix}/{name}'
        each = tuple((100 if percent else 1) * one['metrics'][full] for one in summaries if full in one['metrics'])
        if name == HOURS:
            each = tuple(one['seconds'] / 3600 for one in summaries if 'seconds' in one)
        values[name] = Value(each, *cell.paper.get(name, (None, None)))
    prints = sorted({f'{one["data_fingerprint"]:x}'[:8] for one in summaries if one.get('data_fingerprint')})
    return Result(cell, values, plans[0].digest if plans else '', ' '.join(prints),
                  tuple(one['seconds'] for one in summaries if 'seconds' in one))


def results_of(plans: dict[Cell, list[Plan]], table: Any, root: str) -> list[Result]:
    """The results of all cells of a table, in its order.

    Args:
        plans: See :func:`mmcluster.experiments.jobs.plans`.
        table: The table.
        root: Folder of all runs.
    """
    return [result_of(cell, plans.get(cell, []), table.metrics, table.percent, root) for cell in table.cells]


def _summary(plan: Plan, root: str) -> Optional[dict]:
    """``summary.json`` of the last job of a plan, if it is done."""
    job = plan.jobs[-1]
    path = os.path.join(root, job.folder, SUMMARY)
    if job.state(root) != 'done' or not os.path.exists(path):
        return None
    with open(path, encoding='utf-8') as file:
        return json.load(file)
