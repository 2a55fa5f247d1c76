"""Ground truth from a CSV file."""
from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Callable, Optional, Sequence

import numpy as np

from mmcluster.functional.labels.given import UNKNOWN, label_of
from mmcluster.image_names import PathLookup, printable

_HEADER_WORDS = {'path', 'file', 'filename', 'file_name', 'image', 'img', 'name', 'row', 'index', 'label', 'class',
                 'target'}
_MAX_LISTED = 20


def read_labels(table: Path, paths: list[str]) -> tuple[np.ndarray, list[str]]:
    """Read the labels of ``paths`` from a CSV file; see :class:`FolderSource` for its form.

    Args:
        table: The CSV file.
        paths: N paths relative to the folder of the data.

    Returns:
        (N,) int64 labels, -1 where unknown, and the class names.

    Raises:
        ValueError: If the file does not fit the images, or holds what :func:`label_of` refuses.
    """
    cells, faults = read_rows(table, PathLookup(paths).find, len(paths), 'path')
    given = {row: text for row, (_, text) in cells.items()}
    faults += [fault for line, text in cells.values() for fault in _label_fault(line, text)]
    faults += [f'no line for the image {printable(path)} (write an empty label if it is unknown)'
               for row, path in enumerate(paths) if row not in given]
    raise_faults(table, faults, 'the images')
    labels = {text: label_of(text) for text in given.values()}
    labels = {text: label for text, label in labels.items() if label != UNKNOWN}
    as_numbers = all(isinstance(label, int) for label in labels.values())
    names = {text: str(label) if as_numbers else text for text, label in labels.items()}
    classes = sorted(set(names.values()), key=int if as_numbers else None)
    numbers = {name: number for number, name in enumerate(classes)}
    code = {text: numbers[name] for text, name in names.items()}
    return np.asarray([code.get(given[row], UNKNOWN) for row in range(len(paths))], np.int64), classes


def read_rows(table: Path, row_of: Callable[[str], Optional[int]], num_rows: int,
              first: str) -> tuple[dict[int, tuple[int, str]], list[str]]:
    """Read what a table says of the rows of a data set.

    Args:
        table: See :func:`read_table`; a first line of words such as ``path,label`` is passed over.
        row_of: Row that a first cell stands for, or ``None``.
        num_rows: N.
        first: What a first cell may be, for the message.

    Returns:
        row -> (number of its line, its label as text); and what is wrong with the file, a line each.
    """
    given: dict[int, tuple[int, str]] = {}
    faults = []
    for number, (line, cells) in enumerate(read_table(table)):
        row = row_of(cells[0])
        if number == 0 and row is None and _is_header(cells):
            continue
        if len(cells) != 2:
            faults.append(f'line {line}: {len(cells)} columns, expected {first} and label')
        elif row is None:
            faults.append(f'line {line}: there is no image {cells[0]} among {num_rows}')
        elif row in given:
            faults.append(f'line {line}: image {cells[0]} has a label already')
        else:
            given[row] = line, cells[1].strip()
    return given, faults


def read_table(table: Path) -> list[tuple[int, list[str]]]:
    """Read a CSV file of two columns that are parted by commas, or else by semicolons or tabs, as spreadsheets do.

    Args:
        table: The file, in UTF-8, or in UTF-16 with the mark at its beginning that Windows writes.

    Returns:
        (number of the line, cells) of every line that is not empty.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is written in another encoding, or is no text at all.
    """
    text = _read_text(table)
    first = next((line for line in text.splitlines() if line.strip()), '')
    delimiter = next((mark for mark in ',;\t' if mark in first), ',')
    reader = csv.reader(io.StringIO(text, newline=''), delimiter=delimiter)
    try:
        return [(reader.line_num, cells) for cells in reader if any(cell.strip() for cell in cells)]
    except csv.Error as error:
        raise ValueError(f'{table}, line {reader.line_num}: {error}') from error


def _read_text(table: Path) -> str:
    """Decode a table."""
    if not table.is_file():
        raise FileNotFoundError(f'the label file {table.absolute()} does not exist')
    content = table.read_bytes()
    encoding = 'utf-16' if content[:2] in (b'\xff\xfe', b'\xfe\xff') else 'utf-8-sig'
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        line = content[:error.start].count(b'\n') + 1
        raise ValueError(f'{table}, line {line}: the text is not written in UTF-8 (byte 0x{content[error.start]:02x}). '
                         'Save the file as "CSV UTF-8", or convert it: iconv -f CP1252 -t UTF-8') from None
    if '\0' in text:
        raise ValueError(f'{table} is no text in UTF-8, or UTF-16 without a mark at its beginning. Save it as "CSV '
                         'UTF-8"')
    return text


def _label_fault(line: int, text: str) -> list[str]:
    """What is wrong with a label in a line of a table, in one line or none."""
    try:
        label_of(text)
    except ValueError as error:
        return [f'line {line}: {error}']
    return []


def raise_faults(table: Path, faults: Sequence[str], what: str) -> None:
    """Raise a ``ValueError`` of the first faults of a table, if there are any.

    Args:
        table: The file.
        faults: One line each.
        what: What the table should fit.
    """
    if faults:
        more = [f'... and {len(faults) - _MAX_LISTED} more'] if len(faults) > _MAX_LISTED else []
        raise ValueError('\n  '.join([f'{table} does not fit {what}:', *faults[:_MAX_LISTED], *more]))


def _is_header(cells: list[str]) -> bool:
    """Whether a first line that stands for no row names its two columns; any other text there is taken for data."""
    return len(cells) == 2 and any(cell.strip().lower() in _HEADER_WORDS for cell in cells)
