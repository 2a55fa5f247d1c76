"""What sources of image files share: finding, counting and decoding the files."""
from __future__ import annotations

import json
import os
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Optional, Sequence, Union

import numpy as np
from PIL import Image

from .decode import IMAGE_SUFFIXES, TIFF_SUFFIXES, UnreadableImageError, decode_image, tiff_fault, unreadable_error
from .image_bank import CACHE_FOLDER, write_atomically
from .seeding import stable_hash
from .sources import ImageSource


def list_images(root: Path, recursive: bool = True) -> list[str]:
    """List the images below a folder in an order that does not depend on the file system.

    Files count as images by their suffix, in either case. Names that start with a dot are passed over. Folders behind
    symbolic links are entered, each real folder once.

    Args:
        root: The folder.
        recursive: Enter sub folders.

    Returns:
        Paths relative to ``root`` with forward slashes, sorted as plain text (``img10`` before ``img2``).
    """
    found, seen, todo = [], set(), [root]
    while todo:
        folder = todo.pop()
        real = os.path.realpath(folder)
        if real in seen:
            continue
        seen.add(real)
        for entry in sorted(os.scandir(folder), key=lambda entry: entry.name):
            if entry.name.startswith('.'):
                continue
            if entry.is_dir():
                todo.extend([Path(entry.path)] if recursive else [])
            elif entry.name.lower().endswith(IMAGE_SUFFIXES):
                found.append(Path(entry.path).relative_to(root).as_posix())
    return sorted(found)


class FileSource(ImageSource):
    """Images in files. Subclasses find the files and their labels.

    Args:
        root: Folder of the data.
        paths: Paths relative to ``root``, in the order of the index.
        labels: (N,) int64, or None.
        classes: Class names.
        mode: ``'RGB'`` or ``'L'``.
        skip_unreadable: Try every image now and leave out those that cannot be read, before the rows are numbered.
            The list of bad files is kept in the cache folder, so that later runs need not try again.
    """

    def __init__(self, root: Path, paths: list[str], labels: Optional[np.ndarray], classes: Sequence[str],
                 mode: str, skip_unreadable: bool) -> None:
        if mode not in ('RGB', 'L'):
            raise ValueError(f"mode must be 'RGB' or 'L', got {mode!r}")
        self.root, self.name, self.mode, self.classes = root, root.name, mode, tuple(classes)
        sizes, times = zip(*[_size_and_time(root / path) for path in paths])
        self.newest = max(times)
        keep = range(len(paths))
        if skip_unreadable:
            bad = self._unreadable(paths, _fingerprint(paths, sizes))
            keep = [i for i in keep if paths[i] not in bad]
        if not keep:
            raise UnreadableImageError(f'none of the {len(paths)} images in {root} can be read')
        self.paths = [paths[i] for i in keep]
        self.labels = None if labels is None else labels[list(keep)]
        self.fingerprint = _fingerprint(self.paths, [sizes[i] for i in keep])

    def load(self, i: int) -> Image.Image:
        """Decode image ``i``; see :func:`~mmcluster.datasets.decode.decode_image` for what is raised."""
        return decode_image(self.root / self.paths[i], self.mode)

    def _unreadable(self, paths: list[str], fingerprint: int) -> set[str]:
        """Return the paths that cannot be decoded, and warn about them."""
        record = self.root / CACHE_FOLDER / f'{fingerprint:016x}_unreadable.json'
        bad = _read_record(record, self.newest)
        if bad is None:
            with ThreadPoolExecutor() as pool:
                reasons = list(pool.map(_reason, [self.root / path for path in paths]))
            bad = [path for path, reason in zip(paths, reasons) if reason]
            write_atomically(record, lambda file: file.write(json.dumps(bad).encode()))
        if bad:
            warnings.warn(f'{self.root}: left out {len(bad)} of {len(paths)} images that cannot be read: '
                          + ', '.join(bad[:20]) + (' ...' if len(bad) > 20 else ''))
        return set(bad)


def check_headers(source: ImageSource, rows: Sequence[int]) -> None:
    """Refuse TIFFs that no image can be made of, without decoding anything.

    Sets that decode their files one by one would stop at the first of them, in the middle of an epoch.

    Args:
        source: Images in files. Only those named as TIFFs are opened, about 0.1 ms each.
        rows: Those that are used.

    Raises:
        UnreadableImageError: If there are any; it names them.
    """
    failures = []
    for path in (source.paths[row] for row in rows):
        reason = tiff_fault(source.root / path) if path.lower().endswith(TIFF_SUFFIXES) else ''
        failures += [(path, reason)] if reason else []
    if failures:
        raise unreadable_error(failures, len(rows))


def _reason(path: Path) -> str:
    """Return why a file cannot be read, or an empty text."""
    try:
        decode_image(path)
    except UnreadableImageError as error:
        return error.reason
    return ''


def _read_record(record: Path, newest: float) -> Optional[list[str]]:
    """Read the list of bad files of an earlier run; None if it is missing, damaged or older than an image."""
    try:
        return json.loads(record.read_text()) if record.stat().st_mtime >= newest else None
    except (OSError, ValueError):
        return None


def _size_and_time(path: Path) -> tuple[int, float]:
    """Size and modification time of a file; zeros for a dangling link, which decoding then reports."""
    try:
        stat = path.stat()
    except OSError:
        return 0, 0.
    return stat.st_size, stat.st_mtime


def _fingerprint(paths: Sequence[str], sizes: Sequence[int]) -> int:
    """Hash relative paths and file sizes."""
    return stable_hash('\n'.join(f'{path}\0{size}' for path, size in zip(paths, sizes)))


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
    return sorted(entry.name for entry in os.scandir(folder) if entry.is_dir() and not entry.name.startswith('.'))
