"""Features of a folder, kept in the store and, if asked for, in a file."""
from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import TYPE_CHECKING, Optional, Union

import numpy as np

from .folder_input import find_images
from .folder_words import announce
from .telling import Teller
from .writing import whole_file

if TYPE_CHECKING:
    from mmcluster.encoders import Features


def folder_features(root: Union[str, Path], encoder: str = 'default', out: Optional[str] = None,
                    device: Optional[str] = None, workers: Optional[int] = None, store: Optional[str] = None,
                    teller: Optional[Teller] = None) -> Features:
    """Embed the images of a folder.

    Args:
        root: The folder.
        encoder: What :func:`mmcluster.encoders.build_encoder` takes.
        out: ``.npy`` file to write (N, D) float32 to; a ``.csv`` beside it names the image of every row.
        device: Where the encoder computes.
        workers: Processes that decode.
        store: Folder of the feature store.
        teller: Is told what happens.

    Raises:
        ValueError: If ``out`` is no name of a ``.npy`` file, or lies among the images.
        OSError: If something cannot be written.
    """
    teller, images = teller or Teller(), find_images(root)
    file = None if out is None else Path(out).absolute()
    if file is not None and (file.suffix != '.npy' or file.resolve().is_relative_to(images.root.resolve())):
        raise ValueError(f'--out {out} must be a file that ends in .npy and does not lie among the images')
    from mmcluster.encoders import build_encoder, embed_files
    built = build_encoder(encoder, device)
    announce(images, built, workers, store, teller, after=False)
    found = embed_files(built, images.paths, images.root, store, workers=workers,
                        progress=lambda done, total: teller.progress('features', done, total))
    if file is not None:
        file.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(file) as stream:
            np.save(stream, found.embed, allow_pickle=False)
        text = io.StringIO(newline='')
        csv.writer(text).writerows([('path',), *((path,) for path in found.paths)])
        with whole_file(file.with_suffix('.csv')) as stream:
            stream.write(text.getvalue().encode('utf-8', 'surrogateescape'))
        teller.line(f'wrote {file} {found.embed.shape} and {file.with_suffix(".csv")}')
    teller.line(f'{found.computed:,} computed, {found.cached:,} known before, {len(found.unreadable):,} unreadable')
    return found
