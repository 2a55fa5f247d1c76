"""Embeddings on disk, once per encoder and image content."""
from __future__ import annotations

import hashlib
import json
import os
import uuid
import warnings
from contextlib import contextmanager
from pathlib import Path
from typing import Iterator, Optional, Sequence, Union

import numpy as np

from mmcluster.datasets.cache import cache_folder
from mmcluster.writing import whole_file

from .base import Encoder
from .chunks import KEY_BYTES, Chunk, checksums, chunk_parts, read_chunk, remove_stale, split_keys

FORMAT = 1
_META, _ROWS, _SEEN = 'meta.json', 'rows-', 'seen-'


class StoreError(OSError):
    """The store cannot be read or written; the message says what to do."""


class FeatureStore:
    """Rows (content of an image -> embedding) of one encoder, and which file had which content.

    Both are kept in chunks: files of whole rows that are written under another name, moved into place when they are
    whole, and never changed. So a process that is killed loses what it had not written, and any number of processes
    may write at the same time; at worst two of them compute the same image, and one of the equal rows counts. A chunk
    is a ``.npy`` file, followed by what the index needs of it, see :mod:`mmcluster.encoders.chunks`.

    Args:
        encoder: Whose features are stored.
        folder: Where all stores lie; ``None`` is the user's cache folder.
        dtype: Name of the type in which the encoder computes.

    Raises:
        StoreError: If the folder cannot be written, or holds a store of another version.
    """

    def __init__(self, encoder: Encoder, folder: Union[str, Path, None] = None, dtype: str = 'float32') -> None:
        root = cache_folder('features') if folder is None else Path(folder)
        self.folder, self.dim = root / f'{encoder.digest[:32]}-{dtype}', encoder.dim
        self._chunks: dict[str, Chunk] = {}
        self._index: dict[bytes, tuple[str, int]] = {}
        self._seen: dict[bytes, bytes] = {}
        meta = dict(format=FORMAT, digest=encoder.digest, dim=encoder.dim, dtype=dtype, name=encoder.name)
        with _explained(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
            remove_stale(self.folder)
            if not (self.folder / _META).exists():
                with whole_file(self.folder / _META) as stream:
                    stream.write(json.dumps(meta).encode())
            self._check(meta)

    def _check(self, meta: dict) -> None:
        """Raise unless the folder is a store of this version and encoder."""
        try:
            found = json.loads((self.folder / _META).read_text(encoding='utf-8'))
        except ValueError:
            found = None
        if found != meta:
            raise StoreError(f'{self.folder} is not a store of this encoder and version of mmcluster; remove it, or '
                             'name another folder by --store')

    def refresh(self) -> None:
        """Read the index of chunks that were written since the last look, by this process or others."""
        for file in sorted(self.folder.glob('*-*.npy')):
            if file.name in self._chunks:
                continue
            chunk = self._open(file)
            if chunk is None:
                continue
            self._chunks[file.name] = chunk
            if file.name.startswith(_ROWS):
                for number, key in enumerate(chunk.keys):
                    self._index.setdefault(key, (file.name, number))
            else:
                self._seen.update(zip(chunk.keys, split_keys(chunk.values)))

    def _open(self, file: Path) -> Optional[Chunk]:
        """A chunk; ``None`` if it is damaged or of another width."""
        try:
            chunk = read_chunk(file)
            if chunk.values.shape[1:] != ((self.dim,) if file.name.startswith(_ROWS) else (KEY_BYTES,)):
                raise ValueError(f'it holds {chunk.values.shape}')
            return chunk
        except FileNotFoundError:       # another process found it damaged
            return None
        except (ValueError, EOFError) as error:
            self._drop(file.name, str(error))
            return None

    def _drop(self, name: str, reason: str) -> None:
        """Remove a damaged chunk."""
        warnings.warn(f'{self.folder / name} is damaged ({reason}); what was in it is computed again')
        (self.folder / name).unlink(missing_ok=True)
        if self._chunks.pop(name, None) is not None:
            self._index = {key: place for key, place in self._index.items() if place[0] != name}

    def content_of(self, file: Optional[bytes]) -> Optional[bytes]:
        """Content of a file that was read before, by its :func:`file_key`."""
        return None if file is None else self._seen.get(file)

    def __contains__(self, content: Optional[bytes]) -> bool:
        return content in self._index

    def known(self) -> frozenset[bytes]:
        """Contents that have a row."""
        return frozenset(self._index)

    def gather(self, content: Sequence[bytes]) -> Optional[np.ndarray]:
        """Embeddings of images.

        Args:
            content: N keys.

        Returns:
            (N, D); ``None`` if some have no row, or a damaged one: its chunk is then removed.
        """
        if any(key not in self._index for key in content):
            return None
        out = np.empty((len(content), self.dim), np.float32)
        wanted: dict[str, list[tuple[int, int]]] = {}
        for i, key in enumerate(content):
            name, number = self._index[key]
            wanted.setdefault(name, []).append((i, number))
        damaged = []
        for name, pairs in wanted.items():
            to, rows = np.array(pairs).T
            out[to] = self._chunks[name].values[rows]
            if not np.array_equal(checksums(out[to]), self._chunks[name].checks[rows]):
                damaged.append(name)
        for name in damaged:
            self._drop(name, 'a checksum is wrong')
        return None if damaged else out

    def add_rows(self, content: Sequence[bytes], embed: np.ndarray) -> None:
        """Write one chunk of embeddings.

        Args:
            content: N keys.
            embed: (N, D) float32.
        """
        self._add(_ROWS, content, embed)

    def add_seen(self, files: Sequence[bytes], content: Sequence[bytes]) -> None:
        """Write down which content files have, N of each."""
        self._add(_SEEN, files, np.frombuffer(b''.join(content), np.uint8).reshape(-1, KEY_BYTES))

    def _add(self, kind: str, keys: Sequence[bytes], values: np.ndarray) -> None:
        """Write one chunk under a name that no other process chooses."""
        if len(keys):
            file = self.folder / f'{kind}{uuid.uuid4().hex}.npy'
            with _explained(self.folder), whole_file(file) as stream:
                stream.writelines(chunk_parts(keys, values))


def file_key(root: Path, path: str) -> Optional[bytes]:
    """Identity of a file as it is now, without reading it: place, size and times.

    The time of the last change of its entry is part of it, so a file that was replaced by another one of the same
    size and date is noticed.

    Args:
        root: Folder, absolute.
        path: Relative to it.

    Returns:
        16 bytes; ``None`` if there is no such file.
    """
    try:
        stat = os.stat(os.path.join(root, path))
    except OSError:
        return None
    said = f'{root}\0{path}\0{stat.st_size}\0{stat.st_mtime_ns}\0{stat.st_ctime_ns}'
    return hashlib.blake2b(os.fsencode(said), digest_size=KEY_BYTES).digest()


@contextmanager
def _explained(folder: Path) -> Iterator[None]:
    """Turn an ``OSError`` of writing into one that says what to do."""
    try:
        yield
    except StoreError:
        raise
    except OSError as error:
        raise StoreError(f'cannot write the features to {folder} ({error.strerror or error}): free space, or name a '
                         'writable folder by --store; what is stored already is kept') from error
