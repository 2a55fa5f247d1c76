"""Files of the feature store: whole rows, written once, that can run no code.

A chunk is a ``.npy`` file of N values, followed by N keys, N checksums of the values, and one checksum of keys and
checksums together; numpy does not mind what follows the values. So the index is read without reading the values, and
a value is checked when it is used.
"""
from __future__ import annotations

import hashlib
import io
import os
import time
import zlib
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple, Sequence

import numpy as np

KEY_BYTES = 16
_CHECK_BYTES = 4
_STALE_SECONDS = 3600


class Chunk(NamedTuple):
    """Rows of one file.

    Attributes:
        keys: N keys.
        values: (N, D), memory-mapped.
        checks: (N,) checksums of the values.
    """
    keys: list[bytes]
    values: np.ndarray
    checks: np.ndarray


def chunk_parts(keys: Sequence[bytes], values: np.ndarray) -> list[bytes]:
    """The bytes of a chunk.

    Args:
        keys: N keys.
        values: (N, D).
    """
    stream = io.BytesIO()
    np.lib.format.write_array(stream, np.ascontiguousarray(values), allow_pickle=False)
    tail = b''.join(keys) + checksums(values).tobytes()
    return [stream.getvalue(), tail, _digest(tail)]


def read_chunk(file: Path) -> Chunk:
    """Open a chunk; its values are not read.

    Args:
        file: Written from :func:`chunk_parts`.

    Raises:
        ValueError: If the file is truncated, or its keys are damaged.
    """
    values = np.load(file, mmap_mode='r', allow_pickle=False)
    if values.ndim != 2:
        raise ValueError(f'it holds {values.shape}')
    size = len(values) * (KEY_BYTES + _CHECK_BYTES)
    with open(file, 'rb') as stream:
        stream.seek(-min(size + KEY_BYTES, os.fstat(stream.fileno()).st_size), os.SEEK_END)
        tail, digest = stream.read(size), stream.read()
    if digest != _digest(tail):
        raise ValueError('the checksum of its keys is wrong')
    split = len(values) * KEY_BYTES
    keys = split_keys(np.frombuffer(tail[:split], np.uint8))
    return Chunk(keys, values.view(np.ndarray), np.frombuffer(tail[split:], np.uint32))


def checksums(values: np.ndarray) -> np.ndarray:
    """(N,) uint32 checksums of the bytes of N rows."""
    return np.array([zlib.crc32(row) for row in np.ascontiguousarray(values)], np.uint32)


def split_keys(values: np.ndarray) -> list[bytes]:
    """Bytes of N keys -> N keys."""
    flat = np.ascontiguousarray(values).tobytes()
    return [flat[i:i + KEY_BYTES] for i in range(0, len(flat), KEY_BYTES)]


def remove_stale(folder: Path) -> None:
    """Remove what killed writers left in a folder."""
    for left in folder.glob('.*'):
        with suppress(OSError):
            if time.time() - left.stat().st_mtime > _STALE_SECONDS:
                left.unlink()


def _digest(content: bytes) -> bytes:
    """Checksum of keys and checksums."""
    return hashlib.blake2b(content, digest_size=KEY_BYTES).digest()
