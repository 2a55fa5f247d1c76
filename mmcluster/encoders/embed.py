"""Images in files -> embeddings, through the store."""
from __future__ import annotations

import os
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Callable, Optional, Sequence, Union

import numpy as np
import torch
from torch.utils.data import DataLoader

from mmcluster.datasets import identity
from mmcluster.datasets.cache import cache_folder
from mmcluster.utils import has_bfloat16

from .base import Encoder
from .reading import FileViews
from .store import FeatureStore, StoreError, file_key

CHUNK_ROWS = 1024
CHUNK_SECONDS = 20.         # what a kill can lose
_TRIES = 3
Progress = Callable[[int, int], object]


@dataclass
class Features:
    """Embeddings of the images that could be read.

    Attributes:
        embed: (N, D) float32.
        paths: N paths relative to the root, in the order in which they were given.
        unreadable: (path, reason) of all other images.
        cached: How many of the N were in the store.
        computed: How many were embedded now.
    """
    embed: np.ndarray
    paths: list[str]
    unreadable: list[tuple[str, str]]
    cached: int
    computed: int


def embed_files(encoder: Encoder, files: Sequence[str], root: Union[str, Path], store: Union[str, Path, None] = None,
                batch_size: int = 32, workers: Optional[int] = None,
                device: Union[str, torch.device, None] = None, dtype: Optional[str] = None,
                progress: Optional[Progress] = None, keep: bool = True) -> Features:
    """Embed image files; what the store knows is not computed again.

    Args:
        encoder: What embeds.
        files: Paths relative to ``root``, with forward slashes.
        root: Folder of the images.
        store: Folder of the store; ``None`` is the user's cache folder.
        batch_size: Images that go through the network at once.
        workers: Processes that decode; one per processor by default, 0 decodes in this process.
        device: Where to compute; by default where the encoder lies.
        dtype: ``'float32'`` or ``'bfloat16'``; by default the second where the device is fast in it.
        progress: Called with (images done, images in all) after every batch.
        keep: ``False`` uses a store that is removed at the end.

    Returns:
        The features. Files that cannot be read are listed in it.

    Raises:
        StoreError: If the store cannot be written, or lies in the folder of the images.
    """
    root = Path(root).resolve()
    encoder = encoder if device is None else encoder.to(device)
    dtype = dtype or default_dtype(encoder.device)
    with ExitStack() as stack:
        folder = store if keep else stack.enter_context(tempfile.TemporaryDirectory(prefix='mmcluster_features_'))
        folder = cache_folder('features') if folder is None else Path(folder)
        check_outside(folder.resolve(), root)
        kept = FeatureStore(encoder, folder, dtype)
        run = _Run(encoder, kept, root, list(files), getattr(torch, dtype), progress or (lambda done, total: None))
        return run.features(batch_size, usable_cpus() if workers is None else workers)


def check_outside(folder: Path, root: Path) -> None:
    """Refuse a store among the images; hidden folders, such as the cache in a home folder, hold no images.

    Args:
        folder: Of the store, absolute.
        root: Of the images, absolute.

    Raises:
        StoreError: If it lies there.
    """
    if folder.is_relative_to(root) and not any(part.startswith('.') for part in folder.relative_to(root).parts):
        raise StoreError(f'the store {folder} lies in the folder of the images; name another one by --store')


class _Run:
    """One pass over the files of a folder."""

    def __init__(self, encoder: Encoder, store: FeatureStore, root: Path, files: list[str], dtype: torch.dtype,
                 progress: Progress) -> None:
        self.encoder, self.store, self.root, self.files = encoder, store, root, files
        self.dtype, self.progress = dtype, progress
        self.keys = [file_key(root, path) for path in files]
        self.content: list[Optional[bytes]] = [None] * len(files)
        self.reasons: dict[int, str] = {}
        self.computed: set[bytes] = set()

    def features(self, batch_size: int, workers: int) -> Features:
        """Compute what is missing and gather all rows."""
        for _ in range(_TRIES):     # again if rows on disk turn out to be damaged
            self.store.refresh()
            todo = self._missing()
            self.progress(len(self.files) - len(todo), len(self.files))
            self._compute(todo, batch_size, workers)
            self.store.refresh()
            rows = [i for i in range(len(self.files)) if i not in self.reasons]
            content = [key for key in (self.content[i] for i in rows) if key is not None]
            assert len(content) == len(rows)    # the others have a reason
            embed = self.store.gather(content)
            if embed is not None:
                break
        else:
            raise StoreError(f'{self.store.folder} loses what is written to it; look after the disk, or name another '
                             'folder by --store')
        computed = sum(self.content[i] in self.computed for i in rows)
        return Features(embed, [self.files[i] for i in rows],
                        [(self.files[i], self.reasons[i]) for i in sorted(self.reasons)],
                        len(rows) - computed, computed)

    def _missing(self) -> list[int]:
        """Numbers of the files that have no row."""
        self.content = [self.store.content_of(key) for key in self.keys]
        return [i for i, content in enumerate(self.content) if content not in self.store and i not in self.reasons]

    def _compute(self, todo: list[int], batch_size: int, workers: int) -> None:
        """Embed the files of these numbers and write chunks on the way, the last one whatever happens."""
        if not todo:
            return
        views = FileViews([self.root / self.files[i] for i in todo], self.encoder.preprocess, self.store.known())
        loader = DataLoader(views, batch_size, num_workers=min(workers, -(-len(todo) // batch_size)),
                            collate_fn=identity, prefetch_factor=2 if workers else None)
        writer, done = _Writer(self.store), len(self.files) - len(todo)
        written: set[bytes] = set()
        try:
            for batch in loader:
                fresh = {batch.content[at]: n for n, at in enumerate(batch.new)
                         if batch.content[at] not in written}
                if fresh:
                    writer.rows(list(fresh), self._encode(batch.pixels[list(fresh.values())], batch_size))
                    written.update(fresh)
                numbers = [todo[row] for row in batch.rows]
                for number, content in zip(numbers, batch.content):
                    self.content[number] = content
                writer.seen([self.keys[number] for number in numbers], batch.content)
                self.reasons.update((todo[row], reason) for row, reason in batch.failures)
                done += len(numbers) + len(batch.failures)
                self.progress(done, len(self.files))
        finally:
            writer.flush()
            self.computed |= written

    def _encode(self, pixels: torch.Tensor, batch_size: int) -> np.ndarray:
        """Embed (B, H, W, C) uint8 -> (B, D).

        The batch is filled up: kernels for few rows round otherwise, and a run that goes on where another one was
        killed has other batches, but must end with the same bits.
        """
        missing = pixels.new_zeros(batch_size - len(pixels), *pixels.shape[1:])
        images = torch.cat([pixels, missing]).permute(0, 3, 1, 2).to(self.encoder.device)
        return self.encoder.encode(images, self.dtype)[:len(pixels)].cpu().numpy()


class _Writer:
    """Collects rows until they are worth a chunk."""

    def __init__(self, store: FeatureStore) -> None:
        self.store, self.since = store, time.monotonic()
        self.content: list[bytes] = []
        self.embed: list[np.ndarray] = []
        self.pairs: list[tuple[bytes, bytes]] = []

    def rows(self, content: list[bytes], embed: np.ndarray) -> None:
        """Add embeddings."""
        self.content += content
        self.embed.append(embed)

    def seen(self, files: Sequence[Optional[bytes]], content: Sequence[bytes]) -> None:
        """Add which content files have, and write if it is time."""
        self.pairs += [(file, key) for file, key in zip(files, content) if file is not None]
        if len(self.pairs) >= CHUNK_ROWS or time.monotonic() - self.since > CHUNK_SECONDS:
            self.flush()

    def flush(self) -> None:
        """Write what was collected: rows first, since a file whose content has no row is read again."""
        if self.embed:
            self.store.add_rows(self.content, np.concatenate(self.embed))
        if self.pairs:
            self.store.add_seen(*zip(*self.pairs))
        self.content, self.embed, self.pairs, self.since = [], [], [], time.monotonic()


def usable_cpus() -> int:
    """Processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, 'sched_getaffinity') else os.cpu_count() or 1


def default_dtype(device: Union[str, torch.device]) -> str:
    """Name of the type in which a device computes fastest with features that are near those of float32.

    Args:
        device: Where the encoder lies.
    """
    return 'bfloat16' if has_bfloat16(device) else 'float32'
