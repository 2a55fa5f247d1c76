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

from mmcluster.checks import require_count
from mmcluster.image_files import passed_over
from mmcluster.image_names import printable

from .cache import cache_folder, remembered, write_atomically
from .decode import TIFF_SUFFIXES, UnreadableImageError, decode_image, decoder_name, tiff_fault, unreadable_error
from .index_file import state_of
from .path_table import PathTable
from .seeding import stable_hash
from .sources import ImageSource

UNREADABLE = 'unreadable'
MOST_READ = 200_000     # files; of larger sets the fingerprint reads so many as the next number says
_SAMPLED = 1024


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
        draft: Shorter edge in pixels that is enough, see :func:`~mmcluster.datasets.decode.decode_image`.
    """

    root: Path
    paths: PathTable
    left_out: dict[str, int]

    def __init__(self, root: Path, paths: Sequence[str], labels: Optional[np.ndarray], classes: Sequence[str],
                 mode: str, skip_unreadable: bool, left_out: Mapping[str, int] = ImageSource.left_out,
                 draft: Optional[int] = None) -> None:
        if mode not in ('RGB', 'L'):
            raise ValueError(f"mode must be 'RGB' or 'L', got {mode!r}")
        require_count(type(self).__name__, draft=draft)
        self.root, self.name, self.mode, self.classes = root, printable(root.name), mode, tuple(classes)
        self.paths, self.labels, self.draft = PathTable.of(paths), labels, draft
        self.left_out = dict(left_out)
        said = passed_over(left_out)
        if said:
            warnings.warn(f'{root}: {said}')
        if skip_unreadable:
            self._leave_out(self._unreadable(self.paths))
        if not len(self.paths):
            raise UnreadableImageError(f'none of the {len(paths)} images in {root} can be read')

    def _leave_out(self, bad: set[str]) -> None:
        """Drop what cannot be read, before the rows are numbered."""
        if bad:
            keep = np.flatnonzero([path not in bad for path in self.paths])
            self.paths = self.paths.take(keep)
            self.labels = None if self.labels is None else self.labels[keep]
            self.left_out = {**self.left_out, UNREADABLE: len(bad)}

    @cached_property
    def cache_name(self) -> str:
        """Hash of folder and paths, and hash of the state of every file: size, times and inode."""
        return self._name_of(self.paths)

    @cached_property
    def fingerprint(self) -> int:  # type: ignore[override]  # computed when it is asked for
        """63-bit number that changes with the content of the files and their order, but not when they are moved.

        All files are read for it, once: it is kept for as long as no file changes its state. Of more than
        :data:`MOST_READ` files it takes all paths, and the content of 1,024 files spread evenly over them: reading
        the whole of ImageNet, 140 GB, would delay the first start by up to an hour.
        """
        read = self.paths
        if len(self.paths) > MOST_READ:
            read = self.paths.take(np.linspace(0, len(self.paths) - 1, _SAMPLED).astype(np.int64))
        file = cache_folder('images') / f'{self._name_of(read)}_content.json'
        content = remembered(file, partial(_read_record, kind=int), partial(self._content, read), _write_record)
        return content if read is self.paths else self.paths.hashed(content)

    def _content(self, paths: PathTable) -> int:
        """Hash relative paths and contents."""
        with ThreadPoolExecutor() as pool:
            digests = list(pool.map(_digest_of, [self.root / path for path in paths]))
        return stable_hash('\n'.join(f'{path}\0{digest}' for path, digest in zip(paths, digests)))

    def _name_of(self, paths: PathTable) -> str:
        """Begin the names of cache files of some images: what they are called, and the states that they are in."""
        place = stable_hash(os.path.realpath(self.root), '\n'.join(paths))
        states = '\n'.join(state_of(f'{self.root}/{path}') for path in paths)
        return f'{place:016x}_{stable_hash(decoder_name(paths, self.draft), states):016x}'

    def load(self, i: int) -> Image.Image:
        """Decode image ``i``; see :func:`~mmcluster.datasets.decode.decode_image` for what is raised."""
        return decode_image(self.root / self.paths[i], self.mode, self.draft)

    def _unreadable(self, paths: PathTable) -> set[str]:
        """Return the paths that cannot be decoded, and warn about them."""
        def find() -> list[str]:
            """Try all images."""
            with ThreadPoolExecutor() as pool:
                reasons = list(pool.map(_reason, [self.root / path for path in paths]))
            return [path for path, reason in zip(paths, reasons) if reason]

        file = cache_folder('images') / f'{self._name_of(paths)}_unreadable.json'
        bad = remembered(file, partial(_read_record, kind=list), find, _write_record)
        if bad:
            warnings.warn(f'{self.root}: left out {len(bad)} of {len(paths)} images that cannot be read: '
                          + ', '.join(map(printable, bad[:20])) + (' ...' if len(bad) > 20 else ''))
        return set(bad)


def check_headers(source: ImageSource, rows: np.ndarray) -> None:
    """Refuse TIFFs that no image can be made of, without decoding anything.

    Sets that decode their files one by one would stop at the first of them, in the middle of an epoch.

    Args:
        source: Any images. Only files that are named as TIFFs are opened, about 0.1 ms each.
        rows: (n,) those that are used.

    Raises:
        UnreadableImageError: If there are any; it names them.
    """
    failures = []
    if source.paths is None or source.root is None:
        return
    tiffs = PathTable.of(source.paths).ending_in(TIFF_SUFFIXES)
    for path in (source.paths[row] for row in rows[tiffs[rows]]):
        reason = tiff_fault(source.root / path)
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
