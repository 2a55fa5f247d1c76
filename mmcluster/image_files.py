"""Which files are images: one list for sources and converters, made of what Pillow can read here."""
from __future__ import annotations

import importlib
from collections import Counter
from contextlib import suppress
from functools import cache
from typing import Iterable, Mapping

from PIL import Image

# No still pictures, or not without another program: charts, films, drawings, tables of measurements, fonts.
_OTHER_FORMATS = {'BUFR', 'EPS', 'FITS', 'FLI', 'GRIB', 'HDF5', 'IPTC', 'MPEG', 'WMF'}
_OTHER_SUFFIXES = {'.pfm'}  # float pixels, mostly depths beside the images
PLUGINS = {'.heic': 'pillow-heif', '.heics': 'pillow-heif', '.heif': 'pillow-heif', '.hif': 'pillow-heif',
           '.avif': 'pillow-avif-plugin', '.jxl': 'pillow-jxl-plugin'}  # suffix -> package that makes Pillow read it
_MODULES = {'pillow-heif': 'pillow_heif', 'pillow-avif-plugin': 'pillow_avif', 'pillow-jxl-plugin': 'pillow_jxl'}
# What lies beside images without being meant as one: counted in summaries, but no reason to warn.
_SIDE_FILES = {'.bib', '.cfg', '.csv', '.dat', '.db', '.gz', '.htm', '.html', '.ini', '.json', '.jsonl', '.log', '.mat',
               '.md', '.npy', '.npz', '.pdf', '.pkl', '.py', '.rar', '.rst', '.sh', '.tar', '.toml', '.tsv', '.txt',
               '.xls', '.xlsx', '.xml', '.xz', '.yaml', '.yml', '.zip'}
NO_SUFFIX, IRREGULAR, LOCKED = 'without a suffix', 'pipes or devices', 'folders that may not be read'
_SINGLE = {IRREGULAR: 'pipe or device', LOCKED: 'folder that may not be read'}


@cache
def load_plugins() -> None:
    """Let Pillow know of its plug-ins that are installed."""
    Image.init()
    for module in _MODULES.values():
        with suppress(ImportError):
            plugin = importlib.import_module(module)
            if hasattr(plugin, 'register_heif_opener'):
                plugin.register_heif_opener()


def image_suffixes() -> tuple[str, ...]:
    """Suffixes, in lower case and sorted, of the files that are read as images."""
    load_plugins()
    known = {suffix.lower() for suffix, kind in Image.registered_extensions().items()
             if kind in Image.OPEN and kind not in _OTHER_FORMATS}
    return tuple(sorted(known - _OTHER_SUFFIXES))


def archived_suffixes() -> tuple[str, ...]:
    """Suffixes of all images that an archive is unpacked for: what is read here, or could be with a plug-in."""
    return tuple(sorted({*image_suffixes(), *PLUGINS}))


def suffix_of(name: str) -> str:
    """Suffix of a file name in lower case, such as ``.jpg``; :data:`NO_SUFFIX` if it has none.

    Args:
        name: The name, without folders.
    """
    stem, dot, suffix = name.rpartition('.')
    return f'.{suffix.lower()}' if dot and stem else NO_SUFFIX


def needs_plugin(suffix: str) -> str:
    """Package that would make Pillow read such files; an empty text if they are read, or none would.

    Args:
        suffix: As by :func:`suffix_of`.
    """
    return '' if suffix in image_suffixes() else PLUGINS.get(suffix, '')


def passed_over(left_out: Mapping[str, int]) -> str:
    """Say which files a user may have meant as images although they are not read.

    Args:
        left_out: Suffix or another reason -> number of files.

    Returns:
        Numbers by suffix, and what to do; an empty text if nothing but tables, texts and the like was passed over.
    """
    counts = {suffix: count for suffix, count in left_out.items()
              if suffix not in _SIDE_FILES and (suffix.startswith('.') or suffix in (NO_SUFFIX, IRREGULAR, LOCKED))}
    packages = sorted({needs_plugin(suffix) for suffix in counts} - {''})
    hints = [f'install {" and ".join(packages)} to read {_listed(counts, packages)}'] if packages else []
    if any(suffix not in (IRREGULAR, LOCKED) and not needs_plugin(suffix) for suffix in counts):
        hints.append('convert what should be read to PNG or JPEG, or correct its suffix')
    if LOCKED in counts:
        hints.append('allow yourself to read those folders (chmod u+rx)')
    if not counts:
        return ''
    said = 'passed over ' + ', '.join(f'{count} {_SINGLE.get(suffix, suffix) if count == 1 else suffix}'
                                      for suffix, count in counts.items())
    return f'{said}: {"; ".join(hints)}' if hints else said


def _listed(suffixes: Iterable[str], packages: list[str]) -> str:
    """The suffixes that some packages read."""
    return ', '.join(suffix for suffix in suffixes if PLUGINS.get(suffix) in packages)


def count_suffixes(names: Iterable[str]) -> Counter:
    """Count files by suffix, the most frequent first.

    Args:
        names: File names.
    """
    return Counter(dict(Counter(map(suffix_of, names)).most_common()))
