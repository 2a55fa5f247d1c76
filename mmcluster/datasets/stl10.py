"""STL-10 from the binary version of the original archive."""
from __future__ import annotations

from pathlib import Path
from typing import Union

import numpy as np

from mmcluster.registry import DATASETS

from .sources import ArraySource, split_parts

PARTS = ('train', 'test', 'unlabeled')
SIDE = 96
_RECORD = 3 * SIDE * SIDE
_ROWS_PER_READ = 1000


def _folder_of(root: Path) -> Path:
    """Return the folder of the binary files: ``root/stl10_binary`` or ``root`` itself."""
    for folder in (root / 'stl10_binary', root):
        if any((folder / f'{part}_X.bin').is_file() for part in PARTS):
            return folder
    raise FileNotFoundError(f'{root} holds no stl10_binary/train_X.bin. Unpack the binary archive there.')


def _count(path: Path) -> int:
    """Number of images in a file, after a look at its length."""
    if not path.is_file():
        raise FileNotFoundError(f'{path.parent} lacks {path.name}: unpack the archive again, or name another `split`')
    size = path.stat().st_size
    if size == 0 or size % _RECORD:
        raise ValueError(f'{path} has {size} bytes, not a multiple of {_RECORD}: unpack the archive again')
    return size // _RECORD


def _read_images(path: Path, out: np.ndarray) -> None:
    """Read a file into out, uint8 (n, 96, 96, 3). It stores each image channel by channel, column by column."""
    with open(path, 'rb') as file:
        for start in range(0, len(out), _ROWS_PER_READ):
            rows = out[start:start + _ROWS_PER_READ]
            stored = np.fromfile(file, np.uint8, rows.size)
            rows[:] = stored.reshape(-1, 3, SIDE, SIDE).transpose(0, 3, 2, 1)


def _read_labels(path: Path, count: int) -> np.ndarray:
    """Read labels (n,) int64, 0 to 9; the file counts from 1."""
    if not path.is_file():
        raise FileNotFoundError(f'{path.parent} lacks {path.name}: unpack the archive again')
    labels = np.fromfile(path, np.uint8).astype(np.int64) - 1
    if labels.shape != (count,) or labels.min() < 0 or labels.max() > 9:
        raise ValueError(f'{path} must hold {count} labels from 1 to 10, one byte each: unpack the archive again')
    return labels


@DATASETS.register_module()
class STL10Source(ArraySource):
    """STL-10: 5,000 training, 8,000 test and 100,000 unlabelled images, 96x96, in the original order.

    Rows are ordered train, test, unlabelled, however ``split`` is written. The unlabelled images have label -1. All
    113,000 images take 3.1 GB.

    Args:
        root: Folder with the unpacked archive (``stl10_binary``), or that folder.
        split: Some of ``train``, ``test`` and ``unlabeled``, joined by ``+``.
    """

    def __init__(self, root: Union[str, Path], split: str = 'train+test') -> None:
        parts = split_parts(split, PARTS)
        folder = _folder_of(Path(root))
        counts = [_count(folder / f'{part}_X.bin') for part in parts]
        labels = [np.full(count, -1) if part == 'unlabeled' else _read_labels(folder / f'{part}_y.bin', count)
                  for part, count in zip(parts, counts)]
        array = np.empty((sum(counts), SIDE, SIDE, 3), np.uint8)
        stops = np.cumsum(counts).tolist()
        for part, out in zip(parts, np.split(array, stops[:-1])):
            _read_images(folder / f'{part}_X.bin', out)
        names = folder / 'class_names.txt'
        super().__init__(array, None if parts == ['unlabeled'] else np.concatenate(labels),
                         names.read_text(encoding='utf-8').split() if names.is_file() else (),
                         f"STL-10 {'+'.join(parts)}")
        self.root = folder
        self.splits = {part: range(stop - count, stop) for part, count, stop in zip(parts, counts, stops)}
