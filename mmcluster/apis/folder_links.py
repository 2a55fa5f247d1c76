"""A folder per cluster, with links to the images or copies of them."""
from __future__ import annotations

import json
import os
import shutil
from contextlib import suppress
from pathlib import Path
from typing import Sequence

import numpy as np

from mmcluster.writing import whole_file

FOLDER, RECORD = 'images', '.made_of.json'
KINDS = ('link', 'copy')


def write_cluster_folders(out: Path, root: Path, paths: Sequence[str], cluster: np.ndarray, kind: str) -> Path:
    """Put every image into the folder of its cluster, ``images/<cluster>/<path>`` below the result.

    Those of an older clustering are removed; other files stay.

    Args:
        out: Folder of the result.
        root: Folder of the images.
        paths: N paths relative to it.
        cluster: (N,) clusters, -1 for none.
        kind: ``'link'`` or ``'copy'``.

    Returns:
        The folder.
    """
    folder, width = out / FOLDER, len(str(max(int(cluster.max(initial=0)), 0)))
    wanted = {f'{own:0{width}d}/{path}' if own >= 0 else f'none/{path}': path
              for path, own in zip(paths, cluster.tolist())}
    folder.mkdir(parents=True, exist_ok=True)
    ours = {*paths, *_recorded(folder)}
    _record(folder, ours)       # before anything is written, so that a kill leaves nothing that nobody knows
    _remove_old(folder, wanted, ours, kind)
    for name, path in wanted.items():
        target, source = folder / name, root / path
        if os.path.lexists(target):
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        if kind == 'link':
            target.symlink_to(source)
            continue
        part = target.with_name(f'.{target.name}.part')     # a kill leaves no half copy under the name of an image
        shutil.copy2(source, part)
        os.replace(part, target)
    _record(folder, set(paths))
    return folder


def _record(folder: Path, paths: set[str]) -> None:
    """Keep which images links or copies were made of: a later clustering may be of others."""
    with whole_file(folder / RECORD) as stream:
        stream.write(json.dumps(sorted(paths)).encode())


def _recorded(folder: Path) -> list[str]:
    """What was kept; nothing of a version that kept nothing, or if the file is damaged."""
    try:
        return list(map(str, json.loads((folder / RECORD).read_bytes())))
    except (OSError, ValueError, TypeError):
        return []


def _remove_old(folder: Path, wanted: dict[str, str], images: set[str], kind: str) -> None:
    """Remove links and copies that lie in the wrong place or are of the other kind, and folders that became empty."""
    for place, _, files in os.walk(folder, topdown=False):
        for name in files:
            file = Path(place) / name
            inside = file.relative_to(folder).as_posix()
            ours = inside.partition('/')[2] in images
            if ours and (inside not in wanted or file.is_symlink() != (kind == 'link')):
                file.unlink()
        with suppress(OSError):     # it holds something
            os.rmdir(place)
