"""Reading config files, with a sentence about what is wrong in them."""
from __future__ import annotations

import os
from traceback import walk_tb
from typing import Optional, Union

from mmengine.config import Config


def read_config(path: Union[str, os.PathLike]) -> Config:
    """Read a config, a recipe, a part or a table as it stands.

    MMEngine runs a copy under another name, of which its errors speak.

    Args:
        path: The file.

    Raises:
        FileNotFoundError: If it is not there, or one of its ``_base_``.
        ImportError: If a package of its ``custom_imports`` cannot be imported.
        ValueError: If it, or one of its ``_base_``, is no config, or its lines fail.
    """
    try:
        return Config.fromfile(path, lazy_import=False)
    except Exception as error:
        explained = _explained(path, error)
        if explained is None:
            raise
        raise explained from error


def _explained(path: Union[str, os.PathLike], error: Exception) -> Optional[Exception]:
    """The error with the file and line that it comes from; None if it says enough, or no config is at fault."""
    frames = list(walk_tb(error.__traceback__))
    # MMEngine's function that reads one file calls itself for a _base_
    files = [frame.f_locals['filename'] for frame, _ in frames if frame.f_code.co_name == '_file2dict']
    # what runs lines of a module: of the config, or of one that is imported
    module = [(frame.f_code.co_filename, number) for frame, number in frames if frame.f_code.co_name == '<module>']
    if not files:       # all are read; what follows is importing
        if isinstance(error, ImportError) and error.__context__ is not None:
            return ImportError(f'{path}: its custom_imports fail: {_first(error)}. Install the package, or put the '
                               f'folder that holds it on PYTHONPATH')
        if not module and not isinstance(error, SyntaxError):
            return None
        place = (error.filename or path, error.lineno) if isinstance(error, SyntaxError) else module[-1]
        return ValueError(f'{path}: its custom_imports fail: {_at(*place)}: {_what(error)}')
    *outer, file = dict.fromkeys(files)
    if isinstance(error, FileNotFoundError) and outer and not os.path.exists(file):
        return FileNotFoundError(f'{file}, which {outer[-1]} has for its _base_, does not exist')
    line = next((number for frame, number in reversed(frames) if frame.f_code.co_filename == file), None)
    if isinstance(error, SyntaxError):
        fault = error.__context__ if isinstance(error.__context__, SyntaxError) else error
        if fault.filename and os.path.exists(fault.filename):       # a module that it imports
            return ValueError(f'{_at(fault.filename, fault.lineno)}: {fault.msg}')
        return ValueError(f'{_at(file, line or fault.lineno)}: {fault.msg}')
    if isinstance(error, OSError):
        kind = FileNotFoundError if isinstance(error, FileNotFoundError) else OSError
        return None if line is None else kind(f'{_at(file, line)}: {error}')
    inside = f' ({_at(*module[-1])})' if line and module[-1][0] != file else ''
    return ValueError(f'{_at(file, line)}: {_what(error)}{inside}')


def _at(file: Union[str, os.PathLike], line: Optional[int]) -> str:
    return f'{file}, line {line}' if line else f'{file}'


def _what(error: Exception) -> str:
    if isinstance(error, SyntaxError):
        return error.msg
    # a key alone says little
    return f'{type(error).__name__}: {error}' if isinstance(error, KeyError) else str(error)


def _first(error: BaseException) -> BaseException:
    """The error during whose handling all others were raised."""
    while error.__context__ is not None:
        error = error.__context__
    return error
