"""Weights of the zoo: where they lie, and that they are what was published."""
from __future__ import annotations

import hashlib
import os
from pathlib import Path
from urllib.parse import urlparse
from urllib.request import urlopen

from mmcluster.datasets.cache import cache_folder
from mmcluster.recipes import shipped_configs
from mmcluster.writing import whole_file

ZOO = 'MMCLUSTER_ZOO'       # a folder or an address with metafiles and weights of one's own
INDEX = 'metafile.yml'      # what is read below an address, which cannot be listed
TIMEOUT = 30                # seconds without an answer


def is_address(place: str) -> bool:
    """Whether a place is on the network."""
    return urlparse(place).scheme in ('http', 'https', 'file')


def metafiles() -> list[tuple[str, str]]:
    """(home, text) of the metafiles that come with the package, then of ``MMCLUSTER_ZOO``. Weights are below the home.

    Raises:
        ValueError: If the variable names no folder or address with metafiles.
    """
    shipped = shipped_configs()
    found = [(str(shipped.parent), path.read_text(encoding='utf-8')) for path in sorted(shipped.glob('metafile_*.yml'))]
    place = os.environ.get(ZOO, '').rstrip('/')
    if not place:
        return found
    if is_address(place):
        return [*found, (place, _read(f'{place}/{INDEX}').decode())]
    own = sorted(Path(place).expanduser().glob('*.yml'))
    if not own:
        raise ValueError(f'the environment variable {ZOO} names {place!r}, which is no folder with metafiles (*.yml): '
                         f'correct or unset it')
    return [*found, *((str(path.parent), path.read_text(encoding='utf-8')) for path in own)]


def fetch(weights: str, home: str, sha256: str) -> str:
    """A local file of weights whose digest is the published one; what comes from the network is kept.

    Args:
        weights: Address, or path below ``home``.
        home: Folder or address of the metafile.
        sha256: Published digest.

    Raises:
        FileNotFoundError: If there is no such file.
        ConnectionError: If the address does not answer.
        ValueError: If the file is another one.
    """
    place = weights if is_address(weights) else f'{home}/{weights}'
    if not is_address(place):
        if not os.path.isfile(place):
            raise FileNotFoundError(f'the weights {place} are missing: install the package anew, or take a checkout')
        _check(Path(place).read_bytes(), place, sha256)
        return place
    kept = cache_folder('zoo') / f'{sha256}.pth'
    if not kept.is_file():
        data = _read(place)
        _check(data, place, sha256)
        kept.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(kept) as stream:
            stream.write(data)
    _check(kept.read_bytes(), str(kept), sha256)
    return str(kept)


def _read(address: str) -> bytes:
    try:
        with urlopen(address, timeout=TIMEOUT) as answer:
            return answer.read()
    except OSError as error:
        raise ConnectionError(f'{address} cannot be read ({error}); copy it to a folder, and let {ZOO} name that '
                              f'folder') from None


def _check(data: bytes, place: str, sha256: str) -> None:
    found = hashlib.sha256(data).hexdigest()
    if found != sha256:
        raise ValueError(f'{place} is not the file that was published (its sha256 is {found}, not {sha256}): remove '
                         f'it and fetch it again')
