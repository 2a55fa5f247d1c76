"""Image sources that read folders: class folders, or any folder with an optional CSV of labels."""
from __future__ import annotations

import posixpath
import warnings
from collections import Counter
from functools import partial
from pathlib import Path
from typing import Optional, Sequence, Union

import numpy as np

from mmcluster.image_files import image_suffixes
from mmcluster.image_names import printable
from mmcluster.registry import DATASETS

from .class_lists import class_folders
from .files import FileSource
from .index_file import Listing, kept_listing, state_of
from .label_csv import read_labels
from .layout import check_layout, splits_among
from .listing import existing_folder, no_image_error, scan_images, sub_folders
from .path_table import PathTable

_OUTSIDE = 'outside the class folders'


@DATASETS.register_module()
class ClassFolderSource(FileSource):
    """One sub folder per class: ``root/<split>/<class>/...``, or ``root/<class>/...``.

    Rows are ordered by split as given, then class, then path as plain text.

    Args:
        root: Folder of the data.
        splits: Folders to join, in this order; None if the class folders lie directly in ``root``.
        classes: Class folders to use, in the order of their labels, or the name of a list of them (``'imagenet10'``,
            ``'imagenet_dogs'``, see :mod:`~mmcluster.datasets.class_lists`); None for all, sorted.
        mode: ``'RGB'`` or ``'L'``.
        skip_unreadable: Leave out images that cannot be read (a warning counts them).
        draft: Shorter edge in pixels that is enough: larger JPEGs are decoded at a half, a quarter or an eighth of
            their size where that is not below it.

    Edge cases:
        Missing or empty class folders and splits with different classes are errors, and so are folders that look like
        splits or like a level above the classes, unless ``classes`` names them. A class of a single image is read
        like any other, with a warning that names it: training does not see classes, but metrics say little about it.
    """

    def __init__(self, root: Union[str, Path], splits: Optional[Sequence[str]] = ('train', 'test'),
                 classes: Union[str, Sequence[str], None] = None, mode: str = 'RGB',
                 skip_unreadable: bool = False, draft: Optional[int] = None) -> None:
        root = existing_folder(root)
        chosen, titles = (None, None) if classes is None else class_folders(classes)
        folders = [''] if splits is None else [splits] if isinstance(splits, str) else list(splits)
        names = self._classes(root, folders, chosen)
        settings = ['class folders', *folders, str(chosen is None), *names, *image_suffixes()]
        found = kept_listing(root, settings, partial(_scan_classes, root, folders, names, chosen is None))
        super().__init__(root, found.paths, found.labels, list(map(printable, titles or names)), mode,
                         skip_unreadable, found.left_out, draft)
        self.name = classes if isinstance(classes, str) else self.name
        self._warn_of_small_classes()

    def _warn_of_small_classes(self) -> None:
        """Name the classes that have fewer than two images."""
        assert self.labels is not None
        counts = np.bincount(self.labels, minlength=len(self.classes))
        few = [f'{name} ({count})' for name, count in zip(self.classes, counts) if count < 2]
        if few:
            warnings.warn(f'{self.root}: {len(few)} of {len(self.classes)} classes have fewer than two images: '
                          + ', '.join(few[:20]) + (' ...' if len(few) > 20 else '')
                          + '. They are kept; metrics count them like any other class.')

    @staticmethod
    def _classes(root: Path, folders: list[str], classes: Optional[list[str]]) -> list[str]:
        """Return the class names and check that every split has them."""
        found = {}
        for folder in folders:
            if not (root / folder).is_dir():
                raise FileNotFoundError(f'{root} has no folder {folder!r}; found {sub_folders(root)}. '
                                        'Correct `splits`, or pass None if the class folders lie directly in root.')
            found[folder] = sub_folders(root / folder)
        names = found[folders[0]] if classes is None else classes
        if not names:
            raise FileNotFoundError(f'{root / folders[0]} has no class folders; use FolderSource for a plain folder')
        if folders == [''] and classes is None and splits_among(names) == names:
            raise ValueError(f'the folders {names} of {root} look like splits, not classes; pass splits={tuple(names)}')
        for folder, inside in found.items():
            odd = set(names) - set(inside) if classes is not None else set(names) ^ set(inside)
            if odd:
                more = ', ...' if len(inside) > 20 else ''
                raise FileNotFoundError(f'class folders {sorted(odd)} are not in every split of {root} '
                                        f'({folder or "root"!r} has {", ".join(inside[:20])}{more})')
        return names


@DATASETS.register_module()
class FolderSource(FileSource):
    """Any folder of images, with or without labels.

    Args:
        root: Folder of the data. Rows are ordered by relative path as plain text.
        labels: CSV file with the columns path (relative to ``root``) and label, a header line optional; relative
            names are looked up in ``root`` first. Labels are names or whole numbers; their sorted distinct values
            become 0..K-1. An empty label, NaN or -1 means unknown; other negative numbers and fractions are refused.
            None: no ground truth.
        recursive: Enter sub folders.
        mode: ``'RGB'`` or ``'L'``.
        skip_unreadable: Leave out images that cannot be read (a warning counts them).

    Edge cases:
        A CSV that names a file twice, names a missing file or leaves an image out is an error that names the rows.
    """

    def __init__(self, root: Union[str, Path], labels: Union[str, Path, None] = None, recursive: bool = True,
                 mode: str = 'RGB', skip_unreadable: bool = False) -> None:
        root = existing_folder(root)
        table = None if labels is None else root / labels if (root / labels).is_file() else Path(labels)
        settings = ['folder', str(recursive), '' if table is None else str(table.absolute()), *image_suffixes()]
        found = kept_listing(root, settings, partial(_scan_folder, root, recursive, table))
        super().__init__(root, found.paths, found.labels, found.classes, mode, skip_unreadable, found.left_out)


def _scan_classes(root: Path, folders: list[str], names: list[str], check: bool) -> Listing:
    """List the images of class folders in some splits; ``check`` whether they look like classes."""
    paths, labels, watched = [], [], {}
    left_out: Counter[str] = Counter()
    inside: dict[str, list[str]] = {name: [] for name in names}
    for folder in folders:
        beside = scan_images(root / folder, recursive=False)
        left_out[_OUTSIDE] += len(beside.paths)
        watched.update(beside.watched)
        for label, name in enumerate(names):
            found = scan_images(root / folder / name)
            if not found.paths:
                raise no_image_error(root / folder / name, found.left_out,
                                     'Fill or remove it, or name the wanted folders in `classes`')
            left_out += found.left_out
            watched.update(found.watched)
            inside[name] += found.paths
            paths += [posixpath.join(folder, name, path) for path in found.paths]
            labels += [label] * len(found.paths)
    if check:
        check_layout(root, inside)
    if left_out[_OUTSIDE]:
        warnings.warn(f'{root}: passed over {left_out[_OUTSIDE]} images that lie beside the class folders')
    return Listing(PathTable.of(paths), np.asarray(labels, np.int64), [], +left_out, [], watched)


def _scan_folder(root: Path, recursive: bool, table: Optional[Path]) -> Listing:
    """List the images of a folder, with the labels of a table if there is one."""
    paths, left_out, watched = scan_images(root, recursive)
    if not paths:
        raise no_image_error(root, left_out, '' if recursive else 'Set recursive=True to look into sub folders')
    splits = splits_among(sorted({path.split('/')[0] for path in paths if '/' in path}))
    if len(splits) > 1:
        warnings.warn(f'{root}: the images of the folders {", ".join(splits)} are read together; give one of them '
                      'as `root` to read it alone')
    if table is not None:
        watched[str(table)] = state_of(str(table))
    labels, classes = (None, []) if table is None else read_labels(table, paths)
    return Listing(PathTable.of(paths), labels, classes, left_out, [], watched)
