"""Images that a file lists."""
from __future__ import annotations

import json
from pathlib import Path
from typing import Union

from mmcluster.registry import DATASETS

from .files import FileSource
from .listing import existing_folder


@DATASETS.register_module()
class ListedSource(FileSource):
    """Images of a folder that a JSON file lists, without labels; those that cannot be read are left out.

    Args:
        root: Folder of the images.
        files: JSON file with a list of paths relative to ``root``.
        mode: ``'RGB'`` or ``'L'``.
    """

    def __init__(self, root: Union[str, Path], files: Union[str, Path], mode: str = 'RGB') -> None:
        root, paths = existing_folder(root), json.loads(Path(files).read_text(encoding='utf-8'))
        super().__init__(root, paths, None, [], mode, skip_unreadable=True)
