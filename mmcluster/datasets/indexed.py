"""The data set of mmcluster: rows keyed by one global index, answered a whole list of keys at a time."""
from __future__ import annotations

from pathlib import Path
from typing import Any, Mapping, Optional, Sequence, Union

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.utils.data import Dataset

from mmcluster.functional.labels.given import whole_labels
from mmcluster.registry import DATASETS
from mmcluster.structures import TEST_STREAM, Key, Rows

from .decode import UnreadableImageError, unreadable_error
from .files import check_headers
from .image_bank import image_bank
from .path_table import PathTable
from .seeding import preserve_random_state, seed_view, stable_hash
from .sources import ImageSource, require_fingerprint, split_parts, to_pil
from .summary import DataSummary, summarise
from .view_pipeline import ViewPipeline, stack_views


@DATASETS.register_module()
class IndexedDataset(Dataset):
    """Images keyed by their global index, through one of two doors.

    *In-memory door* (``pipelines=None``): the images are decoded once into one uint8 tensor, rows are gathered with one
    call, and the data preprocessor makes the views on the model's device. *Worker door* (``pipelines`` given): finished
    views come from mmcv-style transforms in the loader's workers.

    The loader must hand over whole lists of keys: ``batch_size=None``, a sampler such as
    :class:`~mmcluster.datasets.samplers.StreamSampler`, and ``collate_fn=dict(type='mmcluster.identity')``.

    Args:
        source: An :class:`~mmcluster.datasets.sources.ImageSource` or its config.
        size: Height and width (or one number) of the decoded images. None: their own size, which must be common to
            all in the in-memory door. With ``pipelines`` it keeps the resized images in memory; without it the worker
            door decodes files each time they are asked for.
        pipelines: Stream name -> list of view pipelines, each a list of transforms. A transform finds a PIL image in
            ``results['img']`` and the row in ``results['index']``; what the last one leaves (PIL image, uint8 array
            (H, W, C) in RGB, or uint8 tensor (C, H, W)) becomes the view. Streams without an entry use ``'batch'``,
            but ``'test'`` needs its own.
        test_mode: Put the ground truth into :class:`Rows`, for metrics.
        indices: Rows of the source to use, in this order; they are numbered 0..n-1 from then on.
        cache: Where decoded pixels are kept, see :func:`~mmcluster.datasets.image_bank.image_bank`.

    Edge cases:
        Before each view Python's, numpy's and torch's CPU generators are seeded by (draw, index, view), so views do not
        depend on workers, batches or ranks; the generators of the calling process are restored.
        A worker that the system kills (usually for want of memory) surfaces as torch's ``RuntimeError: DataLoader
        worker (pid ...) is killed by signal``: lower ``num_workers``, enlarge the shared memory of a container
        (``--shm-size``), or use the in-memory door; then resume.
    """

    def __init__(self, source: Union[ImageSource, dict], size: Union[int, tuple[int, int], None] = None,
                 pipelines: Optional[Mapping[str, Sequence[Sequence[Any]]]] = None, test_mode: bool = False,
                 indices: Optional[Sequence[int]] = None, cache: Union[bool, str, Path] = True) -> None:
        source = DATASETS.build(source) if isinstance(source, dict) else source
        require_fingerprint(source)
        rows = np.arange(len(source)) if indices is None else _check_indices(indices, len(source))
        self.test_mode = test_mode
        self._rows = torch.from_numpy(rows)
        self._chosen = None if indices is None else rows.tobytes()
        # that of files is not known before their content is read, which nobody may ask for
        self._origin = source.fingerprint if source.paths is None else source
        self._labels = None if source.labels is None else whole_labels(source.labels, f'labels of {source.name}')[rows]
        self._paths = None if source.paths is None else PathTable.of(source.paths)
        if self._paths is not None and indices is not None:
            self._paths = self._paths.take(rows)
        self._splits = dict(source.splits)
        self._left_out = dict(source.left_out)
        self._metainfo: dict[str, Any] = dict(dataset=source.name, classes=list(source.classes))
        self._pipelines = None if pipelines is None else {
            stream: [ViewPipeline(view) for view in views] for stream, views in pipelines.items()}
        in_memory = pipelines is None or size is not None or source.array is not None
        self._bank = image_bank(source, size, cache) if in_memory else None
        self._files = None if in_memory else source
        if self._files is not None:
            check_headers(source, rows)
        if pipelines is not None and self._bank is not None and self._bank.ndim != 4:
            raise ValueError('features have no views to make; leave `pipelines` out')

    def __len__(self) -> int:
        """Number of rows, N."""
        return len(self._rows)

    @property
    def labels(self) -> Optional[np.ndarray]:
        """(N,) int64 ground truth, -1 where unknown; None without any. For metrics, reports
        and a ``GroundTruthHook`` only."""
        return self._labels

    @property
    def classes(self) -> list[str]:
        """Class names, empty where unknown."""
        return list(self._metainfo['classes'])

    @property
    def paths(self) -> Optional[Sequence[str]]:
        """N paths relative to the folder of the data; None for arrays."""
        return self._paths

    def summary(self) -> DataSummary:
        """Count its images and ground-truth classes, and what its source left out and why."""
        return summarise(self._metainfo['dataset'], len(self), self._left_out, self._labels, self.classes)

    def split_rows(self, split: str) -> Tensor:
        """Rows that belong to some of the source's splits.

        Args:
            split: Names joined by ``+``, such as ``'train+test'``.

        Returns:
            (n,) long, ascending.

        Raises:
            ValueError: If the source knows no such split.
        """
        if not self._splits:
            raise ValueError(f'the data {self._metainfo["dataset"]!r} does not tell its splits apart; leave `split` '
                             'out, or use a source with `splits`, such as STL10Source')
        inside = torch.zeros(len(self), dtype=torch.bool)
        for part in split_parts(split, list(self._splits)):
            rows = self._splits[part]
            inside |= (self._rows >= rows.start) & (self._rows < rows.stop)
        return inside.nonzero().flatten()

    @property
    def fingerprint(self) -> int:
        """63-bit number that changes with the images, their order and the chosen rows, wherever they lie."""
        origin = self._origin if isinstance(self._origin, int) else self._origin.fingerprint
        return origin if self._chosen is None else stable_hash(origin, self._chosen)

    @property
    def metainfo(self) -> dict[str, Any]:
        """Name of the data and its class names: plain values that may enter logs and checkpoints."""
        return dict(dataset=self._metainfo['dataset'], classes=self.classes)

    def __getitem__(self, keys: Union[int, Key, Sequence[Union[int, Key]]]) -> dict[str, Rows]:
        """Answer keys, grouped by stream.

        Args:
            keys: Keys or plain row numbers (stream ``'batch'``, draw 0); a single one counts as a list of one.

        Returns:
            Stream -> rows in the order of their keys.
        """
        if isinstance(keys, (int, np.integer, Key)):
            keys = [keys]
        streams: dict[str, tuple[list[int], list[int]]] = {}
        for key in keys:
            index, stream, draw = key if isinstance(key, tuple) else (int(key), 'batch', 0)
            index_list, draw_list = streams.setdefault(stream, ([], []))
            index_list.append(index)
            draw_list.append(draw)
        return {stream: self._answer(stream, *lists) for stream, lists in streams.items()}

    def _answer(self, stream: str, indices: list[int], draws: list[int]) -> Rows:
        """Make the rows of one stream; see :class:`Rows` for the shapes."""
        index = torch.tensor(indices, dtype=torch.long)
        rows = self._rows.index_select(0, index)
        if self._pipelines is None:
            assert self._bank is not None
            images = [self._bank.index_select(0, rows)]
        else:
            images = self._views(self._pipelines, stream, rows.tolist(), indices, draws)
        label = None
        if self.test_mode:
            unknown = self._labels is None
            label = torch.full_like(index, -1) if unknown else torch.from_numpy(self._labels).index_select(0, index)
        return Rows(images, index, torch.tensor(draws, dtype=torch.long), label)

    def _views(self, of_stream: Mapping[str, list[ViewPipeline]], stream: str, rows: list[int], indices: list[int],
               draws: list[int]) -> list[Tensor]:
        """Make V views of B images: V tensors uint8 (B, C, H, W)."""
        pipelines = of_stream.get(stream)
        if pipelines is None and stream != TEST_STREAM:
            pipelines = of_stream.get('batch')
        if pipelines is None:
            raise KeyError(f'there is no pipeline for the stream {stream!r}; `pipelines` has {list(of_stream)}. '
                           f'Add pipelines[{stream!r}] = [[transforms of the one view]].')
        views: list[list[Tensor]] = [[] for _ in pipelines]
        failures = []
        with preserve_random_state():
            for row, index, draw in zip(rows, indices, draws):
                try:
                    image = self._image(row)
                except UnreadableImageError as error:
                    failures.append((f'image {index}' if self._paths is None else self._paths[index], error.reason))
                    continue
                for view, pipeline in enumerate(pipelines):
                    seed_view(draw, index, view)
                    views[view].append(pipeline(image.copy(), index))
        if failures:
            raise unreadable_error(failures, len(rows))
        return [stack_views(tensors, stream, view) for view, tensors in enumerate(views)]

    def _image(self, row: int) -> Image.Image:
        """The image of one row of the source."""
        if self._files is not None:
            return self._files.load(row)
        assert self._bank is not None       # one of them holds the images
        return to_pil(self._bank[row].numpy())


def _check_indices(indices: Sequence[int], total: int) -> np.ndarray:
    """Return the chosen rows (n,) int64, or say what is wrong with them."""
    rows = np.asarray(indices)
    if rows.ndim != 1 or rows.size == 0 or rows.dtype.kind not in 'iu':
        raise ValueError(f'indices must be a non-empty list of whole numbers, got {rows.dtype} of shape {rows.shape}')
    if rows.min() < 0 or rows.max() >= total:
        raise ValueError(f'indices must lie in 0..{total - 1}, got {rows.min()}..{rows.max()}')
    if len(np.unique(rows)) != len(rows):
        raise ValueError('indices name a row more than once')
    return rows.astype(np.int64)
