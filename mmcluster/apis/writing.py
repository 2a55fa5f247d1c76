"""Files that are either the old one or the whole new one."""
from __future__ import annotations

import os
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Iterator


@contextmanager
def whole_file(path: Path) -> Iterator[BinaryIO]:
    """Open a temporary file beside a path; it takes the path's place at the end of the block, and goes if that fails.

    Args:
        path: Where the file shall be; its folder must exist.
    """
    part = path.with_name(f'.{path.name}.{os.getpid()}.part')
    try:
        with open(part, 'wb') as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())       # a name must not outlive a power cut that its content did not
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)
