"""Names of image files in tables: how they are written, and how they are found again."""
from __future__ import annotations

import posixpath
import re
import unicodedata
from typing import Optional, Sequence

_FORMULA = ('=', '+', '-', '@', '\t', '\r', '＝', '＋', '－', '＠')
# Of ASCII the backslash alone, where a name spells such a byte itself.
_BYTE = re.compile(rb'\\x([89a-f][0-9a-f]|5c)')


def printable(path: str) -> str:
    """Name of a file for messages and tables: bytes that are not UTF-8 become ``\\xff``.

    Args:
        path: As Python reads it from a file system.
    """
    return path.encode('utf-8', 'surrogateescape').decode('utf-8', 'backslashreplace')


def cell_of(path: str) -> str:
    """Name of a file for a cell of a table.

    A spreadsheet runs a cell that begins like a formula, and no reader of UTF-8 takes other bytes. Such names get
    ``./`` in front and ``\\xff`` for the bytes: for people and :class:`PathLookup` still the path of the same file.

    Args:
        path: Relative path of the file.
    """
    text = printable(path)
    if text == path and not text.lstrip(' ').startswith(_FORMULA) and not text.startswith('./'):
        return text
    spelt = _BYTE.sub(rb'\\x5cx\1', path.encode('utf-8', 'surrogateescape'))
    return f"./{printable(spelt.decode('utf-8', 'surrogateescape'))}"


def path_of(cell: str) -> str:
    """The path of which :func:`cell_of` made a cell.

    Args:
        cell: Of a table.
    """
    if not cell.startswith('./'):
        return cell
    found = _BYTE.sub(lambda match: bytes([int(match[1], 16)]), cell[2:].encode('utf-8', 'surrogateescape'))
    return found.decode('utf-8', 'surrogateescape')


class PathLookup:
    """Finds the rows of images by what a table calls them.

    A cell may have ``./`` in front, backslashes for slashes, blanks around it, bytes written by :func:`printable`, and
    accents composed in another way than the file system does (macOS takes letters and accents apart), unless two files
    differ in nothing else.

    Args:
        paths: N paths relative to the folder of the data.
    """

    def __init__(self, paths: Sequence[str] = ()) -> None:
        self._exact = {printable(path): row for row, path in enumerate(paths)}
        self._exact.update((path, row) for row, path in enumerate(paths))
        self._alike: dict[str, set[int]] = {}
        for path, row in self._exact.items():
            self._alike.setdefault(_composed(path), set()).add(row)

    def __contains__(self, cell: object) -> bool:
        """Whether a cell names an image."""
        return isinstance(cell, str) and self.find(cell) is not None

    def find(self, cell: str) -> Optional[int]:
        """Row of the image that a cell names; None if there is none, or if two look like it and neither is it.

        Args:
            cell: As the table has it.
        """
        forms = [cell, posixpath.normpath(cell), cell.strip(), posixpath.normpath(cell.strip()),
                 posixpath.normpath(cell.strip().replace('\\', '/')), path_of(cell)]
        for form in forms:
            if form in self._exact:
                return self._exact[form]
        for form in forms:
            alike = self._alike.get(_composed(form), ())
            if len(alike) == 1:
                return next(iter(alike))
        return None


def _composed(text: str) -> str:
    """The text with every accented letter as one character."""
    return unicodedata.normalize('NFC', text)
