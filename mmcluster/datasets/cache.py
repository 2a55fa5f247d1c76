"""Where files go that can be made again."""
from __future__ import annotations

import os
from pathlib import Path


def cache_folder(name: str) -> Path:
    """Folder of this user for one kind of files that can be made again; it is not made here.

    ``MMCLUSTER_CACHE`` comes before ``XDG_CACHE_HOME/mmcluster``, and that before ``~/.cache/mmcluster``.

    Args:
        name: Kind of files, such as ``'features'``.
    """
    own, shared = os.environ.get('MMCLUSTER_CACHE'), os.environ.get('XDG_CACHE_HOME')
    root = Path(own) if own else Path(shared) / 'mmcluster' if shared else Path.home() / '.cache' / 'mmcluster'
    return root.expanduser().absolute() / name
