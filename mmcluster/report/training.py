"""How the trainings behind a result went: charts of what their logs and evaluations say."""
from __future__ import annotations

import math
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple, Optional, Sequence, TypeVar

from mmcluster.evaluation.results import read_history, read_scalars

from .chart import Plane, Point, is_number, round_levels, written
from .names import shown

MOST_POINTS, MOST_ROWS, MOST_STAGES = 200, 20, 12       # of a line, of a table, of a page
LOG, EVALUATIONS = 'iter', 'epoch'                      # what records are ordered by, and which they are
UNITS = {LOG: 'step', EVALUATIONS: 'epoch'}
AGREEMENT = dict(acc='Accuracy', nmi='NMI', ari='ARI')
Item = TypeVar('Item')


class Kind(NamedTuple):
    """A chart.

    Attributes:
        title: Of the chart.
        said: One sentence for who does not know the words.
        lines: Name in the log -> title of the line; of two names with the same title one is drawn.
        order: Which records have them.
        low: Where the vertical axis begins, or above the smallest number; there by default.
        high: Where it ends, or below the largest number.
    """
    title: str
    said: str
    lines: dict[str, str]
    order: str = LOG
    low: float = math.inf
    high: float = -math.inf


def _agreement(source: str, whose: str) -> Kind:
    """The chart of an evaluation against ground truth."""
    said = f'How well clusters {whose} match the classes that are known of the images, 1 at best. Nothing was ' \
           'learned from these numbers.'
    lines = {f'{source}/{name}': title for name, title in AGREEMENT.items()}
    return Kind(f'Agreement with known classes, {whose}', said, lines, EVALUATIONS, 0.0, 1.0)


KINDS = (
    Kind('Loss', 'What the training makes small: in the long run it falls and stays flat; its height by itself says '
         'nothing.', dict(loss='Loss')),
    Kind('How much the network learns from its own answers', 'Only answers that it is sure enough of count: where a '
         'share falls, fewer of them do, as it doubts more or has to be surer; a share near 1 lets its errors in, too.',
         dict(positive_share='Images with a sure cluster', negative_share='Clusters that are ruled out',
              mask_share='Images that count'), low=0.0, high=1.0),
    Kind('How sure an answer has to be', 'The threshold of the chart on shares: it rises as the network grows surer.',
         dict(threshold_mean='Threshold', threshold='Threshold'), low=0.0, high=1.0),
    Kind('Smallest and largest cluster', 'Images in them during the training: a smallest one near 0 has vanished, '
         'and a largest one that holds nearly all images has swallowed the others.',
         dict(cluster_max='Largest', cluster_min='Smallest'), low=0.0),
    Kind('Spread of the images', 'How different the images are for the network: a fall to 0 means that it takes all of '
         'them for the same.', dict(feat_std='In the steps', estep_feat_std='Over all images'), low=0.0),
    _agreement('head', 'by the output of the network'), _agreement('kmeans', 'by k-means of its features'))


class Stage(NamedTuple):
    """What is known of a training.

    Attributes:
        name: Of its folder.
        records: :data:`LOG` and :data:`EVALUATIONS` -> records in their order.
    """
    name: str
    records: dict[str, list[dict[str, Any]]]


def training_charts(summary: dict[str, Any], folder: Path) -> Optional[dict[str, Any]]:
    """Lay out what the logs of the trainings behind a result say.

    Args:
        summary: Of the result; ``training`` names the work dirs, relative to it or absolute.
        folder: Of the result.

    Returns:
        For the template: ``stages``, ``groups`` of charts, ``tables``. ``None`` if there is nothing to draw: nothing
        was trained, or the logs are gone.
    """
    named = summary.get('training')
    places = [place for place in named if isinstance(place, str)] if isinstance(named, list) else []
    stages = [_read(folder / place) for place in places[:MOST_STAGES]]
    groups = [group for kind in KINDS if (group := _group(kind, stages))]
    tables = [table for stage in stages for order in UNITS if (table := _table(stage, order))]
    told = [dict(name=stage.name, epochs=_epochs(stage)) for stage in stages
            if any(stage.records.values())]
    return dict(stages=told, groups=groups, tables=tables) if groups else None


def _read(work_dir: Path) -> Stage:
    """The stage of a work dir; without records where there is none, or nothing that can be read."""
    records: dict[str, list[dict[str, Any]]] = {LOG: [], EVALUATIONS: []}
    with suppress(OSError, ValueError):     # also of a name that no folder can have
        records[LOG] = read_scalars(str(work_dir))
    with suppress(OSError, ValueError):
        records[EVALUATIONS] = read_history(str(work_dir), lenient=True)
    return Stage(shown(work_dir.name), {order: [record for record in found if is_number(record.get(order))]
                                        for order, found in records.items()})


def _epochs(stage: Stage) -> Optional[str]:
    """How long a training was, as far as its records reach."""
    epochs = [record.get('epoch') for records in stage.records.values() for record in records]
    return written(max(numbers)) if (numbers := [epoch for epoch in epochs if is_number(epoch)]) else None


def _points(records: Sequence[dict[str, Any]], order: str, name: str) -> list[Point]:
    """(place, number) of what was logged by a name, NaN where it was no number."""
    return [(record[order], record[name] if is_number(record[name]) else math.nan) for record in records
            if name in record]


def _lines(kind: Kind, stage: Stage) -> dict[str, list[Point]]:
    """Title of each line of a chart that has a number -> points."""
    found: dict[str, list[Point]] = {}
    for name, title in kind.lines.items():
        points = _points(stage.records[kind.order], kind.order, name)
        if title not in found and not all(math.isnan(value) for _, value in points):
            found[title] = thinned(points, MOST_POINTS)
    return found


def thinned(items: Sequence[Item], most: int) -> list[Item]:
    """At most so many items at equal distances, the first and the last among them."""
    if len(items) <= most:
        return list(items)
    return [items[round(place * (len(items) - 1) / (most - 1))] for place in range(most)]


def _group(kind: Kind, stages: Sequence[Stage]) -> Optional[dict[str, Any]]:
    """The charts of a kind, one for each stage that has any of its lines."""
    charts = [dict(stage=stage.name, drawing=_drawing(kind, lines), label=_label(kind, stage, lines))
              for stage in stages if (lines := _lines(kind, stage))]
    return dict(title=kind.title, said=kind.said, charts=charts) if charts else None


def _drawing(kind: Kind, lines: dict[str, list[Point]]) -> dict[str, Any]:
    """A chart of lines."""
    xs = [x for points in lines.values() for x, _ in points]
    ys = [y for points in lines.values() for _, y in points if not math.isnan(y)]
    levels = round_levels(min(kind.low, *ys), max(kind.high, *ys))
    first, last = min(xs), max(xs)
    ticks = [tick for tick in round_levels(first, last) if first <= tick <= last and tick == int(tick)]
    if first == last:       # a single record is a dot in the middle
        ticks, first, last = [first], first - 1, last + 1
    plane = Plane((first, last), (levels[0], levels[-1]), width=480, height=226, left=52, right=464, top=10,
                  bottom=174)
    return plane.drawing(list(lines.items()), levels, ticks, unit=UNITS[kind.order])


def _label(kind: Kind, stage: Stage, lines: dict[str, list[Point]]) -> str:
    """What a chart shows, in words."""
    said = []
    for title, points in lines.items():
        ys = [y for _, y in points if not math.isnan(y)]
        said.append(f'{title} from {written(ys[0])} to {written(ys[-1])}')
    return f'{kind.title}, {stage.name}: {"; ".join(said)}, by {UNITS[kind.order]}. The tables below have the numbers'


def _table(stage: Stage, order: str) -> Optional[dict[str, Any]]:
    """Numbers of a stage that are drawn, at some of its records."""
    known = [name for kind in KINDS if kind.order == order for name in kind.lines]
    records = stage.records[order]
    names = [name for name in known if any(is_number(record.get(name)) for record in records)]
    rows = [[written(record[order]), *(written(record[name]) if is_number(record.get(name)) else '–' for name in names)]
            for record in thinned(records, MOST_ROWS)]
    return dict(stage=stage.name, unit=UNITS[order], names=names, rows=rows) if names else None
