"""What a scan of a large folder found, kept in one file of plain arrays that is mapped, not read into objects."""
from __future__ import annotations

import hashlib
import json
import os
import time
import warnings
from functools import partial
from pathlib import Path
from typing import BinaryIO, Callable, Mapping, NamedTuple, Optional, Sequence

import numpy as np

from .cache import cache_folder, remembered, write_atomically
from .path_table import PathTable
from .seeding import stable_hash

WORTH = 10_000      # files, from which on a listing is kept
_MAGIC = b'MMCINDEX'
_DTYPES = ('|u1', '<i8')
_DIGEST_BYTES = 16
_SETTLED = 2 * 10 ** 9      # nanoseconds; a change just before a scan and one just after it may have the same time


class Listing(NamedTuple):
    """What a scan found.

    Attributes:
        paths: N paths relative to the folder of the data.
        labels: (N,) int64, or None.
        classes: Class names.
        left_out: Reason -> number of files that were passed over.
        notes: Warnings, to be given at every start.
        watched: State of every folder, table and archive that was read, see :func:`state_of`: the listing holds until
            one changes.
        places: (2, N) int64, where the images begin in their archives and their sizes in bytes; None for files.
    """
    paths: PathTable
    labels: Optional[np.ndarray]
    classes: Sequence[str]
    left_out: Mapping[str, int]
    notes: Sequence[str]
    watched: Mapping[str, str]
    places: Optional[np.ndarray] = None


def kept_listing(root: Path, settings: Sequence[str], scan: Callable[[], Listing], always: bool = False) -> Listing:
    """Take the listing of a large folder from the cache folder, or make it, by one process of a computer at a time.

    A folder of fewer than :data:`WORTH` files is scanned every time. A kept listing is used as long as no folder in it
    has changed, which adding, removing, renaming and replacing files does. Files that are written to in place keep
    their names and so their listing; what is kept of their content has other names then.

    Args:
        root: Folder of the data.
        settings: What else the listing depends on.
        scan: Makes it; its warnings are kept with it.
        always: Keep that of a small folder, too.

    Returns:
        The listing, with its warnings given.
    """
    name = stable_hash(os.path.realpath(root), *settings)
    file = cache_folder('images') / f'{name:016x}_index.bin'
    keep = always or file.exists() or _holds_many(root)
    write = partial(_write_settled, begun=time.time_ns())
    listing = remembered(file if keep else None, read_index, partial(_noted, scan), write)
    for note in listing.notes:
        warnings.warn(note)
    return listing


def state_of(path: str) -> str:
    """What changes when a file or a folder does, without reading it; an empty text if there is none.

    The time of the last change of its status cannot be set back, unlike that of its content.

    Args:
        path: The file or folder; of a link, what it leads to.
    """
    try:
        found = os.stat(path)
    except OSError:
        return ''
    return f'{found.st_size} {found.st_mtime_ns} {found.st_ino} {found.st_ctime_ns}'


def _holds_many(root: Path) -> bool:
    """Whether a folder holds enough files for a listing to be kept."""
    left, seen = WORTH, set()
    for folder, inside, files in os.walk(root, followlinks=True):
        real = os.path.realpath(folder)
        if real in seen:
            inside.clear()
            continue
        seen.add(real)
        left -= len(files)
        if left <= 0:
            return True
    return False


def _noted(scan: Callable[[], Listing]) -> Listing:
    """Scan, and put what is warned of into the notes."""
    with warnings.catch_warnings(record=True) as given:
        warnings.simplefilter('always')
        listing = scan()
    return listing._replace(notes=[*listing.notes, *(str(one.message) for one in given)])


def _write_settled(file: Path, listing: Listing, begun: int) -> bool:
    """Keep a listing, unless something changed so shortly before it began that a later change looks the same."""
    latest = max((int(state.split()[at]) for state in listing.watched.values() if state for at in (1, 3)), default=0)
    return latest < begun - _SETTLED and write_index(file, listing)


def write_index(file: Path, listing: Listing) -> bool:
    """Write a listing: a header of JSON, arrays, and the checksum of both.

    Args:
        file: Where to.
        listing: What to keep.

    Returns:
        Whether the file could be written.
    """
    watched = PathTable.of(list(listing.watched))
    arrays = dict(text=listing.paths.text, ends=listing.paths.ends, folders=watched.text, folder_ends=watched.ends)
    if listing.labels is not None:
        arrays['labels'] = listing.labels
    if listing.places is not None:
        arrays['places'] = listing.places.reshape(-1)
    header = json.dumps(dict(
        arrays={name: [array.dtype.str, len(array)] for name, array in arrays.items()},
        classes=list(listing.classes), left_out=dict(listing.left_out), notes=list(listing.notes),
        states=list(listing.watched.values()))).encode()
    header += b' ' * (-(len(header) + len(_MAGIC)) % 8)     # arrays of whole numbers begin at multiples of 8

    def write(stream: BinaryIO) -> None:
        """Write the parts and hash them."""
        digest = hashlib.blake2b(digest_size=_DIGEST_BYTES)
        for part in (_MAGIC, len(header).to_bytes(8, 'little'), header, *map(_padded, arrays.values())):
            digest.update(part)
            stream.write(part)
        stream.write(digest.digest())

    return write_atomically(file, write)


def _padded(array: np.ndarray) -> bytes:
    """The bytes of an array, with zeros up to a multiple of 8."""
    return array.tobytes() + bytes(-array.nbytes % 8)


def read_index(file: Path) -> Optional[Listing]:
    """Map a listing.

    Args:
        file: A file of :func:`write_index`.

    Returns:
        The listing; None if the file is missing, if a folder has changed since, or, with a warning, if it is damaged.
    """
    if not file.is_file():
        return None
    try:
        listing = _mapped(np.memmap(file, np.uint8, 'r'))
    except (OSError, ValueError, KeyError, TypeError) as error:
        warnings.warn(f'the list of files {file} is damaged ({error}) and will be made again')
        return None
    fresh = all(state_of(path) == state for path, state in listing.watched.items())
    return listing if fresh else None


def _mapped(whole: np.ndarray) -> Listing:
    """The listing in the bytes of a file; anything odd in them raises."""
    start = 8 + len(_MAGIC)
    if whole[:len(_MAGIC)].tobytes() != _MAGIC:
        raise ValueError('it is of another kind')
    content = whole[:-_DIGEST_BYTES].data
    if hashlib.blake2b(content, digest_size=_DIGEST_BYTES).digest() != whole[-_DIGEST_BYTES:].tobytes():
        raise ValueError('its checksum is wrong')
    size = int.from_bytes(whole[len(_MAGIC):start].tobytes(), 'little')
    header, place, arrays = json.loads(whole[start:start + size].tobytes()), start + size, {}
    for name, (kind, count) in header['arrays'].items():
        if kind not in _DTYPES:
            raise ValueError(f'it holds {kind}')
        used = np.dtype(kind).itemsize * count
        arrays[name] = np.asarray(whole[place:place + used].view(kind))
        place += used + -used % 8
    folders = PathTable(arrays['folders'], arrays['folder_ends'])
    places = arrays['places'].reshape(2, -1) if 'places' in arrays else None
    return Listing(PathTable(arrays['text'], arrays['ends']), arrays.get('labels'), header['classes'],
                   header['left_out'], header['notes'], dict(zip(folders, header['states'])), places)
