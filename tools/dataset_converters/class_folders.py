"""Lay a published image set out in class folders, and compare it with its published size.

Examples::

    python tools/dataset_converters/class_folders.py rsod downloads/RSOD-Dataset
    python tools/dataset_converters/class_folders.py chaoyang downloads/chaoyang-data
    python tools/dataset_converters/class_folders.py aid data/AID --out data/AID

The first argument names the set, the second the folder that its archives were unpacked into; enclosing folders are
entered by themselves. The result is ``<data>/<folder of the set>/<class>/<image>``, where ``<data>`` is the environment
variable ``MMCLUSTER_DATA`` or the folder ``data`` of the repository. Images are linked where the file system can do it,
else copied; annotations and other files stay behind. Nothing is ever overwritten, the result is complete or absent, and
a source with another number of images or classes than published is refused. The last example only counts.

RSOD keeps its images in ``<class>/JPEGImages`` beside ``<class>/Annotation``. Chaoyang names image and class in
``train.json`` and ``test.json``; its images become ``<class>/<split>_<image>``. The other four come in class folders.
"""
from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
from collections import Counter
from contextlib import suppress
from pathlib import Path, PurePosixPath
from typing import NamedTuple, Optional, Union

from unpack_archive import data_folder, fill_folder

from mmcluster.image_files import archived_suffixes, suffix_of

CHAOYANG_CLASSES = ('normal', 'serrated', 'adenocarcinoma', 'adenoma')  # labels 0 to 3


class Published(NamedTuple):
    """What the authors of a set say about it.

    Attributes:
        folder: Where the configs look for the class folders, below the folder of all data.
        images: Number of images.
        classes: Class -> images, or the number of classes where their names or sizes are not known.
    """
    folder: str
    images: int
    classes: Union[dict[str, int], int]


SETS = dict(
    rsod=Published('RSOD', 976, dict(aircraft=446, oiltank=165, overpass=176, playground=189)),
    uc_merced=Published('UC-Merced-Land-Use', 2100, 21),
    siri_whu=Published('SIRI-WHU', 2400, 12),
    aid=Published('AID', 10000, 30),
    d0=Published('D0-40', 4508, 40),
    chaoyang=Published('Chaoyang/image', 6160, dict(normal=1816, serrated=1163, adenocarcinoma=2244, adenoma=937)))


def visible(folder: Path) -> list[Path]:
    """What lies in a folder, sorted by name, without hidden entries and those that a Mac adds to archives."""
    return sorted(path for path in folder.iterdir() if not path.name.startswith(('.', '__MACOSX')))


def is_image(path: Path) -> bool:
    """Whether a path is a file that is called an image."""
    return suffix_of(path.name) in archived_suffixes() and path.is_file()


def class_root(folder: Path) -> Path:
    """Enter enclosing folders until there are several sub folders, or labels beside them.

    Args:
        folder: Where a set was unpacked.

    Returns:
        The folder of its class folders, or of its label files.
    """
    if not folder.is_dir():
        raise FileNotFoundError(f'{folder} is not a folder')
    inside = visible(folder)
    folders = [path for path in inside if path.is_dir()]
    if len(folders) == 1 and not any(path.suffix == '.json' or is_image(path) for path in inside):
        return class_root(folders[0])
    return folder


def from_folders(root: Path) -> dict[str, Path]:
    """Collect class folders; of a class with a folder ``JPEGImages`` only the images in there.

    Args:
        root: Folder of the class folders.

    Returns:
        Path in the result -> file.
    """
    found: dict[str, Path] = {}
    for folder in (path for path in visible(root) if path.is_dir()):
        inside = [path for path in sorted(folder.rglob('*')) if is_image(path) and not path.name.startswith('.')]
        chosen = [path for path in inside if 'JPEGImages' in path.relative_to(folder).parts] or inside
        for path in chosen:
            _add(found, f'{folder.name}/{path.name}', path)
    return found


def from_labels(root: Path) -> dict[str, Path]:
    """Collect the images that Chaoyang's two label files name.

    Args:
        root: Folder of ``train.json``, ``test.json`` and the images.

    Returns:
        Path in the result -> file.

    Raises:
        ValueError: If an entry has no label from 0 to 3, or no name inside the folder.
        FileNotFoundError: If a label file or images are missing.
    """
    found: dict[str, Path] = {}
    for split in ('train', 'test'):
        for i, entry in enumerate(_read_list(root / f'{split}.json')):
            name, label = (entry.get('name'), entry.get('label')) if isinstance(entry, dict) else (None, None)
            path = PurePosixPath(name) if isinstance(name, str) else PurePosixPath('..')
            inside = not path.is_absolute() and '..' not in path.parts
            if not inside or not isinstance(label, int) or label not in range(len(CHAOYANG_CLASSES)):
                raise ValueError(f'entry {i} of {root / split}.json needs a name inside the folder and a label from 0 '
                                 f'to 3, got {entry!r}')
            _add(found, f'{CHAOYANG_CLASSES[label]}/{split}_{path.name}', root / path)
    missing = [str(path) for path in found.values() if not path.is_file()]
    if missing:
        raise FileNotFoundError(f'{len(missing)} images that the label files name are missing, beginning with '
                                f'{missing[0]}')
    return found


def _read_list(file: Path) -> list:
    """Read a list from a label file."""
    try:
        entries = json.loads(file.read_text(encoding='utf-8-sig'))
    except ValueError as error:     # of the encoding or of the form
        raise ValueError(f'{file} cannot be read: {error}. Get it again') from error
    if not isinstance(entries, list):
        raise ValueError(f'{file} must hold a list of images, found {type(entries).__name__}')
    return entries


def _add(found: dict[str, Path], target: str, path: Path) -> None:
    """Note one image, unless its place is taken."""
    if target in found:
        raise ValueError(f'{path} and {found[target]} would both become {target}')
    found[target] = path


def check(name: str, counts: dict[str, int], expect: Optional[int] = None) -> str:
    """Compare a set with what was published.

    Args:
        name: One of :data:`SETS`.
        counts: Class -> images.
        expect: Number of images; None for the published one.

    Returns:
        A line to print.

    Raises:
        ValueError: If the number of images or classes differs.
    """
    published, total = SETS[name], sum(counts.values())
    known = published.classes if isinstance(published.classes, dict) else {}
    classes = len(known) or published.classes
    expect = published.images if expect is None else expect
    listed = ', '.join(f'{kind} {count}' for kind, count in sorted(counts.items()))
    if total != expect or len(counts) != classes:
        raise ValueError(f'found {total} images in {len(counts)} classes, expected {expect} in {classes}: the source '
                         f'is incomplete or another edition (--expect N takes N images). Found: {listed or "nothing"}')
    odd = [f'{kind} {counts.get(kind, 0)} instead of {count}' for kind, count in known.items()
           if counts.get(kind, 0) != count]
    note = f'; other class sizes than published: {", ".join(odd)}' if odd else ''
    return f'{total} images in {classes} classes{note} ({listed})'


def convert(name: str, source: Path, out: Path, expect: Optional[int] = None, copy: bool = False) -> str:
    """Make the class folders of a set.

    Args:
        name: One of :data:`SETS`.
        source: Where the set was unpacked.
        out: Folder to make; the folder of the class folders itself to count only.
        expect: Number of images that the source must hold; None for the published one.
        copy: Copy files even where they could be linked.

    Returns:
        A line about what is there.

    Raises:
        ValueError: If the source is not what was published, or a folder lies inside the other one.
    """
    root = class_root(source)
    labelled = name == 'chaoyang' and any((root / f'{split}.json').exists() for split in ('train', 'test'))
    real, made = root.resolve(), out.resolve()
    if made in real.parents or (real in made.parents and not labelled):
        inner, outer = (root, out) if made in real.parents else (out, root)
        raise ValueError(f'{inner} lies inside {outer}: move one of them away, choose another --out, or name class '
                         f'folders that need no change as `root` in the config')
    files = from_labels(root) if labelled else from_folders(root)
    line = check(name, Counter(target.split('/')[0] for target in files), expect)

    def put(target: str, place: Path) -> None:
        """Link or copy one image."""
        if not copy:
            with suppress(OSError):     # another file system, or one without links
                os.link(files[target].resolve(), place)
                return
        shutil.copy2(files[target], place)

    if real != made:
        fill_folder(out, {target: path.stat().st_size for target, path in files.items()}, put)
    return line


def main(arguments: Optional[list[str]] = None) -> int:
    """Run the command; returns its exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('name', choices=list(SETS))
    parser.add_argument('source', type=Path, help='folder that the set was unpacked into')
    parser.add_argument('--out', type=Path, help='folder to make (default: where the configs look)')
    parser.add_argument('--expect', type=int, metavar='N', help='images that the source must hold (default: published)')
    parser.add_argument('--copy', action='store_true', help='copy even where links are possible')
    args = parser.parse_args(arguments)
    out = data_folder() / SETS[args.name].folder if args.out is None else args.out
    try:
        print(f'{out}: {convert(args.name, args.source, out, args.expect, args.copy)}')
    except (OSError, ValueError) as error:
        print(f'error: {error}', file=sys.stderr)
        return 1
    return 0


if __name__ == '__main__':
    sys.exit(main())
