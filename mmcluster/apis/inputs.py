"""What a notebook user gives: a folder, paths, PIL images, arrays of images or features -> features."""
from __future__ import annotations

import os
import warnings
from pathlib import Path
from typing import Any, NamedTuple, Optional, Sequence

import numpy as np
import torch
from PIL import Image

from mmcluster.datasets.decode import eight_bit

BATCH = 32
NOTHING = 'there are no images: give a folder that holds some, a list of paths or images, or an array'
PATH = (str, os.PathLike)


class Inputs(NamedTuple):
    """Features of the images that could be read.

    Attributes:
        x: (n, D).
        rows: (n,) int64, place of each among the N given ones.
        count: N.
        paths: Where they came from, as they were given or listed; ``None`` for images in memory and features.
    """
    x: np.ndarray
    rows: np.ndarray
    count: int  # type: ignore[assignment]  # hides tuple.count
    paths: Optional[list[str]]


def is_features(given: Any) -> bool:
    """Whether something is meant as features: no path, no image, and no array of images."""
    if isinstance(given, (str, os.PathLike)):
        return False
    if isinstance(given, (list, tuple)) and given:
        return not isinstance(given[0], (*PATH, Image.Image)) and np.ndim(given[0]) < 2
    grey = getattr(given, 'ndim', 2) == 3 and getattr(given, 'dtype', None) == np.uint8
    return not _is_array_of(given, (*PATH, Image.Image)) and getattr(given, 'ndim', 2) != 4 and not grey


def _is_array_of(given: Any, kinds: tuple[type, ...]) -> bool:
    """Whether something is an array (N,) whose first entry is of some kind."""
    return isinstance(given, np.ndarray) and given.ndim == 1 and len(given) > 0 and isinstance(given[0], kinds)


def image_of(array: np.ndarray) -> Image.Image:
    """An image from an array (H, W) or (H, W, C) of 1, 3 or 4 channels.

    Raises:
        ValueError: If it is none.
    """
    array = array[..., None] if array.ndim == 2 else array
    if np.issubdtype(array.dtype, np.floating):
        if array.min(initial=0) < 0 or array.max(initial=0) > 1:
            raise ValueError('images of floats must lie in [0, 1]; give uint8 for 0 to 255')
        array = (array * 255).round().astype(np.uint8)
    if array.ndim != 3 or array.shape[2] not in (1, 3, 4) or array.dtype != np.uint8:
        raise ValueError('images must be (N, H, W, C) with 1, 3 or 4 channels or (N, H, W), uint8 or floats in [0, 1]; '
                         f'got one of shape {array.shape} of {array.dtype}')
    return Image.fromarray(array[..., 0] if array.shape[2] == 1 else array)


def _embed_images(images: Sequence[Any], encoder: Any) -> np.ndarray:
    """Embed images in memory, batch by batch -> (N, D) float32."""
    parts = []
    for start in range(0, len(images), BATCH):
        opened = [image if isinstance(image, Image.Image) else image_of(np.asarray(image))
                  for image in images[start:start + BATCH]]
        pixels = np.stack([encoder.preprocess(eight_bit(image)) for image in opened])
        batch = torch.from_numpy(pixels).permute(0, 3, 1, 2).to(encoder.device)
        parts.append(encoder.encode(batch).cpu().numpy())
    return np.concatenate(parts)


def embed_inputs(given: Any, encoder: Any, store: Optional[str] = None, workers: Optional[int] = None) -> Inputs:
    """Turn images into features.

    Args:
        given: A folder, a list of paths or of PIL images, an array (N, H, W, C), or (N, H, W) of uint8, or a list of
            arrays (H, W, C) or (H, W).
        encoder: See :class:`mmcluster.encoders.Encoder`.
        store: Folder of the feature store, see :func:`mmcluster.encoders.embed_files`.
        workers: Processes that decode files.

    Returns:
        The features. Files that cannot be read are left out, with a warning that lists some; if none
        can be read there are features (0, D).

    Raises:
        FileNotFoundError: If the folder does not exist.
        ValueError: If there are no images.
    """
    from mmcluster.datasets.listing import list_images
    from mmcluster.encoders import embed_files
    root = Path('.')
    if isinstance(given, (str, os.PathLike)):
        root = Path(given)
        if not root.is_dir():
            raise FileNotFoundError(f'{root} is no folder; give a folder of images, or a list of paths')
        given = list_images(root)
    elif len(given) and not isinstance(given[0], PATH):
        return Inputs(_embed_images(given, encoder), np.arange(len(given)), len(given), None)
    if not len(given):
        raise ValueError(NOTHING)
    paths = [os.fspath(path) for path in given]
    if root == Path('.') and paths:
        root = Path(os.path.commonpath([os.path.dirname(os.path.abspath(path)) for path in paths]))
        files = [Path(os.path.abspath(path)).relative_to(root).as_posix() for path in paths]
    else:
        files = paths
    found = embed_files(encoder, files, root, store, workers=workers)
    if found.unreadable:
        shown = '; '.join(f'{path}: {reason}' for path, reason in found.unreadable[:3])
        warnings.warn(f'{len(found.unreadable)} of {len(files)} images cannot be read and belong to no cluster '
                      f'({shown})')
    bad = {path for path, _ in found.unreadable}
    rows = np.array([row for row, path in enumerate(files) if path not in bad], np.int64)
    embed = np.asarray(found.embed).reshape(len(rows), -1) if len(rows) else np.zeros((0, encoder.dim), np.float32)
    return Inputs(embed, rows, len(files), paths)
