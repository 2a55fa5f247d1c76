"""Unpack a tar archive of image folders, whole or in part.

Examples::

    python tools/dataset_converters/unpack_archive.py cifar10_jpeg.tar.xz --expect 60000
    python tools/dataset_converters/unpack_archive.py cifar10_jpeg.tar.xz --subset 2000
    python tools/dataset_converters/unpack_archive.py sign_digits_64.tar --expect 2062

The result is ``<data>/<archive stem>`` (``<data>/<archive stem>_<N>`` for a subset), where ``<data>`` is the
environment variable ``MMCLUSTER_DATA`` or the folder ``data`` of the repository. A folder that encloses everything in
the archive is left out, so that class folders or splits lie directly in the result. Everything is written to a
temporary folder beside it that is renamed at the end: a result is complete or absent, and a second call finds it and
does nothing. An archive that was cut, at any place, is refused. Files that are no images are counted and passed over.
"""
from __future__ import annotations

import argparse
import lzma
import os
import shutil
import sys
import tarfile
import tempfile
import zlib
from pathlib import Path, PurePosixPath
from typing import Callable, Optional

from mmcluster.image_files import archived_suffixes, count_suffixes, passed_over, suffix_of

_CHUNK = 1 << 20


class _Member(tarfile.TarInfo):
    """A member that tells the end of an archive from the end of a file; ``tarfile`` takes any for the end."""

    @classmethod
    def fromtarfile(cls, archive: tarfile.TarFile) -> _Member:
        """Read the next header."""
        try:
            return super().fromtarfile(archive)
        except tarfile.EOFHeaderError:
            archive.complete = True
            raise


def list_members(archive: tarfile.TarFile) -> tuple[dict[str, tarfile.TarInfo], str]:
    """List the images of an archive, and read it to its end.

    Args:
        archive: The archive, just opened.

    Returns:
        Path below the enclosing folder -> member; and what was passed over, for people.

    Raises:
        ValueError: If the archive was cut, wants to write outside its folder, or holds no image.

    Edge cases:
        Links, devices, hidden and other files are passed over.
    """
    members, others, links, suffixes = {}, [], 0, archived_suffixes()
    for member in archive:
        path = PurePosixPath(member.name)
        if path.is_absolute() or '..' in path.parts:
            raise ValueError(f'the archive wants to write outside its folder: {member.name}')
        if member.isdir() or path.name.startswith('.'):
            continue
        if not member.isfile():
            links += 1
        elif suffix_of(path.name) in suffixes:
            members[str(path)] = member
        else:
            others.append(path.name)
    check_end(archive)
    said = [passed_over(count_suffixes(others))] + [f'passed over {links} links or devices'] * (links > 0)
    said = '; '.join(filter(None, said))
    if not members:
        raise ValueError(f'the archive holds no image ({" ".join(suffixes)})' + (f'; {said}' if said else ''))
    while len({PurePosixPath(path).parts[0] for path in members}) == 1 \
            and all(len(PurePosixPath(path).parts) > 2 for path in members):
        members = {str(PurePosixPath(*PurePosixPath(path).parts[1:])): member for path, member in members.items()}
    return members, said


def check_end(archive: tarfile.TarFile) -> None:
    """Refuse an archive without its last block, or whose compression does not come to its end.

    Args:
        archive: Of which all members were listed.

    Raises:
        ValueError: If it was cut.
    """
    if not getattr(archive, 'complete', False):
        raise ValueError('the archive has no end: it was cut or is damaged. Fetch it again')
    while archive.fileobj.read(_CHUNK):     # the checksum of a compressed file stands at its end
        pass


def choose_subset(paths: list[str], subset: int) -> list[str]:
    """Choose images evenly: from each folder in proportion to its size, at equal distances in sorted order.

    Args:
        paths: Paths of all images.
        subset: Number of images to choose.

    Returns:
        The chosen paths, sorted. Nothing but positions decides, so the choice is the same everywhere.
    """
    if not 0 < subset <= len(paths):
        raise ValueError(f'--subset must lie in 1..{len(paths)}, got {subset}')
    folders: dict[str, list[str]] = {}
    for path in sorted(paths):
        folders.setdefault(str(PurePosixPath(path).parent), []).append(path)
    quota = {name: subset * len(inside) // len(paths) for name, inside in folders.items()}
    by_remainder = sorted(folders, key=lambda name: (-(subset * len(folders[name]) % len(paths)), name))
    for name in by_remainder[:subset - sum(quota.values())]:
        quota[name] += 1
    return sorted(inside[(2 * i + 1) * len(inside) // (2 * quota[name])]
                  for name, inside in folders.items() for i in range(quota[name]))


def unpack(archive_path: Path, out: Path, subset: Optional[int] = None,
           expect: Optional[int] = None) -> tuple[int, str]:
    """Unpack the images of an archive into a new folder.

    Args:
        archive_path: ``.tar``, ``.tar.gz``, ``.tar.bz2`` or ``.tar.xz``.
        out: Folder to make.
        subset: Number of images to take; None for all.
        expect: Number of images that the whole archive must hold; None to accept any.

    Returns:
        Number of images in ``out``, and what was passed over, for people.

    Edge cases:
        An ``out`` with exactly these files is left as it is; one with other files is an error.
    """
    with tarfile.open(archive_path, tarinfo=_Member) as archive:
        members, said = list_members(archive)
        if expect is not None and len(members) != expect:
            raise ValueError(f'{archive_path} holds {len(members)} images, expected {expect}: fetch it again')
        wanted = set(members if subset is None else choose_subset(list(members), subset))
        members = {path: member for path, member in members.items() if path in wanted}
        sizes = {path: member.size for path, member in members.items()}

        def put(path: str, target: Path) -> None:
            """Write one member."""
            with archive.extractfile(members[path]) as source, open(target, 'wb') as file:
                shutil.copyfileobj(source, file)

        fill_folder(out, sizes, put)
    return len(members), said


def fill_folder(out: Path, sizes: dict[str, int], put: Callable[[str, Path], object]) -> None:
    """Make a folder of files, whole or not at all.

    Args:
        out: Folder to make.
        sizes: Path in it -> bytes, of every file.
        put: Writes a file: called with its path and the place to write to, whose folder exists.

    Edge cases:
        An ``out`` with exactly these files is left as it is; one with other files raises ``FileExistsError``.
    """
    if out.exists():
        check_complete(out, sizes)
        return
    out.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(dir=out.parent, prefix=f'.{out.name}.'))
    try:
        for path in sizes:
            target = temporary / 'files' / path
            target.parent.mkdir(parents=True, exist_ok=True)
            put(path, target)
        check_complete(temporary / 'files', sizes)
        os.replace(temporary / 'files', out)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def check_complete(folder: Path, sizes: dict[str, int]) -> None:
    """Raise unless a folder holds exactly the given images.

    Args:
        folder: The folder; hidden files and folders in it do not count.
        sizes: Relative path -> bytes.
    """
    found = {}
    for path in folder.rglob('*'):
        relative = path.relative_to(folder)
        if path.is_file() and not any(part.startswith('.') for part in relative.parts):
            found[relative.as_posix()] = path.stat().st_size
    if found != sizes:
        wrong = sorted(path for path in set(found) | set(sizes) if found.get(path) != sizes.get(path))
        raise FileExistsError(f'{folder} differs from its source in {len(wrong)} files, beginning with {wrong[0]}. '
                              'Remove the folder or choose another --out.')


def data_folder() -> Path:
    """Where data lies: the environment variable ``MMCLUSTER_DATA``, or the folder ``data`` of the repository."""
    return Path(os.environ.get('MMCLUSTER_DATA', Path(__file__).resolve().parents[2] / 'data'))


def main(arguments: Optional[list[str]] = None) -> int:
    """Run the command; returns its exit status."""
    parser = argparse.ArgumentParser(description='Unpack a tar archive of image folders, whole or in part.')
    parser.add_argument('archive', type=Path, help='.tar, .tar.gz, .tar.bz2 or .tar.xz')
    parser.add_argument('--out', type=Path, help='folder to make (default: <data>/<archive stem>[_<N>])')
    parser.add_argument('--subset', type=int, metavar='N', help='take N images, evenly from all folders')
    parser.add_argument('--expect', type=int, metavar='N', help='number of images that the archive must hold')
    args = parser.parse_args(arguments)
    out = args.out
    if out is None:
        out = data_folder() / (args.archive.name.split('.tar')[0] + (f'_{args.subset}' if args.subset else ''))
    try:
        count, said = unpack(args.archive, out, args.subset, args.expect)
    except (OSError, ValueError, EOFError, tarfile.TarError, lzma.LZMAError, zlib.error) as error:
        print(f'error: {error}', file=sys.stderr)
        return 1
    print(f'{out}: {count} images' + (f'; {said}' if said else ''))
    return 0


if __name__ == '__main__':
    sys.exit(main())
