"""Labels of some images, given by a user."""
from __future__ import annotations

from pathlib import Path
from typing import Optional, Sequence, Union

import numpy as np

from mmcluster.functional.labels.given import UNKNOWN, label_of, whole_labels
from mmcluster.image_names import PathLookup

from .label_csv import raise_faults, read_rows, read_table
from .sources import read_npy


def read_few_labels(table: Union[str, Path], num_rows: int, paths: Optional[Sequence[str]] = None,
                    classes: Sequence[str] = ()) -> np.ndarray:
    """Read the labels of some rows of a data set.

    Args:
        table: ``.npy`` file of whole numbers (N,), -1 where unknown; or a CSV file with two columns, ``row,label`` or
            ``path,label``, with or without a header line of such words. A row that is absent, or whose label is empty,
            NaN or -1, is unknown. A label is the name of a class or else a whole number; a class called ``7`` is meant
            by ``7.0`` and ``07``, too. Where the data set has no names, those of the file count in alphabetical order.
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
        labels = whole_labels(read_npy(table), f'labels of {table}')
        if labels.shape != (num_rows,):
            raise ValueError(f'{table} holds labels of shape {labels.shape}; expected whole numbers of shape '
                             f'({num_rows},), one for each image of the training set, -1 where unknown')
        return labels
    known = PathLookup(paths or ())
    cells, faults = read_rows(table, lambda cell: _row_of(cell, num_rows, known), num_rows, 'row or path,')
    given = {row: text for row, (_, text) in cells.items()}
    code, odd = _codes(given, classes)
    raise_faults(table, faults + odd, 'the data set')
    labels = np.full(num_rows, UNKNOWN, np.int64)
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
    known = PathLookup(paths or ())
    cells = [cells[0].strip() for _, cells in read_table(Path(table))]
    return any(cell.isdecimal() and cell not in known for cell in cells)


def _row_of(cell: str, num_rows: int, known: PathLookup) -> Optional[int]:
    """Row that a path or a number stands for."""
    row = known.find(cell)
    if row is None and cell.strip().isdecimal() and int(cell) < num_rows:
        row = int(cell)
    return row


def _label_among(titles: list[str], text: str) -> Union[int, str]:
    """Label of a cell: the number of the class that is called so, also where its name is another way to write it."""
    if text in titles and text != str(UNKNOWN):
        return titles.index(text)
    label = label_of(text)
    return titles.index(str(label)) if label != UNKNOWN and str(label) in titles else label


def _codes(given: dict[int, str], classes: Sequence[str]) -> tuple[dict[str, int], list[str]]:
    """Label as text -> number, -1 if unknown; and the labels that are neither a class nor a number."""
    code: dict[str, Union[int, str]] = {}
    faults, titles = [], list(classes)
    for row, text in given.items():
        try:
            code[text] = _label_among(titles, text)
        except ValueError as error:
            faults.append(f'image {row}: {error}')
    names = titles or sorted(text for text, label in code.items() if label != UNKNOWN)
    named = any(isinstance(label, str) for label in code.values()) and not titles
    for text, label in code.items():
        if isinstance(label, str) or (named and label != UNKNOWN):
            code[text] = names.index(text) if text in names else label
    faults += [f'{text!r} (row {row}) is neither one of the classes {titles} nor a number'
               for row, text in given.items() if isinstance(code.get(text), str)]
    return {text: label for text, label in code.items() if isinstance(label, int)}, faults
