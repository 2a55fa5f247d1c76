"""The data preprocessor: rows of either door become normalised views on the model's device."""
from __future__ import annotations

from typing import Callable, Mapping, Optional, Sequence

import torch
from mmengine.model import BaseDataPreprocessor
from torch import Tensor

from mmcluster.checks import require_not_negative, require_positive
from mmcluster.functional.rng import Draws
from mmcluster.registry import MODELS, TRANSFORMS
from mmcluster.structures import TEST_STREAM, Batch, Rows

# On a CPU the rows of a batch are augmented in groups whose float images take about this much memory: below it the
# calls cost more than the pixels, above it temporaries leave the cache. No result depends on it.
CPU_CHUNK_BYTES = 1 << 22
MAX_CHANNELS = 4

View = list[Callable[[Tensor, Draws], Tensor]]
ViewConfig = Sequence[dict | Callable[[Tensor, Draws], Tensor]]


@MODELS.register_module()
class ViewPreprocessor(BaseDataPreprocessor):
    """Make the views of every stream, normalise them, and hand them over as ``Batch`` tuples.

    In-memory rows, one uint8 tensor (B, H, W, C), are augmented here: view v of a row is a function of (draw, index,
    v), whatever the rank, the batch or the device count. Rows of the worker door, V uint8 tensors (B, C, H, W), come
    as finished views and are only normalised; so their operations live in the data set. Float features (B, F), or
    (B, V, F) of stored views, go through operations of their own, such as
    :class:`~mmcluster.datasets.transforms.StoredView`; without any they stay, or the first stored view is taken.

    Args:
        mean: Per channel, or one for all, in grey levels 0..255.
        std: Likewise.
        views: The training views: a list of views for every stream, or a dict stream -> list of views.
            A view is a list of batched operations (or their configs); an empty one is the evaluation view.
        test: Operations of the evaluation view, for ``training=False`` and for the stream ``'test'``.
        channels_last: Memory format of the views; pays off for convolutions on most devices.
        non_blocking: Copy to the device without waiting.
    """

    def __init__(self, mean: Sequence[float], std: Sequence[float],
                 views: Optional[Sequence[ViewConfig] | Mapping[str, Sequence[ViewConfig]]] = None,
                 test: ViewConfig = (), channels_last: bool = False, non_blocking: bool = True) -> None:
        super().__init__(non_blocking=non_blocking)
        if len(mean) != len(std):
            raise ValueError(f'mean and std must have equal length, got {len(mean)} and {len(std)}')
        require_not_negative('ViewPreprocessor', **{f'mean[{i}]': value for i, value in enumerate(mean)})
        require_positive('ViewPreprocessor', **{f'std[{i}]': value for i, value in enumerate(std)})
        center, spread = (torch.tensor(value, dtype=torch.float64).view(1, -1, 1, 1) for value in (mean, std))
        self.register_buffer('scale', (255 / spread).float(), persistent=False)
        self.register_buffer('shift', (center / spread).float(), persistent=False)
        self.test = _build(test)
        self.views: dict[str, list[View]] | list[View] | None
        if isinstance(views, Mapping):
            self.views = {stream: _build_views(given, stream) for stream, given in views.items()}
        else:
            self.views = None if views is None else _build_views(views, 'every stream')
        self.memory_format = torch.channels_last if channels_last else torch.contiguous_format

    def forward(self, data: dict[str, Rows], training: bool = False) -> dict:
        """Prepare one item of the loader.

        Args:
            data: stream -> Rows, on the host.
            training: Make the training views; else the evaluation view.

        Returns:
            ``dict(inputs=None, data_samples={stream: Batch})``, views float32 on the device of this module.
        """
        with torch.autocast(self.device.type, enabled=False):
            samples = {stream: self._batch(stream, Rows(*rows), training and stream != TEST_STREAM)
                       for stream, rows in data.items()}
        return dict(inputs=None, data_samples=samples)

    def _batch(self, stream: str, rows: Rows, training: bool) -> Batch:
        """Turn the rows of one stream into its Batch."""
        images = [self.cast_data(image) for image in rows.images]
        if images[0].is_floating_point():
            known = self.views is not None and (not isinstance(self.views, dict) or stream in self.views)
            of_features = self._training_views(stream) if training and known else [self.test]
            views = self._feature_views(images[0].float(), rows, of_features)
        elif len(images) > 1 or not _is_channel_last(images[0]):
            views = [self._normalize(_to_unit(image)) for image in images]
        else:
            views = self._augment(images[0], rows, self._training_views(stream) if training else [self.test])
        return Batch(views, self.cast_data(rows.index))

    def _training_views(self, stream: str) -> list[View]:
        """Views of a training stream, or an error that says what to configure."""
        views = self.views.get(stream) if isinstance(self.views, dict) else self.views
        if views is None:
            known = sorted(self.views) if isinstance(self.views, dict) else []
            raise ValueError(f'no view for the training stream {stream!r} (known: {known}). Images from memory '
                             f'are augmented in the data preprocessor: give it views=dict({stream}=[[...], ...]), or '
                             'one list of views for every stream.')
        return views

    def _feature_views(self, x: Tensor, rows: Rows, views: list[View]) -> list[Tensor]:
        """Make the views of features (B, F) or (B, V, F), each (B, F)."""
        made = []
        for v, view in enumerate(views):
            one, draws = x, Draws(rows.draw, rows.index, v)
            for op in view or self.test:
                one = op(one, draws)
            made.append(one if one.dim() == 2 else one[:, 0])
        return made

    def _augment(self, image: Tensor, rows: Rows, views: list[View]) -> list[Tensor]:
        """Make the views of uint8 rows (B, H, W, C); a row group at a time on a CPU, all at once elsewhere."""
        size = len(image)
        if image.device.type == 'cpu':
            size = max(1, CPU_CHUNK_BYTES // (4 * image.shape[1:].numel()))
        groups = zip(image.split(size), rows.draw.split(size), rows.index.split(size))
        parts = []
        for pixels, draw, index in groups:
            x = _to_unit(pixels.permute(0, 3, 1, 2))
            parts.append([self._make_view(x, view or self.test, Draws(draw, index, v)) for v, view in enumerate(views)])
        return [torch.cat(view) if len(view) > 1 else view[0] for view in zip(*parts)]

    def _make_view(self, x: Tensor, ops: View, draws: Draws) -> Tensor:
        """Apply one view's operations to x (B, C, H, W) in [0, 1] and normalise; x itself is left alone."""
        for op in ops:
            x = op(x, draws)
        return self._normalize(x)

    def _normalize(self, x: Tensor) -> Tensor:
        """Standardise x (B, C, H, W) in [0, 1] into a new tensor of the chosen memory format."""
        return (x * self.scale).sub_(self.shift).contiguous(memory_format=self.memory_format)


def _to_unit(image: Tensor) -> Tensor:
    """Scale uint8 pixels, any shape and memory format, to float [0, 1]."""
    return image.float().div_(255)


def _is_channel_last(image: Tensor) -> bool:
    """Tell uint8 images from memory (B, H, W, C) from a finished view (B, C, H, W)."""
    last, first = image.shape[-1] <= MAX_CHANNELS, image.shape[1] <= MAX_CHANNELS
    if image.ndim != 4 or last == first:
        raise ValueError(f'uint8 images must be (B, H, W, C) from memory or (B, C, H, W) from workers, with at most '
                         f'{MAX_CHANNELS} channels and sides longer than that; got {tuple(image.shape)}')
    return last


def _build(ops: ViewConfig) -> View:
    """Build the operations of one view."""
    return [TRANSFORMS.build(op) if isinstance(op, dict) else op for op in ops]


def _build_views(views: Sequence[ViewConfig], stream: str) -> list[View]:
    """Build the views of one stream; a list of operations in place of a list of views is an easy slip."""
    if not views or any(isinstance(view, dict) or callable(view) for view in views):
        raise ValueError(f'views of {stream} must be a list of views, each a list of operations: [[dict(type=...)], '
                         f'...]; got {views!r}')
    return [_build(view) for view in views]
