"""Labels of some images, given by a user."""
from __future__ import annotations

import csv
import posixpath
from pathlib import Path
from typing import Optional, Sequence, Union

import numpy as np

from .label_csv import is_header

UNKNOWN = ('', '-1')


def read_few_labels(table: Union[str, Path], num_rows: int, paths: Optional[Sequence[str]] = None,
                    classes: Sequence[str] = ()) -> np.ndarray:
    """Read the labels of some rows of a data set.

    Args:
        table: ``.npy`` file of whole numbers (N,), -1 where unknown; or a CSV file with two columns, ``row,label`` or
            ``path,label``, with or without a header line of such words. A row that is absent, or whose label is empty
            or -1, is unknown. A label is the name of a class or else a whole number; where the data set has no names,
            those of the file count in alphabetical order.
        num_rows: N.
        paths: N paths relative to the folder of the data; ``None`` for arrays.
        classes: Class names of the data set, empty where unknown.

    Returns:
        (N,) int64, -1 where unknown.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If the file does not fit the data set.
    """
    table = Path(table)
    if not table.is_file():
        raise FileNotFoundError(f'the label file {table.absolute()} does not exist')
    if table.suffix == '.npy':
        return _check_array(table, np.load(table, allow_pickle=False), num_rows)
    given, faults = _read_rows(table, num_rows, {path: i for i, path in enumerate(paths or [])})
    code = _codes(given, classes)
    faults += [f'{value!r} (row {row}) is neither one of the classes {list(classes)} nor a number'
               for row, value in given.items() if value not in code]
    if faults:
        more = [f'... and {len(faults) - 20} more'] if len(faults) > 20 else []
        raise ValueError('\n  '.join([f'{table} does not fit the data set:', *faults[:20], *more]))
    labels = np.full(num_rows, -1, np.int64)
    for row, value in given.items():
        labels[row] = code[value]
    return labels


def counts_rows(table: Union[str, Path], paths: Optional[Sequence[str]] = None) -> bool:
    """Whether a file of labels that fits a data set names some of its rows by number, which any data set may have.

    Args:
        table: See :func:`read_few_labels`.
        paths: See :func:`read_few_labels`.
    """
    if Path(table).suffix == '.npy':
        return True
    known = {path: i for i, path in enumerate(paths or [])}
    with open(table, newline='', encoding='utf-8-sig') as file:
        cells = [row[0].strip() for row in csv.reader(file) if row]
    return any(cell.isdecimal() and _row_of(cell, 0, known) is None for cell in cells)


def _check_array(table: Path, labels: np.ndarray, num_rows: int) -> np.ndarray:
    if labels.shape != (num_rows,) or labels.dtype.kind not in 'iu' or labels.min() < -1:
        raise ValueError(f'{table} holds {labels.dtype} of shape {labels.shape}; expected whole numbers of shape '
                         f'({num_rows},), one for each image of the training set, -1 where unknown')
    return labels.astype(np.int64)


def _read_rows(table: Path, num_rows: int, known: dict[str, int]) -> tuple[dict[int, str], list[str]]:
    """Row -> label as text, without unknown ones; and what is wrong with the file."""
    given, faults = {}, []
    with open(table, newline='', encoding='utf-8-sig') as file:
        reader = csv.reader(file)
        for number, cells in enumerate(reader):
            cells = [cell.strip() for cell in cells]
            if not any(cells):
                continue
            row = _row_of(cells[0], num_rows, known)
            if number == 0 and row is None and is_header(cells, known):
                continue
            if len(cells) != 2:
                faults.append(f'line {reader.line_num}: {len(cells)} columns, expected row or path, and label')
            elif row is None:
                faults.append(f'line {reader.line_num}: there is no image {cells[0]} among {num_rows}')
            elif row in given:
                faults.append(f'line {reader.line_num}: image {cells[0]} has a label already')
            else:
                given[row] = cells[1]
    return {row: value for row, value in given.items() if value not in UNKNOWN}, faults


def _row_of(cell: str, num_rows: int, known: dict[str, int]) -> Optional[int]:
    """Row that a path or a number stands for."""
    row = known.get(posixpath.normpath(cell.replace('\\', '/')))
    if row is None and cell.isdecimal() and int(cell) < num_rows:
        row = int(cell)
    return row


def _codes(given: dict[int, str], classes: Sequence[str]) -> dict[str, int]:
    """Label as text -> number."""
    values = set(given.values())
    names = list(classes) or ([] if all(map(str.isdecimal, values)) else sorted(values))
    numbers = {value: int(value) for value in values if value.isdecimal()}
    return {**numbers, **{value: names.index(value) for value in values if value in names}}
