"""Features of a folder, kept in the store and, if asked for, in a file."""
from __future__ import annotations

import csv
import io
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Optional, Union

import numpy as np

from mmcluster.image_names import cell_of
from mmcluster.writing import whole_file

from .folder_input import find_images
from .folder_words import announce
from .result import refuse_result_file
from .telling import Teller

if TYPE_CHECKING:
    from mmcluster.encoders import Encoder, Features


def folder_features(root: Union[str, Path], encoder: str = 'default', out: Optional[str] = None,
                    device: Optional[str] = None, workers: Optional[int] = None, store: Optional[str] = None,
                    teller: Optional[Teller] = None, draws: int = 0) -> Features:
    """Embed the images of a folder.

    Args:
        root: The folder.
        encoder: What :func:`mmcluster.encoders.build_encoder` takes.
        out: ``.npy`` file to write (N, D) float32 to; a ``.csv`` beside it names the image of every row. With drawn
            views it holds (N, 1 + 2 n, D) float16, as a booster on features reads it: plain, weak, strong.
        device: Where the encoder computes.
        workers: Processes that decode.
        store: Folder of the feature store.
        teller: Is told what happens.
        draws: n weak and n strong views of every image are stored besides.

    Returns:
        The features; with drawn views their ``embed`` is what ``out`` holds.

    Raises:
        ValueError: If ``out`` is no name of a ``.npy`` file, lies among the images or is a file of a result.
        OSError: If something cannot be written.
    """
    teller, images = teller or Teller(), find_images(root)
    file = None if out is None else Path(out).absolute()
    if file is not None and (file.suffix != '.npy' or file.resolve().is_relative_to(images.root.resolve())):
        raise ValueError(f'--out {out} must be a file that ends in .npy and does not lie among the images')
    if file is not None:
        refuse_result_file(file)
        refuse_result_file(file.with_suffix('.csv'))
    from mmcluster.encoders import build_encoder, embed_files
    built = build_encoder(encoder, device)
    announce(images, built, workers, store, teller)
    found = embed_files(built, images.paths, images.root, store, workers=workers,
                        progress=lambda done, total: teller.progress('features', done, total))
    if draws:
        found = with_drawn_views(found, built, images.root, draws, store, workers, teller)
    if file is not None:
        file.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(file) as stream:
            np.save(stream, found.embed, allow_pickle=False)
        text = io.StringIO(newline='')
        csv.writer(text).writerows([('path',), *((cell_of(path),) for path in found.paths)])
        with whole_file(file.with_suffix('.csv')) as stream:
            stream.write(text.getvalue().encode('utf-8', 'surrogateescape'))
        teller.line(f'wrote {file} {found.embed.shape} and {file.with_suffix(".csv")}')
    teller.line(f'{found.computed:,} computed, {found.cached:,} known before, {len(found.unreadable):,} unreadable')
    return found


def with_drawn_views(found: Features, encoder: Encoder, root: Path, draws: int, store: Optional[str] = None,
                     workers: Optional[int] = None, teller: Optional[Teller] = None) -> Features:
    """Put drawn views beside features; those that the store knows are not computed again.

    Args:
        found: Features (N, D) of images.
        encoder: That made them.
        root: Folder of the images.
        draws: n.
        store: Folder of the feature store.
        workers: Processes that decode.
        teller: Is told what happens.

    Returns:
        The features with ``embed`` (N, 1 + 2 n, D) float16.

    Raises:
        ValueError: If an image can no longer be read.
    """
    from mmcluster.encoders import embed_files
    from mmcluster.encoders.drawn import DrawnViews
    tell = teller or Teller()
    views = embed_files(DrawnViews(encoder, draws), found.paths, root, store, workers=workers,
                        progress=lambda done, total: tell.progress('views', done, total))
    if views.paths != found.paths:
        raise ValueError(f'{views.unreadable[0][0]} changed while it was read: {views.unreadable[0][1]}; run again')
    rows = views.embed.reshape(len(views.embed), 2 * draws, -1)
    return replace(found, embed=np.concatenate([found.embed[:, None], rows], axis=1).astype(np.float16))
