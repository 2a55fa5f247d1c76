"""What is clustered and where the result goes: everything that can be refused before long work."""
from __future__ import annotations

import json
import os
import posixpath
import uuid
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Iterator, Optional, Union

import numpy as np

from mmcluster.datasets.label_csv import read_labels
from mmcluster.datasets.layout import splits_among
from mmcluster.datasets.listing import no_image_error, scan_images
from mmcluster.image_files import passed_over

FOLDERS = 'folders'
TRAINING = 'training'       # a folder that a run which was ended may leave alone in a result
RESULT_KEYS = {'format', 'files', 'root'}       # by which a summary is known as that of a result
RESULT_FILES = {'assignments.csv', 'embeddings.npy', 'model.npz'}       # and a result whose summary is damaged


@dataclass(frozen=True)
class Images:
    """Images of a folder.

    Attributes:
        root: The folder, absolute.
        paths: N paths relative to it, sorted.
        label: N class names, '' for unknown, or ``None``.
        passed_over: Sentence on files that are no images, '' if there are none.
    """
    root: Path
    paths: list[str]
    label: Optional[list[str]]
    passed_over: str


def find_images(root: Union[str, Path], labels: Optional[str] = None, limit: Optional[int] = None,
                seed: int = 0) -> Images:
    """List the images of a folder, with their labels if there are some.

    Args:
        root: The folder.
        labels: ``'folders'``: the first folder below ``root`` is the class, the second if the first ones are splits
            such as train and test; or a CSV file, see :class:`~mmcluster.datasets.FolderSource`.
        limit: Draw at most so many images.
        seed: Decides which.

    Raises:
        FileNotFoundError: If there is no such folder, or no image in it.
        ValueError: If the labels do not fit, or the limit is none.
    """
    root = Path(root).absolute()
    if not root.is_dir():
        single = f'; mmcluster assign RESULT {root} finds the cluster of a single image' if root.is_file() else ''
        raise FileNotFoundError(f'{root} is no folder: give the folder of the images{single}')
    if limit is not None and limit < 1:
        raise ValueError(f'at least one image must be taken, got a limit of {limit}')
    paths, others, _ = scan_images(root)
    if not paths:
        raise no_image_error(root, others, 'Give a folder of images')
    names = _labels(root, paths, labels) if labels else None
    if limit is not None and limit < len(paths):
        rows = np.sort(np.random.RandomState(seed).permutation(len(paths))[:limit])
        paths = [paths[row] for row in rows]
        names = names and [names[row] for row in rows]
    return Images(root, paths, names, passed_over(others))


def _labels(root: Path, paths: list[str], labels: str) -> list[str]:
    """Class name of every image, '' for unknown."""
    if labels != FOLDERS:
        table = root / labels if (root / labels).is_file() and not Path(labels).is_file() else Path(labels)
        numbers, classes = read_labels(table, paths)
        return [classes[number] if number >= 0 else '' for number in numbers]
    parts = [posixpath.dirname(path).split('/') for path in paths]
    tops = sorted({part[0] for part in parts if part[0]})
    depth = 1 if len(tops) > 1 and splits_among(tops) == tops else 0
    names = [part[depth] if len(part) > depth else '' for part in parts]
    if not any(names):
        raise ValueError(f'the images of {root} lie in no class folders: drop --labels folders, or name a CSV file')
    return names


def default_out(root: Union[str, Path]) -> Path:
    """``clusters/<name of the folder>`` in the current directory."""
    return Path('clusters') / (Path(root).resolve().name or 'images')


def check_out(out: Union[str, Path], root: Path) -> Path:
    """Make the folder of a result and try to write to it.

    Args:
        out: The folder.
        root: Folder of the images, in which nothing is written.

    Returns:
        The folder, absolute.

    Raises:
        ValueError: If it lies among the images, or holds something else, such as the result of other images.
        OSError: If it cannot be written.
    """
    out = Path(out).absolute()
    inner, outer = out.resolve(), root.resolve()
    if inner.is_relative_to(outer):
        raise ValueError(f'the result would lie among the images in {root}: name another folder, for instance '
                         f'--out {outer.parent / f"{outer.name}_clusters"}')
    if out.exists() and not out.is_dir():
        raise ValueError(f'{out} is a file: name a folder by --out')
    _check_content(out, outer)
    out.mkdir(parents=True, exist_ok=True)
    probe = out / f'.{uuid.uuid4().hex}.tmp'
    try:
        probe.write_bytes(b'0')
    finally:
        probe.unlink(missing_ok=True)
    return out


def _check_content(out: Path, root: Path) -> None:
    """Refuse to mix a result with what it does not replace."""
    present = sorted(name for name in os.listdir(out) if not name.startswith('.')) if out.is_dir() else []
    if not set(present) - {TRAINING}:
        return
    before = _result_root(out / 'summary.json')
    if before is None:
        raise ValueError(f'{out} holds other files ({", ".join(present[:3])}): name a new folder by --out')
    if before and Path(before).resolve() != root:
        raise ValueError(f'{out} holds the result of other images, {before}: name another folder by --out')


def _result_root(summary: Path) -> Optional[str]:
    """Folder of the images of a result of any version; '' if its summary is damaged, ``None`` if that is of others."""
    try:
        found = json.loads(summary.read_bytes())
    except OSError:
        return None
    except ValueError:
        return '' if RESULT_FILES.issubset(os.listdir(summary.parent)) else None
    ours = isinstance(found, dict) and RESULT_KEYS.issubset(found)
    return str(found['root']) if ours else None


@contextmanager
def no_empty_folder(out: Union[str, Path]) -> Iterator[None]:
    """Remove the folders down to a result again, where they are new and nothing came into them."""
    out = Path(out).absolute()
    new = [folder for folder in (out, *out.parents) if not folder.exists()]
    try:
        yield
    finally:
        for folder in new:
            with suppress(OSError):     # it holds something
                folder.rmdir()
