"""Reading config files, with a sentence about what is wrong in them."""
from __future__ import annotations

import os
import traceback
from typing import Union

from mmengine.config import Config


def read_config(path: Union[str, os.PathLike]) -> Config:
    """Read a config, a recipe, a part or a table as it stands.

    MMEngine runs a copy under another name, of which its errors speak.

    Args:
        path: The file.

    Raises:
        ImportError: If a package of its ``custom_imports`` cannot be imported.
        ValueError: If it is no Python, or its own lines fail.
    """
    try:
        return Config.fromfile(path, lazy_import=False)
    except SyntaxError as error:
        fault = error.__context__ if isinstance(error.__context__, SyntaxError) else error
        raise ValueError(f'{path}, line {fault.lineno}: {fault.msg}') from None
    except Exception as error:
        where = traceback.extract_tb(error.__traceback__)[-1]
        if os.path.realpath(where.filename) == os.path.realpath(path):
            raise ValueError(f'{path}, line {where.lineno}: {error}') from None
        if not isinstance(error, ImportError) or error.__context__ is None:
            raise
        first: BaseException = error        # MMEngine's own ends with a list of folders
        while first.__context__ is not None:
            first = first.__context__
        raise ImportError(f'{path}: its custom_imports fail: {first}. Install the package, or put the folder that '
                          f'holds it on PYTHONPATH') from error
