"""A table as Markdown, LaTeX and CSV: mean and deviation over seeds, and the difference to the paper."""
from __future__ import annotations

import csv
import io
from typing import Optional

from .results import Result, Value
from .table import Table

SPECIAL = str.maketrans({char: f'\\{char}' for char in '&%$#_{}'})


def name_of(metric: str) -> str:
    """Head of the column of a metric; where the table says of which result, so does the head."""
    source, _, name = metric.rpartition('/')
    return f'{name.upper()} ({source})' if source else name.upper()


def number(value: Optional[float], percent: bool, sign: bool = False) -> str:
    """A value as it is printed; nothing of ``None``."""
    return '' if value is None else f'{value:{"+" if sign else ""}.{1 if percent else 3}f}'


def spread(mean: Optional[float], deviation: Optional[float], percent: bool, between: str = ' ± ') -> str:
    """Mean and deviation."""
    return number(mean, percent) + (f'{between}{number(deviation, percent)}' if deviation is not None else '')


def markdown(table: Table, results: list[Result]) -> str:
    """One line for each cell.

    Args:
        table: The table.
        results: Of its cells.
    """
    several = any(result.cell.column for result in results)
    papers = {name: any(result.values[name].paper is not None for result in results) for name in table.metrics}
    head = [''] + ['data'] * several
    for name in table.metrics:
        head += [name_of(name)] + ['paper', 'difference'] * papers[name]
    lines = [head + ['n', 'config', 'images']]
    for result in results:
        line = [result.cell.row] + [result.cell.column] * several
        for name in table.metrics:
            value = result.values[name]
            line += [spread(value.mean, value.deviation, table.percent)]
            if papers[name]:
                line += [spread(value.paper, value.spread, table.percent),
                         number(value.difference, table.percent, sign=True)]
        said = f'quoted: {result.cell.spec["quoted"]}' if not result.cell.runs else result.digest
        lines.append(line + [str(result.count) if result.cell.runs else '', said, result.data])
    lines.insert(1, ['---'] * len(lines[0]))
    text = [f'**{table.title}**' + (' (%)' if table.percent else ''), '',
            *('| ' + ' | '.join(cell.replace('|', '\\|') for cell in line) + ' |' for line in lines)]
    return '\n'.join([*text, *(['', table.notes] if table.notes else [])]) + '\n'


def latex(table: Table, results: list[Result]) -> str:
    """As papers print it: rows, and for each column its metrics; the paper's values in brackets.

    Args:
        table: The table.
        results: Of its cells.
    """
    columns = list(dict.fromkeys(result.cell.column for result in results))
    found = {(result.cell.row, result.cell.column): result for result in results}
    names, width = table.metrics, len(table.metrics)
    lines = [f'% {table.title}, mean and standard deviation over seeds, the paper in brackets',
             *(f'% {result.cell.title}: n = {result.count}, config {result.digest}, images {result.data}'
               for result in results if result.cell.runs),
             f'\\begin{{tabular}}{{l{"c" * width * len(columns)}}}', '\\toprule']
    if columns != ['']:
        lines.append(''.join(f' & \\multicolumn{{{width}}}{{c}}{{{escaped(column)}}}' for column in columns) + ' \\\\')
    lines += [''.join(f' & {escaped(name_of(name))}' for _ in columns for name in names) + ' \\\\', '\\midrule']
    for row in dict.fromkeys(result.cell.row for result in results):
        cells = [_latex_cell(found[row, column].values[name], table.percent) if (row, column) in found else ''
                 for column in columns for name in names]
        lines.append(' & '.join([escaped(row), *cells]) + ' \\\\')
    return '\n'.join([*lines, '\\bottomrule', '\\end{tabular}']) + '\n'


def _latex_cell(value: Value, percent: bool) -> str:
    """Measured, and the paper's in brackets."""
    own = spread(value.mean, value.deviation, percent, ' $\\pm$ ')
    paper = spread(value.paper, value.spread, percent, ' $\\pm$ ')
    return ' '.join(part for part in (own, f'({paper})' if paper else '') if part)


def escaped(text: str) -> str:
    """A text in LaTeX."""
    return text.translate(SPECIAL)


def as_csv(table: Table, results: list[Result]) -> str:
    """One line for each cell and metric, with the values of each seed.

    Args:
        table: The table.
        results: Of its cells.
    """
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator='\n')
    writer.writerow(['table', 'row', 'column', 'metric', 'mean', 'deviation', 'n', 'each', 'paper', 'paper_deviation',
                     'difference', 'config', 'images', 'seconds', 'quoted'])
    for result in results:
        for name, value in result.values.items():
            writer.writerow([
                table.name, result.cell.row, result.cell.column, name, _plain(value.mean), _plain(value.deviation),
                len(value.each), ' '.join(map(_plain, value.each)), _plain(value.paper), _plain(value.spread),
                _plain(value.difference), result.digest, result.data, ' '.join(map(_plain, result.seconds)),
                result.cell.spec.get('quoted', '')])
    return buffer.getvalue()


def _plain(value: Optional[float]) -> str:
    return '' if value is None else f'{value:.6g}'
