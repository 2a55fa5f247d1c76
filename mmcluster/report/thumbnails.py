"""Small pictures inside of a page, within a number of bytes."""
from __future__ import annotations

import base64
import io
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Callable, NamedTuple, Optional, Sequence

from PIL import Image

from mmcluster.datasets.decode import UnreadableImageError, decode_image

from .names import inside

EDGES = (160, 128, 96, 72)      # longer edge in pixels; the largest that fits is taken
QUALITY = 72
TRIED = 24                      # pictures from which the size of all is estimated
ROUND = 64
Progress = Callable[[int, int], object]


class Thumbnails(NamedTuple):
    """What became of the rows that should get a picture.

    Attributes:
        pictures: row -> WebP as base64, in the order of the rows that were asked for.
        edge: Longer edge in pixels.
        missing: row -> why there is none, for what could not be read.
    """
    pictures: dict[int, str]
    edge: int
    missing: dict[int, str]


def thumbnails(root: Path, paths: Sequence[str], rows: Sequence[int], budget: int, workers: int,
               progress: Optional[Progress] = None) -> Thumbnails:
    """Make pictures, in the given order, until the bytes are used up.

    Args:
        root: Folder of the images, resolved; nothing outside of it is read.
        paths: N paths relative to it.
        rows: Which of them, the most important first.
        budget: Bytes of all pictures together.
        workers: Threads; Pillow leaves Python to others while it decodes.
        progress: Called with the pictures done and all of them.
    """
    pictures: dict[int, str] = {}
    missing: dict[int, str] = {}
    with ThreadPoolExecutor(max(1, workers)) as pool:
        tried = list(pool.map(lambda row: _opened(root, paths[row])[0], rows[:TRIED]))
        edge = _edge([image for image in tried if image is not None], len(rows), budget)
        for start in range(0, len(rows), ROUND):
            part = rows[start:start + ROUND]
            for row, (picture, reason) in zip(part, pool.map(lambda row: _picture(root, paths[row], edge), part)):
                budget -= len(picture) + 1
                if budget < 0:
                    return Thumbnails(pictures, edge, missing)
                if picture:
                    pictures[row] = picture
                else:
                    missing[row] = reason
            if progress:
                progress(min(start + ROUND, len(rows)), len(rows))
    return Thumbnails(pictures, edge, missing)


def _opened(root: Path, path: str) -> tuple[Optional[Image.Image], str]:
    """An image of at most about the largest size, or why there is none."""
    file = inside(root, path)
    if file is None:
        return None, 'it lies outside of the folder'
    try:
        image = decode_image(file, draft=EDGES[0])
    except UnreadableImageError as error:
        return None, error.reason
    image.thumbnail((EDGES[0], EDGES[0]), Image.Resampling.LANCZOS, reducing_gap=2)
    return image, ''


def _encoded(image: Image.Image, edge: int) -> str:
    """An image as WebP in base64; small ones keep their size."""
    image.thumbnail((edge, edge), Image.Resampling.LANCZOS)
    stream = io.BytesIO()
    image.save(stream, 'WEBP', quality=QUALITY)
    return base64.b64encode(stream.getvalue()).decode()


def _picture(root: Path, path: str, edge: int) -> tuple[str, str]:
    """The picture of a file, or '' and why there is none."""
    image, reason = _opened(root, path)
    return ('', reason) if image is None else (_encoded(image, edge), '')


def _edge(tried: Sequence[Image.Image], count: int, budget: int) -> int:
    """The largest size at which ``count`` pictures like those that were tried fit into the budget."""
    for edge in EDGES[:-1]:
        if sum(len(_encoded(image.copy(), edge)) for image in tried) * count <= budget * len(tried):
            return edge
    return EDGES[-1]
