"""What a given label means: the one reading of arrays, tables and files, for metrics and for training."""
from __future__ import annotations

import re
from typing import Optional, Sequence, Union

import numpy as np
from torch import Tensor

UNKNOWN = -1
_NUMBER = re.compile(r'[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?')  # stricter than float(), which reads '1_0' and 'inf'
_MAX_LABEL = 2 ** 53        # beyond it not every whole number has a float


def label_of(text: str) -> Union[int, str]:
    """Read one label of a table.

    An empty text, ``nan`` and -1 however it is written (``-1``, ``-1.0``, ``-1.000e+00``) mean that it is unknown.
    Whole numbers may be written as floats, as numpy and pandas do. Any other text is a name.

    Args:
        text: The cell, without blanks around it.

    Returns:
        -1 if unknown; a whole number from 0; or the name as it is.

    Raises:
        ValueError: If it is another negative number or a fraction.
    """
    if text == '' or text.lower().lstrip('+-') == 'nan':
        return UNKNOWN
    if not _NUMBER.fullmatch(text):
        return text
    value = float(text)
    if not _is_label(value):
        raise ValueError(f'{text!r} is no label: write a whole number from 0, a name, or -1 (or nothing) where it is '
                         'unknown')
    return int(text) if text.isdecimal() else int(value)


def whole_labels(values: Union[Tensor, np.ndarray, Sequence], where: str = 'labels') -> np.ndarray:
    """Read the labels of an array.

    -1 and NaN mean that a label is unknown, masked entries too; floats must be whole.

    Args:
        values: Numbers of any shape, or texts as in :func:`label_of` that are no names.
        where: What holds them, for the error.

    Returns:
        int64 of the same shape, -1 where unknown.

    Raises:
        ValueError: If there are other negative numbers, fractions, or numbers beyond 2**53; it names the first one.
    """
    given = values.detach().cpu().numpy() if isinstance(values, Tensor) else np.ma.asarray(values)
    array = np.asarray(given)
    hidden = np.ma.getmaskarray(given) if isinstance(given, np.ma.MaskedArray) else np.zeros(array.shape, bool)
    if array.dtype.kind in 'OUS':
        read = [_value(item, where) for item in array.reshape(-1)]
        array = np.asarray(read, np.float64).reshape(array.shape)
    elif array.dtype.kind not in 'biuf':
        raise ValueError(f'{where} must be whole numbers, got {array.dtype}')
    with np.errstate(invalid='ignore'):
        unknown = hidden | (array != array) if array.dtype.kind == 'f' else hidden
        wrong = ~unknown & ~_is_label(array)
    if wrong.any():
        first = int(np.flatnonzero(wrong)[0])
        raise ValueError(f'{int(wrong.sum())} of {array.size} {where} are no labels, beginning with '
                         f'{array.reshape(-1)[first]} (row {first}): give whole numbers from 0, and -1 or NaN where a '
                         'label is unknown')
    return np.where(unknown, UNKNOWN, array).astype(np.int64)


def _is_label(values: Union[float, np.ndarray]) -> Union[bool, np.ndarray]:
    """Whether numbers are whole, and -1 or more."""
    return (values >= UNKNOWN) & (values <= _MAX_LABEL) & (values == np.floor(values))


def _value(item: Union[str, bytes, float, None], where: str) -> Optional[float]:
    """Number that an entry of an array of objects or texts stands for."""
    if item is None:
        return UNKNOWN
    if not isinstance(item, (str, bytes)):
        return float(item)
    label = label_of((item.decode() if isinstance(item, bytes) else item).strip())
    if isinstance(label, str):
        raise ValueError(f'{where} hold the name {label!r}; give numbers, and the names as `classes`')
    return label
