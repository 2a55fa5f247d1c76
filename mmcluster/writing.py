"""Files that are either the old one or the whole new one."""
from __future__ import annotations

import os
import uuid
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, Iterator, Union


@contextmanager
def whole_file(path: Union[str, Path], durable: bool = True) -> Iterator[BinaryIO]:
    """Open a temporary file beside a path; it takes the path's place at the end of the block, and goes if that fails.

    Readers see the old content or the whole new one, whenever the writer dies. No other process takes the temporary
    name.

    Args:
        path: Where the file shall be; its folder must exist.
        durable: Wait until it is on the disk, so that this holds after a power cut, too. What can be made again, such
            as a cache, need not wait.

    Raises:
        FileNotFoundError: If there is no such folder.
    """
    path = Path(path)
    if not path.parent.is_dir():        # else the error would name the temporary file
        raise FileNotFoundError(f'there is no folder {path.parent} for {path.name}: make it first')
    part = path.with_name(f'.{path.name}.{uuid.uuid4().hex}.part')
    try:
        with open(part, 'xb') as stream:
            yield stream
            if durable:
                stream.flush()
                os.fsync(stream.fileno())       # a name must not outlive a power cut that its content did not
        os.replace(part, path)
        if durable:
            sync_folder(path.parent)
    finally:
        with suppress(OSError):     # it is gone when all went well
            part.unlink()


def sync_folder(folder: Union[str, Path]) -> None:
    """Wait until the names in a folder are on the disk, where the system can do that."""
    if os.name == 'posix':
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
