"""Reading image files in worker processes: what they hold, and the pixels that an encoder sees."""
from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Callable, NamedTuple, Sequence

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from mmcluster.datasets.decode import UnreadableImageError, decode_image

from .chunks import KEY_BYTES

_BLOCK = 1 << 20


class ReadBatch(NamedTuple):
    """What a worker read.

    Attributes:
        rows: Numbers of the files that could be read.
        content: Their contents.
        new: Which of them, by position in ``rows``, are not in the store.
        pixels: (B, H, W, 3) uint8 of those.
        failures: (number, reason) of the others.
    """
    rows: list[int]
    content: list[bytes]
    new: list[int]
    pixels: Tensor
    failures: list[tuple[int, str]]


class FileViews(Dataset):
    """Image files as an encoder sees them.

    Args:
        files: N files.
        view: ``Encoder.preprocess``.
        known: Contents that are not decoded again.
    """

    def __init__(self, files: Sequence[Path], view: Callable, known: frozenset[bytes]) -> None:
        self.files, self.view, self.known = files, view, known

    def __len__(self) -> int:
        return len(self.files)

    def __getitems__(self, numbers: list[int]) -> ReadBatch:
        """Read a batch of files."""
        found = ReadBatch([], [], [], torch.empty(0), [])
        pixels = []
        for number in numbers:
            try:
                key = content_key(self.files[number])
                if key not in self.known:
                    pixels.append(self._pixels(self.files[number]))
                    found.new.append(len(found.rows))
                found.rows.append(number)
                found.content.append(key)
            except UnreadableImageError as error:
                found.failures.append((number, error.reason))
        return found._replace(pixels=torch.from_numpy(np.stack(pixels))) if pixels else found

    def _pixels(self, file: Path) -> np.ndarray:
        """(H, W, 3) uint8 of one file."""
        image = decode_image(file, draft=getattr(self.view, 'draft_size', None))
        try:
            return self.view(image)
        except (ValueError, MemoryError, OSError) as error:
            raise UnreadableImageError(f'{file}: {error}', str(error)) from error


def content_key(file: Path) -> bytes:
    """Identity of the content of a file.

    Args:
        file: Which is read.

    Returns:
        16 bytes; a file that cannot be read raises :class:`~mmcluster.datasets.decode.UnreadableImageError`.
    """
    if not os.path.isfile(file):    # a pipe would never end; decoding says what it is
        decode_image(file)
    found = hashlib.blake2b(digest_size=KEY_BYTES)
    try:
        with open(file, 'rb') as stream:
            while block := stream.read(_BLOCK):
                found.update(block)
    except OSError as error:
        reason = error.strerror or str(error)
        raise UnreadableImageError(f'{file}: {reason}', reason) from error
    return found.digest()
