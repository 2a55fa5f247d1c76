"""Images in tar files, read where they lie."""
from __future__ import annotations

import os
import tarfile
from collections import Counter
from functools import cached_property, partial
from pathlib import Path
from typing import Optional, Union

import numpy as np
from PIL import Image

from mmcluster.checks import require_count
from mmcluster.image_files import count_suffixes, image_suffixes, passed_over, suffix_of
from mmcluster.image_names import printable
from mmcluster.registry import DATASETS

from .decode import decode_bytes, decoder_name
from .index_file import Listing, kept_listing, state_of
from .listing import existing_folder
from .path_table import PathTable
from .seeding import stable_hash
from .sources import ImageSource

LABELS = ('cls', 'folders', 'shards')
_SAMPLED = 1024
_BLOCK = 512        # bytes; an archive ends with blocks of zeros


@DATASETS.register_module()
class TarSource(ImageSource):
    """The images in all tar files of a folder, such as the shards of a WebDataset or ImageNet's one tar a class.

    The archives are read through once; names, places and sizes are then kept in the cache folder until one of them
    changes, and images are read from where they lie. Nothing is unpacked. Rows are ordered by archive, as plain text,
    and then as they lie in it; paths are ``<archive>/<name in it>``.

    Args:
        root: Folder with the archives ``*.tar``, which are not compressed.
        labels: ``'cls'``: for every image ``<key>.jpg`` a file ``<key>.cls`` with the number of its class;
            ``'folders'``: the first folder inside the archive is the class; ``'shards'``: the archive is. None: no
            ground truth.
        draft: As of :class:`~mmcluster.datasets.folder.ClassFolderSource`.

    Edge cases:
        Names that begin with a dot are passed over. Links, compressed archives, images without a class and classes
        that are no whole number are errors.
    """

    root: Path
    paths: PathTable

    def __init__(self, root: Union[str, Path], labels: Optional[str] = None, draft: Optional[int] = None) -> None:
        if labels not in (None, *LABELS):
            raise ValueError(f'labels must be one of {list(LABELS)} or None, got {labels!r}')
        require_count('TarSource', draft=draft)
        self.root = root = existing_folder(root)
        names = sorted(path.name for path in root.glob('*.tar') if path.is_file() and not path.name.startswith('.'))
        if not names:
            raise FileNotFoundError(f'{root} holds no file *.tar; use ClassFolderSource or FolderSource for images')
        found = kept_listing(root, ['tar', str(labels), *names, *image_suffixes()],
                             partial(_scan, root, names, labels), always=True)
        assert found.places is not None
        self.paths, self.labels, self.classes = found.paths, found.labels, tuple(found.classes)
        self.name, self.draft, self.left_out = printable(root.name), draft, dict(found.left_out)
        self._places, self._shards = found.places, names

    @property
    def cache_name(self) -> str:
        """Hash of folder and paths, and hash of the state of every archive."""
        place = self.paths.hashed(stable_hash(os.path.realpath(self.root)))
        states = '\n'.join(state_of(f'{self.root}/{name}') for name in self._shards)
        return f'{place:016x}_{stable_hash(decoder_name(self.paths, self.draft), states):016x}'

    @cached_property
    def fingerprint(self) -> int:  # type: ignore[override]  # computed when it is asked for
        """63-bit number of all paths and sizes, and of the content of 1,024 images spread evenly over them."""
        rows = np.linspace(0, len(self) - 1, min(len(self), _SAMPLED)).astype(np.int64)
        content = stable_hash(self._places[1].tobytes(), *(self._read(int(row)) for row in rows))
        return self.paths.hashed(content)

    def load(self, i: int) -> Image.Image:
        """Decode image ``i``."""
        return decode_bytes(self._read(i), self.paths[i], self.draft)

    def _read(self, i: int) -> bytes:
        """The file of image ``i``. Archives are opened each time: there may be more than a process may hold open."""
        offset, size = self._places[:, i].tolist()
        with open(self.root / self.paths[i].split('/', 1)[0], 'rb') as file:
            file.seek(offset)
            return file.read(size)


def _scan(root: Path, names: list[str], labels: Optional[str]) -> Listing:
    """Read through the archives; see :class:`TarSource`."""
    paths: list[str] = []
    places: list[tuple[int, int]] = []
    truth: list[str] = []
    left_out: Counter[str] = Counter()
    watched = {}
    for name in names:
        watched[str(root / name)] = state_of(str(root / name))
        inside, others, numbers = _members(root / name)
        if labels == 'cls':
            truth += [numbers.get(_key(member), '') for member, _, _ in inside]
        elif labels == 'folders':
            truth += [member.split('/')[0] if '/' in member else '' for member, _, _ in inside]
        elif labels == 'shards':
            truth += [name.removesuffix('.tar')] * len(inside)
        paths += [f'{name}/{member}' for member, _, _ in inside]
        places += [(offset, size) for _, offset, size in inside]
        left_out += others
    if not paths:
        said = passed_over(left_out)
        raise FileNotFoundError(f'the archives in {root} hold no image{f"; {said}" if said else ""}')
    numbers_of, classes = (None, []) if labels is None else _numbered(root, labels, paths, truth)
    return Listing(PathTable.of(paths), numbers_of, classes, left_out, [], watched, np.array(places, np.int64).T.copy())


def _members(file: Path) -> tuple[list[tuple[str, int, int]], Counter, dict[str, str]]:
    """Images of one archive with offset and size, numbers of others by suffix, and key -> content of ``.cls`` files."""
    images, others, numbers, suffixes = [], [], {}, set(image_suffixes())
    try:
        with tarfile.open(file, 'r:') as archive:
            for member in archive:
                archive.members = []        # type: ignore[attr-defined]  # it would keep an object for each
                name = member.name.removeprefix('./')
                base = name.rsplit('/', 1)[-1]
                if base.startswith('.') or member.isdir():
                    continue
                if not member.isreg() or member.issparse():
                    raise ValueError(f'{name} is a link, a device or a sparse file; pack the archive again with '
                                     '--dereference')
                if suffix_of(base) in suffixes:
                    images.append((name, member.offset_data, member.size))
                elif suffix_of(base) == '.cls':
                    content = archive.extractfile(member)
                    numbers[_key(name)] = content.read(32).decode('utf-8', 'replace').strip() if content else ''
                else:
                    others.append(base)
            _require_end(archive)
    except (tarfile.TarError, ValueError, OSError) as error:
        raise ValueError(f'{file} cannot be read as a plain tar file ({error}); pack it again, not '
                         'compressed') from error
    return images, count_suffixes(others), numbers


def _require_end(archive: tarfile.TarFile) -> None:
    """Refuse an archive that goes on, or stops, where its reader found no further member: it says nothing of that."""
    file = archive.fileobj
    assert file is not None
    file.seek(archive.offset)
    rest = file.read(1 << 20)
    if len(rest) < _BLOCK or rest.strip(b'\0'):
        raise ValueError(f'it is damaged or cut off after {archive.offset} bytes')


def _key(name: str) -> str:
    """What the files of one sample have in common: the name up to the first dot of its last part."""
    folder, _, base = name.rpartition('/')
    return f'{folder}/{base.split(".", 1)[0]}'


def _numbered(root: Path, labels: str, paths: list[str], truth: list[str]) -> tuple[np.ndarray, list[str]]:
    """Labels (N,) and class names of the classes of images as texts."""
    wrong = [path for path, text in zip(paths, truth) if not (text.isdecimal() if labels == 'cls' else text)]
    if wrong:
        missing = 'file .cls with the number of its class' if labels == 'cls' else 'folder in its archive'
        raise ValueError(f'{len(wrong)} of {len(paths)} images in {root} have no {missing}, beginning with '
                         f'{printable(wrong[0])}; leave `labels` out if there are none')
    if labels == 'cls':
        return np.array(list(map(int, truth)), np.int64), []
    classes = sorted(set(truth))
    number = {name: label for label, name in enumerate(classes)}
    return np.array([number[name] for name in truth], np.int64), list(map(printable, classes))
