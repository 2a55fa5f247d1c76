"""Fail a test when code reads a tensor's value on the host or makes a shape depend on values."""
from __future__ import annotations

from typing import Any

from torch.utils._python_dispatch import TorchDispatchMode

SYNCS = ('aten::_local_scalar_dense', 'aten::item', 'aten::nonzero', 'aten::masked_select', 'aten::_unique2',
         'aten::is_nonzero', 'aten::equal')


class SyncGuard(TorchDispatchMode):
    """Context in which operators that wait for the device raise."""

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Run an operator unless it needs the host."""
        name = func.name().split('.')[0]
        indices = args[1] if name == 'aten::index' else ()
        masks = [index for index in indices if index is not None and index.dtype.itemsize == 1]
        if name in SYNCS or masks:
            raise RuntimeError(f'{name} waits for the device')
        return func(*args, **(kwargs or {}))
