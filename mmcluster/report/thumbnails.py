"""Small pictures inside of a page, within a number of bytes."""
from __future__ import annotations

import base64
import io
from collections import Counter
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
LINKED, UNREADABLE = 'linked', 'unreadable'
Progress = Callable[[int, int], object]


class Thumbnails(NamedTuple):
    """What became of the rows that should get a picture.

    Attributes:
        pictures: row -> WebP as base64, in the order of the rows that were asked for.
        edge: Longer edge in pixels.
        missing: Reason -> number of the rows that have none for it.
    """
    pictures: dict[int, str]
    edge: int
    missing: Counter[str]


def thumbnails(root: Path, paths: Sequence[str], rows: Sequence[int], budget: int, workers: int,
               progress: Optional[Progress] = None, links: bool = False) -> Thumbnails:
    """Make pictures, in the given order, until the bytes are used up.

    Args:
        root: Folder of the images, resolved; nothing outside of it is read, unless ``links`` lead there.
        paths: N paths relative to it.
        rows: Which of them, the most important first.
        budget: Bytes of all pictures together.
        workers: Threads; Pillow leaves Python to others while it decodes.
        progress: Called with the pictures done and all of them.
        links: Follow links out of the folder.
    """
    pictures: dict[int, str] = {}
    missing: Counter[str] = Counter()
    with ThreadPoolExecutor(max(1, workers)) as pool:
        tried = list(pool.map(lambda row: _opened(root, paths[row], links)[0], rows[:TRIED]))
        edge = _edge([image for image in tried if image is not None], len(rows), budget)
        for start in range(0, len(rows), ROUND):
            part = rows[start:start + ROUND]
            made = pool.map(lambda row: _picture(*_opened(root, paths[row], links), edge), part)
            for row, (picture, reason) in zip(part, made):
                budget -= len(picture) + 1
                if budget < 0:
                    return Thumbnails(pictures, edge, missing)
                if picture:
                    pictures[row] = picture
                else:
                    missing[reason] += 1
            if progress:
                progress(min(start + ROUND, len(rows)), len(rows))
    return Thumbnails(pictures, edge, missing)


def _opened(root: Path, path: str, links: bool) -> tuple[Optional[Image.Image], str]:
    """An image of at most about the largest size, or why there is none."""
    file = inside(root, path, links)
    if file is None:
        behind = inside(root, path, links=True)
        return None, LINKED if behind is not None and behind.is_file() and not links else UNREADABLE
    try:
        image = decode_image(file, draft=EDGES[0])
    except UnreadableImageError:
        return None, UNREADABLE
    image.thumbnail((EDGES[0], EDGES[0]), Image.Resampling.LANCZOS, reducing_gap=2)
    return image, ''


def _encoded(image: Image.Image, edge: int) -> str:
    """An image as WebP in base64; small ones keep their size."""
    image.thumbnail((edge, edge), Image.Resampling.LANCZOS)
    stream = io.BytesIO()
    image.save(stream, 'WEBP', quality=QUALITY)
    return base64.b64encode(stream.getvalue()).decode()


def _picture(image: Optional[Image.Image], reason: str, edge: int) -> tuple[str, str]:
    """The picture of an image, or '' and why there is none."""
    return ('', reason) if image is None else (_encoded(image, edge), '')


def _edge(tried: Sequence[Image.Image], count: int, budget: int) -> int:
    """The largest size at which ``count`` pictures like those that were tried fit into the budget."""
    for edge in EDGES[:-1]:
        if sum(len(_encoded(image.copy(), edge)) for image in tried) * count <= budget * len(tried):
            return edge
    return EDGES[-1]
