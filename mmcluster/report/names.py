"""Names of image files on a page: shown so that nothing in them deceives, and read only inside of one folder."""
from __future__ import annotations

import re
from pathlib import Path, PurePosixPath
from typing import Optional

from mmcluster.image_names import printable

# Control characters, separators of lines, and marks that turn the direction of the text around them.
_UNSEEN = re.compile('[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]')


def shown(path: str) -> str:
    """Name of a file for the eye: what cannot be seen, or reorders what can, is written as an escape.

    Args:
        path: As Python reads it from a file system or a table.
    """
    return _UNSEEN.sub(lambda match: f'\\u{ord(match[0]):04x}', printable(path))


def inside(root: Path, path: str, links: bool = False) -> Optional[Path]:
    """Find a file of a table in the folder of the images.

    Args:
        root: The folder, resolved.
        path: Relative path, from a table that anyone may have edited.
        links: Follow links out of the folder, of which the caller knows that its user made them.

    Returns:
        The file without links, or ``None`` if it lies outside of the folder, by its name or through a link
        that is not to be followed.
    """
    parts, own = PurePosixPath(path), Path(path)        # a colon or a backslash is a letter but on Windows
    if '\0' in path or parts.is_absolute() or own.anchor or '..' in {*parts.parts, *own.parts}:
        return None
    try:
        found = (root / parts).resolve()
    except (OSError, RuntimeError, ValueError):     # a loop of links, a name too long or not of the system's encoding
        return None
    return found if links or found.is_relative_to(root) else None
