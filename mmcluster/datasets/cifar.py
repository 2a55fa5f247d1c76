"""CIFAR-10, CIFAR-100 and CIFAR-20, from the python or the binary version of the original archives."""
from __future__ import annotations

import io
import pickle
from pathlib import Path
from typing import Any, Union

import numpy as np

from mmcluster.registry import DATASETS

from .sources import ArraySource, split_parts

_PIXELS = 3 * 32 * 32
_PARTS = ('train', 'test')


def _array_parts() -> dict[tuple[str, str], Any]:
    """Globals that a pickled numpy array needs, under the names of numpy 1 and numpy 2."""
    reconstruct = np.zeros(1).__reduce__()[0]
    parts = {('numpy', 'ndarray'): np.ndarray, ('numpy', 'dtype'): np.dtype, ('_codecs', 'encode'): _encode_latin}
    for module in ('numpy.core.multiarray', 'numpy._core.multiarray'):
        parts[module, '_reconstruct'] = reconstruct
    return parts


def _encode_latin(text: str, encoding: str) -> bytes:
    """Stand in for ``_codecs.encode``, which old protocols use for bytes, and only ever with latin1."""
    if encoding not in ('latin1', 'latin-1'):
        raise pickle.UnpicklingError(f'unexpected encoding {encoding!r}')
    return text.encode('latin1')


class ArrayUnpickler(pickle.Unpickler):
    """Reads numpy arrays and builtin containers and refuses everything else, so that a file cannot run code."""

    _allowed = _array_parts()

    def find_class(self, module: str, name: str) -> Any:
        """Return one of the few globals that arrays need; anything else raises ``pickle.UnpicklingError``."""
        try:
            return self._allowed[module, name]
        except KeyError:
            raise pickle.UnpicklingError(f'the pickle asks for {module}.{name}; only numpy arrays and builtin '
                                         'containers are read. Get the file from its original place.') from None


def read_pickle(path: Union[str, Path]) -> dict[str, Any]:
    """Read one pickled dictionary of the python version without executing anything in it.

    Args:
        path: File such as ``data_batch_1`` or ``meta``.

    Returns:
        The dictionary with text keys; values are arrays, or lists of numbers, texts or bytes.
    """
    try:
        content = ArrayUnpickler(io.BytesIO(Path(path).read_bytes()), encoding='latin1').load()
    except Exception as error:  # damaged pickles raise anything
        raise ValueError(f'{path} cannot be read: {error}') from error
    return {key.decode('latin1') if isinstance(key, bytes) else key: value for key, value in content.items()}


def _find_layout(root: Path, markers: dict[str, str]) -> tuple[Path, str]:
    """Return the folder that holds the files, and the version found there.

    Args:
        root: The folder itself or the one above it.
        markers: Sub folder of each version -> one file that must be there.
    """
    for folder, marker in markers.items():
        for candidate in (root / folder, root):
            if (candidate / marker).is_file():
                return candidate, 'binary' if marker.endswith('.bin') else 'python'
    wanted = ' or '.join(f'{folder}/{marker}' for folder, marker in markers.items())
    raise FileNotFoundError(f'{root} holds neither {wanted}. Unpack the python or binary version of the archive there.')


def _read_python(path: Path, key: str) -> tuple[np.ndarray, np.ndarray]:
    """Read pixels (n, 3072) and labels (n,) from one pickle."""
    content = read_pickle(path)
    if 'data' not in content or key not in content:
        raise ValueError(f"{path} has no {'data' if 'data' not in content else key!r}; found {sorted(content)}")
    return np.asarray(content['data'], np.uint8), np.asarray(content[key], np.int64)


def _read_binary(path: Path, label_bytes: int, column: int) -> tuple[np.ndarray, np.ndarray]:
    """Read pixels (n, 3072) and labels (n,) from one file of fixed-size records."""
    content = np.fromfile(path, np.uint8)
    record = label_bytes + _PIXELS
    if content.size == 0 or content.size % record:
        raise ValueError(f'{path} has {content.size} bytes, not a multiple of {record}: unpack the archive again')
    content = content.reshape(-1, record)
    return content[:, label_bytes:], content[:, column].astype(np.int64)


def _read_all(folder: Path, names: list[str], reader: Any, *args: Any) -> tuple[np.ndarray, np.ndarray]:
    """Read several files in order: uint8 (N, 32, 32, 3) and int64 (N,)."""
    missing = [name for name in names if not (folder / name).is_file()]
    if missing:
        raise FileNotFoundError(f"{folder} lacks {', '.join(missing)}: unpack the archive again")
    parts = [reader(folder / name, *args) for name in names]
    for name, (pixels, labels) in zip(names, parts):
        if pixels.ndim != 2 or pixels.shape[1] != _PIXELS or labels.shape != (len(pixels),):
            raise ValueError(f'{folder / name} holds pixels {pixels.shape} and labels {labels.shape}; '
                             f'expected (n, {_PIXELS}) and (n,)')
    pixels = np.concatenate([part[0] for part in parts]).reshape(-1, 3, 32, 32)
    return np.ascontiguousarray(pixels.transpose(0, 2, 3, 1)), np.concatenate([part[1] for part in parts])


def _names(folder: Path, version: str, python: tuple[str, str], binary: str) -> list[str]:
    """Read the class names that lie beside the data; no names where the file is missing."""
    path = folder / (python[0] if version == 'python' else binary)
    if not path.is_file():
        return []
    if version == 'python':
        return list(read_pickle(path)[python[1]])
    return path.read_text(encoding='utf-8').split()


@DATASETS.register_module()
class CIFAR10Source(ArraySource):
    """CIFAR-10: 50,000 training and 10,000 test images, 32x32, in the original order, training images first.

    Args:
        root: Folder with the unpacked archive (``cifar-10-batches-py`` or ``cifar-10-batches-bin``), or that folder.
        split: ``'train'``, ``'test'`` or ``'train+test'``.
    """

    def __init__(self, root: Union[str, Path], split: str = 'train+test') -> None:
        parts = split_parts(split, _PARTS)
        folder, version = _find_layout(Path(root), {'cifar-10-batches-py': 'test_batch',
                                                    'cifar-10-batches-bin': 'test_batch.bin'})
        names = [name for part in parts
                 for name in ([f'data_batch_{i}' for i in range(1, 6)] if part == 'train' else ['test_batch'])]
        if version == 'python':
            array, labels = _read_all(folder, names, _read_python, 'labels')
        else:
            array, labels = _read_all(folder, [f'{name}.bin' for name in names], _read_binary, 1, 0)
        classes = _names(folder, version, ('batches.meta', 'label_names'), 'batches.meta.txt')
        super().__init__(array, labels, classes, f'CIFAR-10 {split}')
        self.root = folder


@DATASETS.register_module()
class CIFAR100Source(ArraySource):
    """CIFAR-100, or CIFAR-20 with its superclasses, in the original order, training images first.

    Args:
        root: Folder with the unpacked archive (``cifar-100-python`` or ``cifar-100-binary``), or that folder.
        split: ``'train'``, ``'test'`` or ``'train+test'``.
        coarse: Use the 20 superclasses that the files carry: the data set called CIFAR-20 or CIFAR-100-20.
    """

    def __init__(self, root: Union[str, Path], split: str = 'train+test', coarse: bool = False) -> None:
        parts = split_parts(split, _PARTS)
        folder, version = _find_layout(Path(root), {'cifar-100-python': 'test', 'cifar-100-binary': 'test.bin'})
        kind = 'coarse' if coarse else 'fine'
        if version == 'python':
            array, labels = _read_all(folder, parts, _read_python, f'{kind}_labels')
        else:
            array, labels = _read_all(folder, [f'{part}.bin' for part in parts], _read_binary, 2, 0 if coarse else 1)
        classes = _names(folder, version, ('meta', f'{kind}_label_names'), f'{kind}_label_names.txt')
        super().__init__(array, labels, classes, f"CIFAR-{20 if coarse else 100} {split}")
        self.root = folder
