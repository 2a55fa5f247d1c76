"""Finding image files and folders."""
from __future__ import annotations

import os
from collections import Counter
from pathlib import Path
from typing import Callable, Mapping, NamedTuple, Union

from mmcluster.image_files import IRREGULAR, LOCKED, count_suffixes, image_suffixes, passed_over, suffix_of

from .index_file import state_of


class Scan(NamedTuple):
    """What lies below a folder.

    Attributes:
        paths: Images, relative to the folder with forward slashes, sorted as plain text (``img10`` before ``img2``).
        left_out: Number of other files by suffix, with pipes and devices that are called images, and of folders that
            may not be read.
        watched: Folder that was read -> its state before, see :func:`~mmcluster.datasets.index_file.state_of`.
    """
    paths: list[str]
    left_out: Counter
    watched: dict[str, str]


def scan_images(root: Path, recursive: bool = True) -> Scan:
    """List the images below a folder in an order that does not depend on the file system.

    Files count as images by their suffix, in either case. Names that start with a dot are passed over. Folders behind
    symbolic links are entered, each real folder once. Links that lead nowhere are listed, so that decoding names
    them; sub folders that may not be read are counted.

    Args:
        root: The folder.
        recursive: Enter sub folders.

    Returns:
        What was found.
    """
    found, others, seen, todo, suffixes = [], [], set(), [root], set(image_suffixes())
    odd = Counter({IRREGULAR: 0, LOCKED: 0})
    watched: dict[str, str] = {}
    while todo:
        folder = todo.pop()
        real = os.path.realpath(folder)
        if real in seen:
            continue
        seen.add(real)
        watched[str(folder)] = state_of(str(folder))
        inside = '' if folder == root else f'{folder.relative_to(root).as_posix()}/'
        try:
            entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
        except PermissionError:
            if folder == root:
                raise
            odd[LOCKED] += 1
            continue
        for entry in entries:
            if entry.name.startswith('.'):
                continue
            if _holds(entry.is_dir):
                todo.extend([Path(entry.path)] if recursive else [])
            elif suffix_of(entry.name) not in suffixes:
                others.append(entry.name)
            elif _holds(entry.is_file) or (entry.is_symlink() and not os.path.exists(entry.path)):
                found.append(inside + entry.name)
            else:
                odd[IRREGULAR] += 1
    left_out = count_suffixes(others)
    return Scan(sorted(found), left_out + odd, watched)


def _holds(asked: Callable[[], bool]) -> bool:
    """What a file system says of an entry; nothing holds of a link to itself."""
    try:
        return asked()
    except OSError:
        return False


def list_images(root: Path, recursive: bool = True) -> list[str]:
    """The paths of :func:`scan_images` alone.

    Args:
        root: The folder.
        recursive: Enter sub folders.
    """
    return scan_images(root, recursive).paths


def no_image_error(folder: Path, left_out: Mapping[str, int], hint: str = '') -> FileNotFoundError:
    """The error for a folder without images: what lies there instead, and what to do.

    Args:
        folder: The folder.
        left_out: See :func:`scan_images`.
        hint: What else to do.
    """
    said, kinds = passed_over(left_out), len(image_suffixes())
    return FileNotFoundError(f'{folder} holds no image (.jpg, .png or {kinds - 2} other kinds)'
                             + (f'; {said}' if said else '') + f'. {hint}'.rstrip('. '))


def existing_folder(root: Union[str, Path]) -> Path:
    """Look for the folder of the data.

    Args:
        root: Its path.

    Returns:
        The same; a missing folder raises ``FileNotFoundError``.
    """
    root = Path(root)
    if not root.is_dir():
        raise FileNotFoundError(f'{root.absolute()} is not a folder. Unpack the data there or correct `root`.')
    return root


def sub_folders(folder: Path) -> list[str]:
    """List the visible sub folders.

    Args:
        folder: Where to look.

    Returns:
        Their names, sorted.
    """
    return sorted(entry.name for entry in os.scandir(folder) if _holds(entry.is_dir) and not entry.name.startswith('.'))
