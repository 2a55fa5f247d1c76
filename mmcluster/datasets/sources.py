"""Image sources: where pixels and, for metrics, ground truth come from."""
from __future__ import annotations

from pathlib import Path
from types import MappingProxyType
from typing import Mapping, Optional, Sequence, Union

import numpy as np
from PIL import Image

from mmcluster.functional.finite import name_rows
from mmcluster.functional.labels.given import whole_labels
from mmcluster.registry import DATASETS

from .seeding import stable_hash
from .summary import DataSummary, summarise


class ImageSource:
    """N images with a fixed order. What a source holds never changes after construction.

    Attributes:
        name: Short name of the data, for logs and reports.
        root: Folder of the data, or None for data without one.
        mode: PIL mode of the images, ``'RGB'`` or ``'L'``.
        array: Everything as uint8 (N, H, W, C), or float features (N, F) or (N, V, F); None for a source of files.
        labels: (N,) int64 ground truth, -1 where unknown; None where there is none at all. Read by metrics only.
        classes: Names of the ground-truth classes, empty where unknown.
        paths: Paths relative to ``root``, one per image; None for arrays.
        fingerprint: 63-bit number that changes when the images or their order change, so every source sets one. Labels
            do not enter it.
        splits: Name -> rows of the parts of the data, where there are any.
        left_out: Reason -> number of files that were found but are not used.
    """

    name: str = 'images'
    root: Optional[Path] = None
    mode: str = 'RGB'
    array: Optional[np.ndarray] = None
    labels: Optional[np.ndarray] = None
    classes: tuple[str, ...] = ()
    paths: Optional[Sequence[str]] = None
    fingerprint: int = 0
    splits: Mapping[str, range] = MappingProxyType({})
    left_out: Mapping[str, int] = MappingProxyType({})

    def __len__(self) -> int:
        """Number of images, N."""
        held = self.array if self.paths is None else self.paths
        assert held is not None     # a source has one of them
        return len(held)

    @property
    def cache_name(self) -> str:
        """What the pixels depend on, for the names of cache files; of an array its content."""
        return f'{self.fingerprint:016x}'

    def load(self, i: int) -> Image.Image:
        """Return image ``i`` in ``mode``."""
        assert self.array is not None   # a source of files loads them itself
        return to_pil(self.array[i])

    def title_of(self, i: int) -> str:
        """What messages call image ``i``: its path, or its number where it has none."""
        return f'image {i}' if self.paths is None else self.paths[i]

    def summary(self) -> DataSummary:
        """Count what was found, what was left out and why, and the ground-truth classes."""
        return summarise(self.name, len(self), self.left_out, self.labels, self.classes)


def require_fingerprint(source: ImageSource) -> None:
    """Refuse a source that does not say which images it has: caches and banks would take two such for one.

    Args:
        source: Of which class ever.

    Raises:
        ValueError: If it has the 0 of :class:`ImageSource`; one that is computed when asked for is not asked.
    """
    if getattr(type(source), 'fingerprint', None) == 0 and not vars(source).get('fingerprint'):
        raise ValueError(f'{type(source).__name__} has no fingerprint, by which caches and checkpoints tell images '
                         'apart: set self.fingerprint to a number that changes with images and order, such as '
                         'mmcluster.datasets.seeding.stable_hash(array.tobytes())')


def to_pil(pixels: np.ndarray) -> Image.Image:
    """Turn one uint8 image (H, W, 1) or (H, W, 3) into a PIL image of mode ``'L'`` or ``'RGB'``."""
    return Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels)


def split_parts(split: str, parts: Sequence[str]) -> list[str]:
    """Read a split such as ``'train+test'``.

    Args:
        split: Names of parts joined by ``+``, in any order.
        parts: The parts that there are, in the order of their rows.

    Returns:
        The named parts, in the order of ``parts``.
    """
    names = split.split('+')
    if len(set(names)) != len(names) or not set(names) <= set(parts):
        raise ValueError(f"split must be one of {', '.join(parts)}, or several joined by +, got {split!r}")
    return [part for part in parts if part in names]


@DATASETS.register_module()
class ArraySource(ImageSource):
    """Images or features that are already an array.

    Args:
        array: uint8 images (N, H, W), (N, H, W, 1) or (N, H, W, 3); or float features (N, F), or (N, V, F) of V stored
            views of every image, the plain one first; or a ``.npy`` file.
        labels: (N,) whole numbers, -1 or NaN where unknown; or a ``.npy`` file; None without ground truth.
        classes: Class names.
        name: Name of the data.

    Edge cases:
        Features become float32 and can be used by the in-memory door only. Pickled arrays are refused.
    """

    def __init__(self, array: Union[np.ndarray, str, Path], labels: Union[np.ndarray, str, Path, None] = None,
                 classes: Sequence[str] = (), name: str = 'array') -> None:
        where = f'{array}: ' if isinstance(array, (str, Path)) else ''
        array = read_npy(array)
        if array.ndim == 3 and array.dtype.kind != 'f':
            array = array[..., None]
        if array.ndim in (2, 3) and array.dtype.kind == 'f':
            array = array.astype(np.float32, copy=False)
            bad = np.flatnonzero(~np.isfinite(array).reshape(len(array), -1).all(axis=1)).tolist()
            if bad:
                raise ValueError(f'{where}{len(bad)} of {len(array)} feature rows hold NaN or inf, {name_rows(bad)}; '
                                 f'mend them or leave them out')
        elif array.ndim != 4 or array.dtype != np.uint8 or array.shape[-1] not in (1, 3):
            raise ValueError('expected uint8 images (N, H, W), (N, H, W, 1 or 3) or float features (N, F) '
                             f'or (N, V, F), got {array.dtype} {array.shape}')
        if len(array) == 0:
            raise ValueError('the array holds no images')
        self.array = np.ascontiguousarray(array)
        self.mode = 'L' if array.shape[-1] == 1 else 'RGB'
        self.name, self.classes = name, tuple(classes)
        self.fingerprint = stable_hash(array.dtype.str, str(array.shape), self.array.data.cast('B'))
        if labels is not None:
            self.labels = whole_labels(read_npy(labels) if isinstance(labels, (str, Path)) else labels)
            if self.labels.shape != (len(array),):
                raise ValueError(f'{len(array)} images need labels of shape ({len(array)},), got {self.labels.shape}')


def read_npy(array: Union[np.ndarray, Sequence, str, Path]) -> np.ndarray:
    """Load a ``.npy`` file without unpickling, or pass an array through.

    Args:
        array: The file, or the array.

    Returns:
        The array.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If the file is damaged, or holds anything else than numbers and texts.
    """
    if not isinstance(array, (str, Path)):
        return np.asarray(array)
    try:
        loaded = np.load(array, allow_pickle=False)
    except (ValueError, EOFError) as error:
        raise ValueError(f'{array} cannot be read as a .npy file: {error}') from error
    if not isinstance(loaded, np.ndarray):
        raise ValueError(f'{array} holds several arrays; save the one that is meant as .npy')
    return loaded


@DATASETS.register_module()
class DigitsSource(ArraySource):
    """The 1,797 handwritten digits of scikit-learn, gray 8x8, their range 0..16 scaled to 0..255."""

    def __init__(self) -> None:
        from sklearn.datasets import load_digits
        digits = load_digits()
        super().__init__(np.rint(digits.images * (255 / 16)).astype(np.uint8), digits.target,
                         [str(digit) for digit in range(10)], 'digits')
