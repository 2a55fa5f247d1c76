"""How much memory decoded images may take."""
from __future__ import annotations

import os
import warnings
from contextlib import suppress
from pathlib import Path
from typing import Optional

_LIMITS = (Path('/sys/fs/cgroup/memory.max'), Path('/sys/fs/cgroup/memory/memory.limit_in_bytes'))
_HINT = 'Give a smaller `size`, or pipelines without `size`, which decode in the workers.'


def require_memory(size: int) -> None:
    """Refuse what cannot fit instead of being killed half-way, and warn of what leaves little for anything else.

    Args:
        size: Bytes of the decoded images.

    Raises:
        MemoryError: If they exceed the memory of the computer or of the container. Platforms that do not tell their
            memory are trusted.
    """
    total = memory_limit()
    if total is None or 2 * size <= total:
        return
    said = f'the decoded images take {size / 2**30:.1f} GiB, this computer has {total / 2**30:.1f} GiB. {_HINT}'
    if size > total:
        raise MemoryError(said)
    warnings.warn(said)


def memory_limit() -> Optional[int]:
    """Bytes of memory that this process may have: those of the computer, or of its container if that has fewer.

    Returns:
        The number, or None where the system does not tell.
    """
    found = []
    with suppress(AttributeError, ValueError, OSError):
        found.append(os.sysconf('SC_PHYS_PAGES') * os.sysconf('SC_PAGE_SIZE'))
    for path in _LIMITS:
        try:
            found.append(int(path.read_text()))
        except (OSError, ValueError):       # no such file, or 'max'
            continue
    return min(found, default=None)
