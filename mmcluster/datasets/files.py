"""What sources of image files share: decoding the files, and knowing them again."""
from __future__ import annotations

import hashlib
import json
import os
import stat
import warnings
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property, partial
from pathlib import Path
from typing import Any, Mapping, Optional, Sequence

import numpy as np
from PIL import Image

from mmcluster.image_files import passed_over

from .cache import cache_folder, remembered, write_atomically
from .decode import TIFF_SUFFIXES, UnreadableImageError, decode_image, decoder_name, tiff_fault, unreadable_error
from .names import printable
from .seeding import stable_hash
from .sources import ImageSource

UNREADABLE = 'unreadable'


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
        left_out: Suffix or other reason -> number of files that were passed over; a warning tells of them.
    """

    root: Path
    paths: list[str]

    def __init__(self, root: Path, paths: list[str], labels: Optional[np.ndarray], classes: Sequence[str],
                 mode: str, skip_unreadable: bool, left_out: Mapping[str, int] = ImageSource.left_out) -> None:
        if mode not in ('RGB', 'L'):
            raise ValueError(f"mode must be 'RGB' or 'L', got {mode!r}")
        self.root, self.name, self.mode, self.classes = root, printable(root.name), mode, tuple(classes)
        self.left_out = dict(left_out)
        said = passed_over(left_out)
        if said:
            warnings.warn(f'{root}: {said}')
        states = [_state_of(root / path) for path in paths]
        keep = list(range(len(paths)))
        if skip_unreadable:
            bad = self._unreadable(paths, states)
            keep = [i for i in keep if paths[i] not in bad]
            self.left_out.update({UNREADABLE: len(bad)} if bad else {})
        if not keep:
            raise UnreadableImageError(f'none of the {len(paths)} images in {root} can be read')
        self.paths = [paths[i] for i in keep]
        self.labels = None if labels is None else labels[keep]
        self._cache_name = self._name_of(self.paths, [states[i] for i in keep])

    @property
    def cache_name(self) -> str:
        """Hash of folder and paths, and hash of the state of every file: size, times and inode."""
        return self._cache_name

    @cached_property
    def fingerprint(self) -> int:  # type: ignore[override]  # computed when it is asked for
        """63-bit number that changes with the content of the files and their order, but not when they are moved.

        All files are read for it, once: it is kept for as long as no file changes its state.
        """
        file = cache_folder('images') / f'{self.cache_name}_content.json'
        return remembered(file, partial(_read_record, kind=int), self._content, _write_record)

    def _content(self) -> int:
        """Hash relative paths and contents."""
        with ThreadPoolExecutor() as pool:
            digests = list(pool.map(_digest_of, [self.root / path for path in self.paths]))
        return stable_hash('\n'.join(f'{path}\0{digest}' for path, digest in zip(self.paths, digests)))

    def _name_of(self, paths: Sequence[str], states: Sequence[str]) -> str:
        """Begin the names of cache files."""
        place = stable_hash(os.path.realpath(self.root), '\n'.join(paths))
        return f'{place:016x}_{stable_hash(decoder_name(), chr(10).join(states)):016x}'

    def load(self, i: int) -> Image.Image:
        """Decode image ``i``; see :func:`~mmcluster.datasets.decode.decode_image` for what is raised."""
        return decode_image(self.root / self.paths[i], self.mode)

    def _unreadable(self, paths: list[str], states: list[str]) -> set[str]:
        """Return the paths that cannot be decoded, and warn about them."""
        def find() -> list[str]:
            """Try all images."""
            with ThreadPoolExecutor() as pool:
                reasons = list(pool.map(_reason, [self.root / path for path in paths]))
            return [path for path, reason in zip(paths, reasons) if reason]

        file = cache_folder('images') / f'{self._name_of(paths, states)}_unreadable.json'
        bad = remembered(file, partial(_read_record, kind=list), find, _write_record)
        if bad:
            warnings.warn(f'{self.root}: left out {len(bad)} of {len(paths)} images that cannot be read: '
                          + ', '.join(map(printable, bad[:20])) + (' ...' if len(bad) > 20 else ''))
        return set(bad)


def check_headers(source: ImageSource, rows: Sequence[int]) -> None:
    """Refuse TIFFs that no image can be made of, without decoding anything.

    Sets that decode their files one by one would stop at the first of them, in the middle of an epoch.

    Args:
        source: Any images. Only files that are named as TIFFs are opened, about 0.1 ms each.
        rows: Those that are used.

    Raises:
        UnreadableImageError: If there are any; it names them.
    """
    failures = []
    if source.paths is None or source.root is None:
        return
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


def _read_record(file: Path, kind: type) -> Any:
    """Read what an earlier run found out; None if it is missing or damaged."""
    try:
        value = json.loads(file.read_text(encoding='utf-8'))
    except (OSError, ValueError):
        return None
    return value if isinstance(value, kind) else None


def _write_record(file: Path, value: Any) -> None:
    """Keep what was found out."""
    write_atomically(file, lambda stream: stream.write(json.dumps(value).encode()))


def _state_of(path: Path) -> str:
    """What changes when a file does, without reading it; a dangling link, which decoding reports, has none.

    The time of the last change of its status cannot be set back, unlike that of its content.
    """
    try:
        found = path.stat()
    except OSError:
        return ''
    return f'{found.st_size} {found.st_mtime_ns} {found.st_ino} {found.st_ctime_ns}'


def _digest_of(path: Path) -> str:
    """Hash the content of a file; an empty text if it cannot be read, which decoding reports."""
    digest = hashlib.blake2b(digest_size=16)
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            return ''
        with open(path, 'rb') as file:
            for part in iter(lambda: file.read(1 << 20), b''):
                digest.update(part)
    except OSError:
        return ''
    return digest.hexdigest()
