"""Ground truth from a CSV file."""
from __future__ import annotations

import csv
import posixpath
from pathlib import Path
from typing import Container

import numpy as np

_HEADER_WORDS = {'path', 'file', 'filename', 'file_name', 'image', 'img', 'name', 'row', 'index', 'label', 'class',
                 'target'}


def read_labels(table: Path, paths: list[str]) -> tuple[np.ndarray, list[str]]:
    """Read the labels of ``paths`` from a CSV file; see :class:`FolderSource` for its form.

    Args:
        table: The CSV file.
        paths: N paths relative to the folder of the data.

    Returns:
        (N,) int64 labels, -1 where unknown, and the class names.
    """
    if not table.is_file():
        raise FileNotFoundError(f'the label file {table.absolute()} does not exist')
    known, given, faults = set(paths), {}, []
    with open(table, newline='', encoding='utf-8-sig') as file:
        reader = csv.reader(file)
        for number, row in enumerate(reader):
            cells = [cell.strip() for cell in row]
            if not any(cells) or number == 0 and is_header(cells, known):
                continue
            path = posixpath.normpath(cells[0].replace('\\', '/'))
            if len(cells) != 2:
                faults.append(f'line {reader.line_num}: {len(cells)} columns, expected path and label')
            elif path in given:
                faults.append(f'line {reader.line_num}: {path} has a label already')
            elif path not in known:
                faults.append(f'line {reader.line_num}: there is no image {path}')
            else:
                given[path] = cells[1]
    faults += [f'no line for the image {path} (write an empty label if it is unknown)'
               for path in paths if path not in given]
    if faults:
        more = [f'... and {len(faults) - 20} more'] if len(faults) > 20 else []
        raise ValueError('\n  '.join([f'{table} does not fit the images:', *faults[:20], *more]))
    values = {value for value in given.values() if value not in ('', '-1')}
    as_numbers = all(value.isdecimal() for value in values)
    names = {value: str(int(value)) if as_numbers else value for value in values}
    classes = sorted(set(names.values()), key=int if as_numbers else None)
    code = {value: classes.index(name) for value, name in names.items()}
    return np.asarray([code.get(given[path], -1) for path in paths], np.int64), classes


def is_header(cells: list[str], known: Container[str]) -> bool:
    """Whether the first line of a CSV names its two columns; any other text there is taken for data.

    Args:
        cells: The first line.
        known: What a first cell may be in other lines.
    """
    return len(cells) == 2 and cells[0] not in known and any(cell.lower() in _HEADER_WORDS for cell in cells)
