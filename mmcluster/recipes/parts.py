"""Where parts lie, and how they are read."""
from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any, Optional

from mmcluster.checks import near

from .config_names import variables_of_files
from .part_names import check_part
from .reading import read_config

PACKAGE = Path(__file__).resolve().parents[1]


def shipped(name: str) -> Path:
    """A folder that comes with the package: inside a wheel, or beside the package in a checkout.

    Args:
        name: ``'configs'`` or ``'experiments'``.
    """
    wheel = PACKAGE / '.mim' / name
    return wheel.resolve() if wheel.is_dir() else PACKAGE.parent / name     # an editable install has a link


def shipped_configs() -> Path:
    """The folder of the configs that come with the package."""
    return shipped('configs')


def config_file(name: str) -> Path:
    """A config by its path, the ending left out or not, or, if it is one that comes with the package, by its name.

    Args:
        name: Such as ``'my/config.py'`` or ``'propos_cnn_digits'``.

    Raises:
        FileNotFoundError: If there is none; the message has near names.
    """
    for path in (Path(name), Path(f'{name}.py')):
        if path.is_file():
            return path
    file = shipped_configs() / (name if name.endswith('.py') else f'{name}.py')
    if file.is_file() and file.parent == shipped_configs():
        return file
    known = sorted(path.stem for path in shipped_configs().glob('*.py'))
    raise FileNotFoundError(f'there is no config {name}{near(Path(name).stem, known)}; give a file, or the name of a '
                            f'config in {shipped_configs()}')


class PartReader:
    """Reads parts by name, such as ``'propos/r18'``; see :meth:`find` for where it looks.

    Args:
        folder: Folder of the recipe; ``None``: shipped parts only.
    """

    def __init__(self, folder: Optional[str | Path] = None):
        ours = shipped_configs() / 'parts'
        own = [] if folder is None else [Path(folder) / 'parts', Path(folder)]
        self.folders = list(dict.fromkeys([*own, ours]))

    def find(self, name: str) -> Path:
        """File of a part: below ``parts`` beside the recipe, beside the recipe, or among the shipped parts.

        A name with a dot and a colon, ``'my_package:parts/sharp'``, is a file of an installed package.

        Args:
            name: With or without ``.py``; an absolute path is taken as it is.

        Raises:
            FileNotFoundError: If there is none; the message has near names.
        """
        package, colon, inside = name.partition(':')
        if colon and package.replace('.', '').isidentifier():
            return _file_of_package(package, inside)
        file = name if name.endswith('.py') else f'{name}.py'
        for folder in self.folders:
            if (folder / file).is_file():
                return folder / file
        raise FileNotFoundError(f'there is no part {name!r}{near(name, self.names())}. Looked in '
                                f'{", ".join(map(str, self.folders))}')

    def names(self) -> list[str]:
        """Names of all parts below the folders ``parts``."""
        return sorted({path.relative_to(folder).with_suffix('').as_posix() for folder in self.folders
                       if folder.name == 'parts' and folder.is_dir() for path in folder.rglob('*.py')})

    def read(self, name: str) -> dict[str, Any]:
        """Content of a part as a plain nested dict, which is the caller's own; misspelt names are refused."""
        path = self.find(name)
        read = _read.__wrapped__ if '{{' in path.read_text(encoding='utf-8') else _read    # the environment may change
        return _plain(read(path, path.stat().st_mtime_ns))


def _file_of_package(package: str, inside: str) -> Path:
    """A file of an installed package."""
    from importlib.resources import files
    path = Path(str(files(package))) / (inside if inside.endswith('.py') else f'{inside}.py')
    if not path.is_file():
        raise FileNotFoundError(f'the package {package} has no part {inside!r}: there is no file {path}')
    return path


@cache
def _read(path: Path, changed: int) -> dict[str, Any]:
    """Parse a file once, as long as it does not change."""
    content = read_config(path)._cfg_dict.to_dict()
    check_part(content, f'the part {path}', variables=variables_of_files(str(path))[0])
    return content


def _plain(value: Any) -> Any:
    """A deep copy of nested dicts and lists; tuples and leaves stay what they are."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(_plain(item) for item in value)
    return value
