"""What the feature store knows of some files, before anything is computed."""
from __future__ import annotations

import time
from pathlib import Path
from typing import Optional, Sequence, Union

import numpy as np
import torch

from mmcluster.datasets.cache import cache_folder
from mmcluster.datasets.decode import UnreadableImageError, decode_image

from .base import Encoder
from .embed import check_outside, default_dtype, usable_cpus
from .store import FeatureStore, file_key

PROBED = 8


def stored_content(encoder: Encoder, files: Sequence[str], root: Union[str, Path],
                   store: Union[str, Path, None] = None, dtype: Optional[str] = None) -> list[Optional[bytes]]:
    """Keys of the contents of files that have a row in the store.

    Args:
        encoder: Whose features they are.
        files: N paths relative to ``root``.
        root: Folder of the images.
        store: See :func:`~mmcluster.encoders.embed_files`, as ``dtype``.
        dtype: Type in which the encoder computes.

    Returns:
        N keys, ``None`` where there is no row for what the file is now.
    """
    root = Path(root).resolve()
    folder = cache_folder('features') if store is None else Path(store)
    check_outside(folder.resolve(), root)
    kept = FeatureStore(encoder, folder, dtype or default_dtype(encoder.device))
    kept.refresh()
    found = [kept.content_of(file_key(root, path)) for path in files]
    return [content if content in kept else None for content in found]


def seconds_per_image(encoder: Encoder, files: Sequence[str], root: Union[str, Path], workers: Optional[int] = None,
                      dtype: Optional[str] = None) -> Optional[float]:
    """How long an image takes to become features, measured on some of them.

    Args:
        encoder: What embeds.
        files: Paths relative to ``root``.
        root: Folder of the images.
        workers: Processes that decode.
        dtype: Type in which the encoder computes.

    Returns:
        Seconds; ``None`` if none of those that were tried can be read.
    """
    step, pixels, start = max(len(files) // PROBED, 1), [], time.perf_counter()
    for path in files[::step][:PROBED]:
        try:
            image = decode_image(Path(root) / path, draft=getattr(encoder.preprocess, 'draft_size', None))
            pixels.append(encoder.preprocess(image))
        except (UnreadableImageError, ValueError, OSError, MemoryError):
            continue
    if not pixels:
        return None
    decoding = (time.perf_counter() - start) / len(pixels)
    batch = torch.from_numpy(np.stack(pixels)).permute(0, 3, 1, 2).to(encoder.device)
    kind = getattr(torch, dtype or default_dtype(encoder.device))
    encoder.encode(batch[:1], kind)     # the first call prepares what the others use
    start = time.perf_counter()
    encoder.encode(batch, kind).cpu()
    readers = max(usable_cpus() if workers is None else workers, 1)
    return (time.perf_counter() - start) / len(pixels) + decoding / readers
