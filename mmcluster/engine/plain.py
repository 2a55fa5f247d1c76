"""Values as checkpoints hold them: tensors and plain Python only."""
from __future__ import annotations

from typing import Any

import numpy as np
import torch
from mmengine.logging import HistoryBuffer


def to_plain(value: Any, where: str = 'value') -> Any:
    """Replace numpy values and subclasses of containers inside a nested value by plain Python's.

    Args:
        value: Nested dicts, lists and tuples.
        where: Name of the value, for the error.

    Returns:
        The same with tensors, None, bool, int, float, str, dict, list and tuple only.

    Raises:
        TypeError: If something remains that a safe checkpoint cannot hold.
    """
    if isinstance(value, dict):
        return {to_plain(key, where): to_plain(item, f'{where}.{key}') for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return (tuple if isinstance(value, tuple) else list)(to_plain(item, where) for item in value)
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        return value.tolist()
    if value is None or type(value) in (bool, int, float, str) or isinstance(value, torch.Tensor):
        return value
    raise TypeError(f'{where} is a {type(value).__name__}; checkpoints hold tensors and plain Python only. Keep it in '
                    f'a buffer, or convert it in before_save_checkpoint.')


def history_to_tensors(buffer: HistoryBuffer) -> dict[str, Any]:
    """Values, counts and length of a history of the message hub.

    Args:
        buffer: The history.
    """
    log, count = buffer.data
    return dict(log=torch.as_tensor(log), count=torch.as_tensor(count), max_length=buffer.max_length)


def history_from_tensors(value: Any) -> HistoryBuffer:
    """The history of which :func:`history_to_tensors` made ``value``.

    Args:
        value: What it returned; a history is handed through.
    """
    if isinstance(value, HistoryBuffer):
        return value
    return HistoryBuffer(value['log'].cpu().numpy(), value['count'].cpu().numpy(), value['max_length'])
