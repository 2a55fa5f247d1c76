"""Files that spare work at the next start. They lie in the user's cache folder, never among the data."""
from __future__ import annotations

import os
import time
import warnings
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, Callable, Iterator, Optional, TypeVar

from mmengine.logging import print_log

from mmcluster.writing import whole_file

try:
    import fcntl
except ImportError:     # Windows: every process does the work itself
    fcntl = None  # type: ignore[assignment]  # tested wherever it is used

_STALE_SECONDS = 3600
_Value = TypeVar('_Value')


def cache_folder(name: str) -> Path:
    """Folder of this user for one kind of files that can be made again; it is not made here.

    ``MMCLUSTER_CACHE`` comes before ``XDG_CACHE_HOME/mmcluster``, and that before ``~/.cache/mmcluster``.

    Args:
        name: Kind of files, such as ``'features'``.
    """
    own, shared = os.environ.get('MMCLUSTER_CACHE'), os.environ.get('XDG_CACHE_HOME')
    root = Path(own) if own else Path(shared) / 'mmcluster' if shared else Path.home() / '.cache' / 'mmcluster'
    return root.expanduser().absolute() / name


def remembered(file: Optional[Path], read: Callable[[Path], Optional[_Value]], make: Callable[[], _Value],
               write: Callable[[Path, _Value], object]) -> _Value:
    """Take a value from its cache file, or make it, once on a computer however many processes ask for it.

    The others wait for the first. It may fail or be killed: the system then frees its lock, and the next one makes the
    value, or fails with the same error, itself. Nothing is awaited from a process that could have ended.

    Args:
        file: The cache file; None: nothing is kept.
        read: File -> value, None if it must be made.
        make: Makes the value.
        write: Keeps it: called with the file and the value.

    Returns:
        The value.
    """
    value = None if file is None else read(file)
    if value is not None:
        return value
    if file is None:
        return make()
    with _locked(file):
        value = read(file)
        if value is None:
            value = make()
            write(file, value)
    return value


@contextmanager
def _locked(file: Path) -> Iterator[None]:
    """Be the only process that makes a file; without effect where the file system has no locks."""
    with suppress(OSError):
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)  # others need not see private photographs
    lock = None
    with suppress(OSError):     # a folder that cannot be written, of which writing the file warns
        lock = os.open(file.with_name(f'.{file.name}.lock'), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        if lock is not None and fcntl is not None:
            _acquire(lock, file)
        yield
    finally:
        if lock is not None:
            os.close(lock)      # which also unlocks it


def _acquire(lock: int, file: Path) -> None:
    """Lock an open file, and say so if that takes time."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        print_log(f'waiting for another process that makes {file}', logger='current')
        with suppress(OSError):
            fcntl.flock(lock, fcntl.LOCK_EX)
    except OSError:             # no locks on this file system
        pass


def write_atomically(file: Path, write: Callable[[BinaryIO], object]) -> bool:
    """Write a file so that readers see the old content or the whole new one, whenever the writer dies.

    Args:
        file: Where to; its folder is made if needed.
        write: Called with the open temporary file, which lies in the same folder.

    Returns:
        True, or False with a warning if the folder cannot be written. Other errors leave no file behind and go on.
    """
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        for left in file.parent.glob(f'.{file.name}.*'):  # of writers that were killed
            if left.suffix != '.lock' and time.time() - left.stat().st_mtime > _STALE_SECONDS:
                left.unlink()
        with whole_file(file, durable=False) as stream:
            write(stream)
    except OSError as error:
        warnings.warn(f'cannot write {file} ({error}); nothing is cached. Set the environment variable '
                      'MMCLUSTER_CACHE to a writable folder, or give one as `cache`, or cache=False.')
        return False
    return True
