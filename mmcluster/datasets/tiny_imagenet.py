"""Tiny-ImageNet from the original archive."""
from __future__ import annotations

from pathlib import Path
from typing import Union

import numpy as np

from mmcluster.registry import DATASETS

from .files import FileSource
from .listing import existing_folder, list_images, sub_folders
from .sources import split_parts

PARTS = ('train', 'val', 'test')
_TABLE = 'val_annotations.txt'


def _read_table(folder: Path) -> dict[str, str]:
    """Class of every validation image, by file name; ``val_annotations.txt`` has file, class and box in a line."""
    if not (folder / _TABLE).is_file():
        raise FileNotFoundError(f'{folder} lacks {_TABLE}: unpack the archive again. Validation images that were moved '
                                "into class folders are read by ClassFolderSource(splits=('train', 'val')).")
    lines = [line.split() for line in (folder / _TABLE).read_text(encoding='utf-8').splitlines() if line.strip()]
    return {line[0]: line[1] for line in lines if len(line) > 1}


def _list_part(root: Path, part: str, classes: list[str]) -> tuple[list[str], list[int]]:
    """Paths relative to root and labels of one part."""
    if part == 'train':
        missing = sorted(set(classes) - set(sub_folders(root / part)))
        if missing:
            raise FileNotFoundError(f'{root / part} lacks {len(missing)} of {len(classes)} class folders, beginning '
                                    f'with {missing[0]}: unpack the archive again')
        found = [(f'{part}/{name}/{path}', label) for label, name in enumerate(classes)
                 for path in list_images(root / part / name)]
        return [path for path, _ in found], [label for _, label in found]
    images = list_images(existing_folder(root / part / 'images'))
    paths = [f'{part}/images/{path}' for path in images]
    if part == 'test':
        return paths, [-1] * len(paths)
    table = _read_table(root / part)
    if set(table) != set(images) or not set(table.values()) <= set(classes):
        odd = sorted(set(table) ^ set(images)) or sorted(set(table.values()) - set(classes))
        raise ValueError(f'{root / part / _TABLE} does not fit the images or classes, beginning with {odd[0]}: unpack '
                         'the archive again')
    return paths, [classes.index(table[image]) for image in images]


@DATASETS.register_module()
class TinyImageNetSource(FileSource):
    """Tiny-ImageNet: 200 classes, 64x64; 100,000 training, 10,000 validation and 10,000 test images.

    Rows are ordered train, val, test, however ``split`` is written, then by class (train only) and path as plain text.
    Classes are WordNet ids, sorted. The test images have label -1.

    Args:
        root: Folder with the unpacked archive (``tiny-imagenet-200``), or that folder.
        split: Some of ``train``, ``val`` and ``test``, joined by ``+``.
        skip_unreadable: Leave out images that cannot be read (a warning counts them).
    """

    def __init__(self, root: Union[str, Path], split: str = 'train', skip_unreadable: bool = False) -> None:
        parts = split_parts(split, PARTS)
        root = existing_folder(root)
        root = root / 'tiny-imagenet-200' if (root / 'tiny-imagenet-200').is_dir() else root
        classes = self._classes(root)
        paths: list[str] = []
        labels: list[int] = []
        for part in parts:
            inside, known = _list_part(root, part, classes)
            if not inside:
                raise FileNotFoundError(f'{root / part} holds no image: unpack the archive again')
            paths, labels = paths + inside, labels + known
        truth = None if parts == ['test'] else np.asarray(labels, np.int64)
        super().__init__(root, paths, truth, classes, 'RGB', skip_unreadable)
        self.name = f"Tiny-ImageNet {'+'.join(parts)}"

    @staticmethod
    def _classes(root: Path) -> list[str]:
        """Sorted WordNet ids, from ``wnids.txt`` or else from the folders of the training images."""
        if (root / 'wnids.txt').is_file():
            return sorted((root / 'wnids.txt').read_text(encoding='utf-8').split())
        if (root / 'train').is_dir():
            return sub_folders(root / 'train')
        raise FileNotFoundError(f'{root} holds neither tiny-imagenet-200/wnids.txt nor tiny-imagenet-200/train. Unpack '
                                'the archive there.')
