"""SVHN from the cropped digits of the original release, MATLAB files."""
from __future__ import annotations

from pathlib import Path
from typing import Union

import numpy as np
from scipy.io import loadmat

from mmcluster.registry import DATASETS

from .sources import ArraySource, split_parts

PARTS = ('train', 'test', 'extra')
SIDE = 32


def _folder_of(root: Path) -> Path:
    """Return the folder of the files: ``root/svhn`` or ``root`` itself."""
    for folder in (root / 'svhn', root):
        if any((folder / f'{part}_32x32.mat').is_file() for part in PARTS):
            return folder
    raise FileNotFoundError(f'{root} holds no train_32x32.mat. Put the files of the cropped digits (format 2) there.')


def _read(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Read images uint8 (n, 32, 32, 3) and labels (n,) int64, 0 to 9; the file numbers the digit 0 as 10."""
    if not path.is_file():
        raise FileNotFoundError(f'{path.parent} lacks {path.name}: get it from the original place, or name another '
                                f'`split`')
    try:
        content = loadmat(path, variable_names=('X', 'y'))
    except Exception as error:  # damaged files raise anything
        raise ValueError(f'{path} cannot be read: {error}. Get it again from the original place.') from error
    image, label = (content.get(name, np.empty(0)) for name in ('X', 'y'))
    count = image.shape[-1]
    if image.shape != (SIDE, SIDE, 3, count) or image.dtype != np.uint8 or label.size != count:
        raise ValueError(f'{path} must hold X, uint8 ({SIDE}, {SIDE}, 3, n), and y with n labels; found {image.dtype} '
                         f'{image.shape} and {label.shape}. Take the cropped digits (format 2).')
    label = label.reshape(-1).astype(np.int64)
    if label.min(initial=1) < 1 or label.max(initial=1) > 10:
        raise ValueError(f'{path} must hold labels from 1 to 10, found {label.min()} to {label.max()}')
    return image.transpose(3, 0, 1, 2), label % 10


@DATASETS.register_module()
class SVHNSource(ArraySource):
    """SVHN's cropped digits: 73,257 training, 26,032 test and 531,131 further images, 32x32, in the original order.

    Rows are ordered train, test, extra, however ``split`` is written. Labels are the digits. All images take 1.9 GB,
    those of train and test 0.3 GB.

    Args:
        root: Folder with ``train_32x32.mat``, ``test_32x32.mat`` and ``extra_32x32.mat``, or the one above ``svhn``. A
            split needs its own files only.
        split: Some of ``train``, ``test`` and ``extra``, joined by ``+``.
    """

    def __init__(self, root: Union[str, Path], split: str = 'train') -> None:
        parts = split_parts(split, PARTS)
        folder = _folder_of(Path(root))
        images, labels = zip(*[_read(folder / f'{part}_32x32.mat') for part in parts])
        super().__init__(np.concatenate(images), np.concatenate(labels), [str(digit) for digit in range(10)],
                         f"SVHN {'+'.join(parts)}")
        self.root = folder
