"""A folder per cluster, with links to the images or copies of them."""
from __future__ import annotations

import json
import os
import shutil
from contextlib import suppress
from pathlib import Path
from typing import Iterator, NamedTuple, Sequence

import numpy as np

from mmcluster.writing import whole_file

FOLDER, RECORD = 'images', '.made_of.json'
KINDS = ('link', 'copy')
Stamp = list[int]       # size and mtime_ns of a file; a copy has those of its image until somebody edits it


class _Record(NamedTuple):
    """What was put into the folders; names are only compared with what is found there, and never followed.

    Attributes:
        paths: Of the images.
        copies: ``<cluster>/<path>`` -> stamp of the copy.
    """
    paths: set[str]
    copies: dict[str, Stamp]


def write_cluster_folders(out: Path, root: Path, paths: Sequence[str], cluster: np.ndarray, kind: str) -> list[str]:
    """Put every image into the folder of its cluster, ``images/<cluster>/<path>`` below the result.

    Those of an older clustering are removed; copies that were edited and other files stay.

    Args:
        out: Folder of the result.
        root: Folder of the images.
        paths: N paths relative to it.
        cluster: (N,) clusters, -1 for none.
        kind: ``'link'`` or ``'copy'``.

    Returns:
        The edited copies, relative to the folder.
    """
    folder, width = out / FOLDER, len(str(max(int(cluster.max(initial=0)), 0)))
    wanted = {f'{own:0{width}d}/{path}' if own >= 0 else f'none/{path}': path
              for path, own in zip(paths, cluster.tolist())}
    folder.mkdir(parents=True, exist_ok=True)
    known = _recorded(folder)
    known.paths.update(paths)
    _write_record(folder, known)    # before anything is written, so that a kill leaves nothing that nobody knows
    edited = _remove_old(folder, root, wanted, known, kind)
    copies = {name: known.copies[name] for name in edited if name in known.copies}
    for name, path in wanted.items():
        target, source = folder / name, root / path
        if os.path.lexists(target):     # what is ours and stayed is as it should be
            if kind == 'copy' and _stamp(target) == _stamp(source):
                copies[name] = _stamp(target)
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        if kind == 'link':
            target.symlink_to(source)
            continue
        part = target.with_name(f'.{target.name}.part')     # a kill leaves no half copy under the name of an image
        shutil.copy2(source, part)
        os.replace(part, target)
        copies[name] = _stamp(target)
    _write_record(folder, _Record({*paths, *(name.partition('/')[2] for name in edited)}, copies))
    return edited


def _stamp(file: Path) -> Stamp:
    """Size and time of a file, or of what a link leads to; empty if there is none."""
    with suppress(OSError):
        found = file.stat()
        return [found.st_size, found.st_mtime_ns]
    return []


def _write_record(folder: Path, record: _Record) -> None:
    """Keep what links or copies were made of: a later clustering may be of other images."""
    with whole_file(folder / RECORD) as stream:
        stream.write(json.dumps(dict(paths=sorted(record.paths), copies=record.copies)).encode())


def _recorded(folder: Path) -> _Record:
    """What was kept; nothing of a version that kept nothing, or if the file is damaged. Older ones list paths alone."""
    with suppress(OSError, ValueError, TypeError, KeyError, AttributeError):
        found = json.loads((folder / RECORD).read_bytes())
        if isinstance(found, list):
            return _Record(set(map(str, found)), {})
        return _Record(set(map(str, found['paths'])), dict(found['copies']))
    return _Record(set(), {})


def _remove_old(folder: Path, root: Path, wanted: dict[str, str], known: _Record, kind: str) -> list[str]:
    """Remove links and copies that lie in the wrong place, are of the other kind or of older images, and empty folders.

    Returns:
        The copies that were edited, which stay.
    """
    edited = []
    for file in _files_from_below(folder):
        inside = file.relative_to(folder).as_posix()
        path = inside.partition('/')[2]
        if path not in known.paths:
            continue
        source, right = root / path, inside in wanted and file.is_symlink() == (kind == 'link')
        if file.is_symlink():
            if not right or os.readlink(file) != str(source):
                file.unlink()
            continue
        now, same = _stamp(file), _stamp(source)
        if now != same and now != known.copies.get(inside):
            edited.append(inside)
        elif not right or (same and now != same):
            file.unlink()
    return sorted(edited)


def _files_from_below(folder: Path) -> Iterator[Path]:
    """All files below a folder; one that is empty after its files were looked at goes."""
    for place, _, files in os.walk(folder, topdown=False):
        yield from (Path(place) / name for name in files)
        with suppress(OSError):     # it holds something
            os.rmdir(place)
