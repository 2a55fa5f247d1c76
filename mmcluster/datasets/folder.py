"""Image sources that read files: class folders, or any folder with an optional CSV of labels."""
from __future__ import annotations

import json
import os
import posixpath
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Optional, Sequence, Union

import numpy as np
from PIL import Image

from mmcluster.registry import DATASETS

from .decode import IMAGE_SUFFIXES, UnreadableImageError, decode_image
from .image_bank import CACHE_FOLDER, write_atomically
from .label_csv import read_labels
from .seeding import stable_hash
from .sources import ImageSource

_SPLIT_NAMES = {'train', 'test', 'val', 'valid', 'validation'}


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


def _existing_folder(root: Union[str, Path]) -> Path:
    """Return ``root`` as a path, or say that it is missing."""
    root = Path(root)
    if not root.is_dir():
        raise FileNotFoundError(f'{root.absolute()} is not a folder. Unpack the data there or correct `root`.')
    return root


def _sub_folders(folder: Path) -> list[str]:
    """Sorted names of the visible sub folders."""
    return sorted(entry.name for entry in os.scandir(folder) if entry.is_dir() and not entry.name.startswith('.'))


@DATASETS.register_module()
class ClassFolderSource(FileSource):
    """One sub folder per class: ``root/<split>/<class>/...``, or ``root/<class>/...``.

    Rows are ordered by split as given, then class, then path as plain text.

    Args:
        root: Folder of the data.
        splits: Folders to join, in this order; None if the class folders lie directly in ``root``.
        classes: Class folders to use, in the order of their labels; None for all, sorted.
        mode: ``'RGB'`` or ``'L'``.
        skip_unreadable: Leave out images that cannot be read (a warning counts them).

    Edge cases:
        Missing or empty class folders and splits with different classes are errors.
    """

    def __init__(self, root: Union[str, Path], splits: Optional[Sequence[str]] = ('train', 'test'),
                 classes: Optional[Sequence[str]] = None, mode: str = 'RGB', skip_unreadable: bool = False) -> None:
        root = _existing_folder(root)
        folders = [''] if splits is None else [splits] if isinstance(splits, str) else list(splits)
        names = self._classes(root, folders, classes)
        paths, labels = [], []
        for folder in folders:
            for label, name in enumerate(names):
                inside = list_images(root / folder / name)
                if not inside:
                    raise FileNotFoundError(f'{root / folder / name} holds no image ({" ".join(IMAGE_SUFFIXES)}). '
                                            'Fill or remove it, or name the wanted folders in `classes`.')
                paths += [posixpath.join(folder, name, path) for path in inside]
                labels += [label] * len(inside)
        super().__init__(root, paths, np.asarray(labels, np.int64), names, mode, skip_unreadable)

    @staticmethod
    def _classes(root: Path, folders: list[str], classes: Optional[Sequence[str]]) -> list[str]:
        """Return the class names and check that every split has them."""
        found = {}
        for folder in folders:
            if not (root / folder).is_dir():
                raise FileNotFoundError(f'{root} has no folder {folder!r}; found {_sub_folders(root)}. '
                                        'Correct `splits`, or pass None if the class folders lie directly in root.')
            found[folder] = _sub_folders(root / folder)
        names = found[folders[0]] if classes is None else list(classes)
        if not names:
            raise FileNotFoundError(f'{root / folders[0]} has no class folders; use FolderSource for a plain folder')
        if folders == [''] and _SPLIT_NAMES.issuperset(names):
            raise ValueError(f'the folders {names} of {root} look like splits, not classes; pass splits={tuple(names)}')
        for folder, inside in found.items():
            odd = set(names) - set(inside) if classes is not None else set(names) ^ set(inside)
            if odd:
                raise FileNotFoundError(f'class folders {sorted(odd)} are not in every split of {root} '
                                        f'({folder or "root"!r} has {inside})')
        return names


@DATASETS.register_module()
class FolderSource(FileSource):
    """Any folder of images, with or without labels.

    Args:
        root: Folder of the data. Rows are ordered by relative path as plain text.
        labels: CSV file with the columns path (relative to ``root``) and label, a header line optional; relative
            names are looked up in ``root`` first. Labels are names or whole numbers; their sorted distinct values
            become 0..K-1. An empty label or -1 means unknown. None: no ground truth.
        recursive: Enter sub folders.
        mode: ``'RGB'`` or ``'L'``.
        skip_unreadable: Leave out images that cannot be read (a warning counts them).

    Edge cases:
        A CSV that names a file twice, names a missing file or leaves an image out is an error that names the rows.
    """

    def __init__(self, root: Union[str, Path], labels: Union[str, Path, None] = None, recursive: bool = True,
                 mode: str = 'RGB', skip_unreadable: bool = False) -> None:
        root = _existing_folder(root)
        paths = list_images(root, recursive)
        if not paths:
            raise FileNotFoundError(f'{root} holds no image ({" ".join(IMAGE_SUFFIXES)})'
                                    + ('' if recursive else '; set recursive=True to look into sub folders'))
        numbers, classes = None, []
        if labels is not None:
            table = root / labels if (root / labels).is_file() else Path(labels)
            numbers, classes = read_labels(table, paths)
        super().__init__(root, paths, numbers, classes, mode, skip_unreadable)
