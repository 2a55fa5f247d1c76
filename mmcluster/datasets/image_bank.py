"""Decode a source once into one uint8 array, keep it on disk, and share it between the data sets of a process."""
from __future__ import annotations

import hashlib
import os
import time
import warnings
import weakref
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import BinaryIO, Optional, Union

import numpy as np
import torch
from mmengine.logging import print_log
from PIL import Image
from torch import Tensor

from .cache import cache_folder, remembered, write_atomically
from .decode import UnreadableImageError, unreadable_error
from .memory import require_memory
from .sources import ImageSource

_ROWS_PER_TASK = 256
_DIGEST_BYTES = 16
_SUPERSEDED_SECONDS = 7 * 24 * 3600
_SMALL_PIXELS = 64 * 64
_BANKS: weakref.WeakValueDictionary[tuple, Tensor] = weakref.WeakValueDictionary()


def image_bank(source: ImageSource, size: Union[int, tuple[int, int], None] = None,
               cache: Union[bool, str, Path] = True) -> Tensor:
    """Return all pixels of a source as one tensor in memory.

    Data sets of one process that ask for the same pixels share one tensor, which lives as long as one of them does.
    A source of files is decoded once, by one process of a computer, and then read from its cache file, whose memory all
    processes share. The file's name changes with the folder and with size, times and inode of any image; it is built
    again if it is damaged. A folder that cannot be written costs a warning and a decoding at each start.

    Args:
        source: The images.
        size: Height and width, or one number for both; images of another size are resized bicubically without regard
            to their aspect. None keeps the size that the images have in common.
        cache: True: cache file in :func:`~mmcluster.datasets.cache.cache_folder`; a path: in that folder; False: no
            cache file. Array sources of the asked size need none.

    Returns:
        (N, H, W, C) uint8; or (N, F) for a source of features.

    Edge cases:
        Images of different sizes without ``size`` are an error that names the first odd one. Unreadable images are
        reported together.
    """
    shape = (size, size) if isinstance(size, int) else None if size is None else (size[0], size[1])
    key = (source.cache_name, shape, source.mode)
    bank = _BANKS.get(key)
    if bank is None:
        bank = torch.from_numpy(_pixels(source, shape, cache))
        _BANKS[key] = bank
    return bank


def _pixels(source: ImageSource, size: Optional[tuple[int, int]], cache: Union[bool, str, Path]) -> np.ndarray:
    """Take the pixels (N, H, W, C) from the source's array, the cache file, or the image files."""
    array = source.array
    if array is not None and (size is None or array.shape[1:3] == size):
        return array
    if array is not None and array.ndim != 4:
        raise ValueError(f'features {array.shape} cannot be resized; leave `size` out')
    file = _cache_file(source, size, cache)
    if file is not None and not file.exists():
        print_log(f'decoding {len(source)} images of {source.name} once; the pixels are kept in {file}',
                  logger='current')
    return remembered(file, partial(read_bank, source=source, size=size), partial(decode_bank, source, size), _keep)


def _keep(file: Path, pixels: np.ndarray) -> None:
    """Write a cache file, and remove those of earlier states of the same images that nobody has used for a week."""
    write_bank(file, pixels)
    place, *_, shape, mode = file.name.split('_')
    for other in file.parent.glob(f'{place}_*_{shape}_{mode}'):
        with suppress(OSError):
            if other != file and time.time() - other.stat().st_mtime > _SUPERSEDED_SECONDS:
                other.unlink()


def _cache_file(source: ImageSource, size: Optional[tuple[int, int]], cache: Union[bool, str, Path]) -> Optional[Path]:
    """Name the cache file; None for no cache."""
    if cache is False or (cache is True and source.root is None):
        return None
    folder = cache_folder('images') if cache is True else Path(cache)
    shape = 'native' if size is None else f'{size[0]}x{size[1]}'
    return folder / f'{source.cache_name}_{shape}_{source.mode}.npy'


def decode_bank(source: ImageSource, size: Optional[tuple[int, int]] = None) -> np.ndarray:
    """Decode every image of a source; in threads, which pay off above 64x64 pixels.

    Args:
        source: The images.
        size: (H, W) to resize to; None if all have one size.

    Returns:
        (N, H, W, C) uint8.
    """
    first_shape = _first_shape(source)
    shape = first_shape if size is None else size
    channels = len(source.mode)  # 'L' has one channel, 'RGB' three
    require_memory(len(source) * shape[0] * shape[1] * channels)
    pixels = np.empty((len(source), *shape, channels), np.uint8)
    failures: list[tuple[int, str]] = []
    odd: list[tuple[int, tuple[int, int]]] = []

    def decode_rows(start: int) -> None:
        """Decode one task's rows into the bank."""
        for i in range(start, min(start + _ROWS_PER_TASK, len(source))):
            try:
                image = source.load(i)
            except UnreadableImageError as error:
                failures.append((i, error.reason))
                continue
            if image.size != shape[::-1]:
                if size is None:
                    odd.append((i, image.size))
                    continue
                image = image.resize(shape[::-1], Image.Resampling.BICUBIC)
            pixels[i] = np.asarray(image).reshape(pixels.shape[1:])

    small = first_shape[0] * first_shape[1] <= _SMALL_PIXELS
    with ThreadPoolExecutor(1 if small else None) as pool:
        list(pool.map(decode_rows, range(0, len(source), _ROWS_PER_TASK)))
    if failures:
        raise unreadable_error([(source.title_of(i), reason) for i, reason in sorted(failures)], len(source))
    if odd:
        i, (width, height) = min(odd)
        raise ValueError(f'{len(odd)} images differ in size from the first one ({shape[1]}x{shape[0]}), beginning with '
                         f'{source.title_of(i)} ({width}x{height}). Set `size`, for instance size={min(shape)}, to '
                         'resize all, or use pipelines that end in a fixed size.')
    return pixels


def _first_shape(source: ImageSource) -> tuple[int, int]:
    """(H, W) of the first image that can be read."""
    failures = []
    for i in range(len(source)):
        try:
            return source.load(i).size[::-1]
        except UnreadableImageError as error:
            failures.append((source.title_of(i), error.reason))
    raise unreadable_error(failures, len(source))


def read_bank(file: Path, source: ImageSource, size: Optional[tuple[int, int]] = None) -> Optional[np.ndarray]:
    """Read a cache file.

    Args:
        file: A file of :func:`write_bank`.
        source: What it must hold.
        size: (H, W) it must have; None for any.

    Returns:
        (N, H, W, C) uint8 in memory that processes share until they write to it; None if the file is missing or
        damaged (with a warning).
    """
    if not file.is_file():
        return None
    try:
        pixels = np.lib.format.open_memmap(file, mode='c')
        with open(file, 'rb') as stream:
            stream.seek(pixels.offset + pixels.nbytes)
            digest = stream.read()
        if pixels.dtype != np.uint8 or pixels.ndim != 4 or len(pixels) != len(source):
            raise ValueError(f'it holds {pixels.dtype} {pixels.shape}')
        if pixels.shape[3] != len(source.mode) or (size is not None and pixels.shape[1:3] != size):
            raise ValueError(f'it holds images of shape {pixels.shape[1:]}')
        if digest != _digest(pixels):
            raise ValueError('its checksum is wrong')
    except (OSError, ValueError, EOFError) as error:
        warnings.warn(f'the image cache {file} is damaged ({error}) and will be built again')
        return None
    with suppress(OSError):
        os.utime(file)      # it is in use
    return np.asarray(pixels)


def write_bank(file: Path, pixels: np.ndarray) -> bool:
    """Write pixels (N, H, W, C) as a ``.npy`` file, followed by the checksum of the pixels (numpy does not mind).

    Args:
        file: Where to.
        pixels: (N, H, W, C) uint8.

    Returns:
        Whether the file could be written.
    """
    def write(stream: BinaryIO) -> None:
        """Write the pixels and their digest."""
        np.lib.format.write_array(stream, pixels, allow_pickle=False)
        stream.write(_digest(pixels))

    return write_atomically(file, write)


def _digest(pixels: np.ndarray) -> bytes:
    """Checksum of all bytes of a contiguous array."""
    return hashlib.blake2b(pixels.data.cast('B'), digest_size=_DIGEST_BYTES).digest()
