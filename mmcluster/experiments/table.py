"""A table of a paper as a file: its rows and columns, the run behind every cell, and what the paper says."""
from __future__ import annotations

import os
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Mapping, Optional

from mmengine.config import Config

from mmcluster.checks import near, resembling
from mmcluster.recipes import config_file, read_config, shipped
from mmcluster.recipes.merging import merge_options
from mmcluster.recipes.option_names import check_names

METRICS, SEEDS = ('acc', 'nmi', 'ari'), (0, 1, 2)
CONTROLS = ('pixels', 'untrained')
RUN = ('recipe', 'stages', 'data', 'facts', 'options', 'stage', 'source', 'control', 'seeds')
CELL = (*RUN, 'paper', 'quoted', 'x', 'series')
ROW = (*CELL, 'cells')
TABLE = (*RUN, 'title', 'metrics', 'percent', 'columns', 'rows', 'figure', 'notes')


@dataclass(frozen=True)
class Cell:
    """One cell: a stage of a recipe whose metrics are wanted, a control, or a figure that is only quoted.

    Attributes:
        row: Title of its row.
        column: Title of its column, empty if the table has one.
        file: Of the table.
        spec: What the file says of it, see :func:`read_table`.
    """
    row: str
    column: str
    file: str
    spec: Mapping[str, Any] = field(compare=False)

    @property
    def title(self) -> str:
        """Row and column, for messages."""
        return f'{self.row}, {self.column}' if self.column else self.row

    @property
    def seeds(self) -> tuple[int, ...]:
        """Of its runs."""
        return tuple(self.spec.get('seeds', SEEDS))

    @property
    def runs(self) -> bool:
        """Whether there is something to run."""
        return not self.spec.get('quoted')

    @property
    def paper(self) -> dict[str, tuple[float, Optional[float]]]:
        """Metric -> value and deviation that the paper prints."""
        return {name: tuple(value) if isinstance(value, (list, tuple)) else (value, None)
                for name, value in (self.spec.get('paper') or {}).items()}

    def recipe(self) -> Config:
        """The recipe with the changes of this cell, without a work dir.

        Raises:
            FileNotFoundError: If there is no such recipe.
            ValueError: If nothing reads an option.
        """
        spec = deepcopy(dict(self.spec))
        if spec.get('stages'):
            cfg = Config({key: spec[key] for key in ('stages', 'data') if key in spec}, filename=self.file)
        else:
            cfg = read_config(_recipe_file(spec['recipe'], self.file))
        if 'stages' not in cfg:
            cfg = Config(dict(stages=dict(train=dict(config=os.path.abspath(cfg.filename)))), filename=cfg.filename)
        options = {**{f'facts.{fact}': value for fact, value in spec.get('facts', {}).items()},
                   **_of_stage(spec['options'], spec.get('stage') or list(cfg.stages)[-1])}
        check_names(cfg, options)
        merge_options(cfg, options)
        return cfg


@dataclass(frozen=True)
class Table:
    """A table that can be run.

    Attributes:
        name: Folder and name of its file, such as ``'clusmatch/table4'``.
        title: What it shows.
        metrics: Names, such as ``'acc'``; one with a slash, ``'head/acc'``, is taken as it is; ``'hours'`` is the time
            of the last stage.
        percent: Values are printed in percent; so are those of the paper in the file.
        cells: In the order of rows, then columns.
        figure: How it is drawn, see :mod:`mmcluster.experiments.figure`; empty for none.
        notes: A sentence below the table.
    """
    name: str
    title: str
    metrics: tuple[str, ...]
    percent: bool
    cells: tuple[Cell, ...]
    figure: Mapping[str, Any]
    notes: str

    def only(self, rows: Optional[list[str]] = None, columns: Optional[list[str]] = None) -> Table:
        """The table with some of its rows and columns.

        Raises:
            ValueError: If there is none of a title.
        """
        for kind, wanted in (('row', rows), ('column', columns)):
            known = list(dict.fromkeys(getattr(cell, kind) for cell in self.cells))
            for title in wanted or ():
                if title not in known:
                    raise ValueError(f'{self.name} has no {kind} {title!r}{near(title, known)}; it has {known}')
        kept = tuple(cell for cell in self.cells if (not rows or cell.row in rows)
                     and (not columns or cell.column in columns))
        return Table(self.name, self.title, self.metrics, self.percent, kept, self.figure, self.notes)


def table_file(name: str) -> Path:
    """A table by its path or, if it comes with the package, by its name.

    Args:
        name: Such as ``'my/table.py'`` or ``'clusmatch/table4'``.

    Raises:
        FileNotFoundError: If there is none; the message has near names.
    """
    if Path(name).is_file():
        return Path(name)
    file = shipped('experiments') / f'{name.removesuffix(".py")}.py'
    if file.is_file():
        return file
    raise FileNotFoundError(f'there is no table {name}{near(name, table_names())}; give a file, or one of '
                            f'{table_names()}')


def table_names() -> list[str]:
    """Names of the tables that come with the package."""
    folder = shipped('experiments')
    return sorted(path.relative_to(folder).with_suffix('').as_posix() for path in folder.rglob('*.py'))


def read_table(path: str | os.PathLike) -> Table:
    """Read a table.

    ``rows`` has title -> cell. A cell names a ``recipe`` (a shipped one, or a file beside the table), or writes
    ``stages`` and ``data`` itself; ``facts`` are those of all stages. ``stage`` is the one whose metrics count, the
    last by default; ``options`` are dotted settings of it, unless they begin with ``stages.``; ``source`` says which
    metrics, ``'head'`` or ``'kmeans'``, by default the first of its evaluation. ``paper`` has metric -> value or
    (value, deviation). A cell with ``quoted``, where its figures come from, is not run, one with ``control`` needs no
    training: see :mod:`mmcluster.experiments.controls`. What the top of the file says of cells holds for all. With
    ``columns``, title -> what holds for its cells, ``paper`` has column -> metrics, and ``cells`` of a row what differs
    in a column, ``None`` where there is no cell.

    Args:
        path: The file.

    Raises:
        ValueError: If a name is unknown, or a cell says too little.
    """
    path = os.path.abspath(path)
    content = read_config(path)._cfg_dict.to_dict()
    for name in content:
        if name not in TABLE and resembling(name, TABLE):
            raise ValueError(f'{path}: nothing reads {name}{near(name, TABLE)}; a helper of the file needs another '
                             f'name')
    missing = [name for name in ('title', 'rows') if not content.get(name)]
    if missing:
        raise ValueError(f'{path}: {" and ".join(missing)} missing; a table has a title, and rows')
    columns, common = content.get('columns') or {'': {}}, {key: content[key] for key in RUN if key in content}
    cells = []
    for row, spec in content['rows'].items():
        _check_keys(spec, ROW, f'{path}: row {row!r}')
        for column, shared in columns.items():
            own = spec.get('cells', {}).get(column, {})
            if own is None:
                continue
            _check_keys(own, CELL, f'{path}: row {row!r}, column {column!r}')
            said = {key: value for key, value in spec.items() if key != 'cells'}
            if column and 'paper' in said:
                _check_keys(said['paper'], tuple(columns), f'{path}: row {row!r}, paper')
                said['paper'] = said['paper'].get(column)
            cell = Cell(row, column, path, _merged(common, shared, said, own))
            _check_cell(cell)
            cells.append(cell)
    name = '/'.join(Path(path).with_suffix('').parts[-2:])
    return Table(name, content['title'], tuple(content.get('metrics', METRICS)), bool(content.get('percent')),
                 tuple(cells), content.get('figure') or {}, content.get('notes', ''))


def _merged(*specs: Mapping[str, Any]) -> dict[str, Any]:
    """What several places say of a cell; later ones win, their options and facts are added to those before."""
    found: dict[str, Any] = dict(options={})
    for spec in specs:
        added = {key: {**found.get(key, {}), **spec[key]} for key in ('options', 'facts') if spec.get(key)}
        if spec.get('recipe') or spec.get('stages') or spec.get('quoted'):      # another run altogether, or none
            found = {key: value for key, value in found.items() if key not in ('recipe', 'stages', 'quoted')}
        found.update(spec)
        found.update(added)
    return found


def _check_keys(spec: Any, known: tuple[str, ...], where: str) -> None:
    """Refuse what no cell reads."""
    if not isinstance(spec, Mapping):
        raise ValueError(f'{where} must be a dict of {", ".join(known)}, got {spec!r}')
    for key in spec:
        if key not in known:
            raise ValueError(f'{where}: nothing reads {key}{near(key, known)}; known are {", ".join(known)}')


def _check_cell(cell: Cell) -> None:
    """Refuse a cell that names no run, or a control that there is not."""
    spec = cell.spec
    if spec.get('control') not in (None, *CONTROLS):
        raise ValueError(f'{cell.title}: control must be one of {CONTROLS}, got {spec["control"]!r}')
    if cell.runs and not (spec.get('recipe') or spec.get('stages')):
        raise ValueError(f'{cell.title}: give it a recipe or stages, or say where its figures are quoted from')


def _of_stage(options: Mapping[str, Any], stage: str) -> dict[str, Any]:
    """Options of a stage under the names that they have in the recipe."""
    return {key if key.startswith('stages.') else '.'.join(
        ['stages', stage, *['options'] * (not key.startswith('facts.')), key]): value for key, value in options.items()}


def _recipe_file(name: str, file: str) -> str:
    """A recipe beside the table, or a shipped one."""
    beside = os.path.join(os.path.dirname(file), name if name.endswith('.py') else f'{name}.py')
    return beside if os.path.isfile(beside) else str(config_file(name))
