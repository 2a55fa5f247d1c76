"""Chains of image transforms of the worker door."""
from __future__ import annotations

from typing import Any, Callable, Sequence, Union

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from mmcluster.registry import TRANSFORMS


class ViewPipeline:
    """One view: mmcv-style transforms in a row, ending in uint8 pixels.

    Args:
        transforms: Configs or callables that take and return a dict with ``'img'``.
    """

    def __init__(self, transforms: Sequence[Union[dict, Callable[[dict], dict]]]) -> None:
        if isinstance(transforms, dict):
            raise TypeError('a view pipeline is a list of transforms; write [[dict(type=...), ...]] for one view')
        self.transforms = [TRANSFORMS.build(step) if isinstance(step, dict) else step for step in transforms]

    def __call__(self, image: Image.Image, index: int) -> Tensor:
        """Apply the transforms.

        Args:
            image: The decoded image.
            index: Its row, offered to the transforms as ``results['index']``.

        Returns:
            (C, H, W) uint8.
        """
        results: dict[str, Any] = dict(img=image, index=index)
        for step in self.transforms:
            results = step(results)
            if results is None:
                raise ValueError(f'{step!r} dropped row {index}; a transform must return its results')
        return to_view(results['img'])


def to_view(image: Union[Image.Image, np.ndarray, Tensor]) -> Tensor:
    """Bring the end of a pipeline into one form.

    Args:
        image: PIL image in mode ``'RGB'`` or ``'L'``, uint8 array (H, W) or (H, W, C), or uint8 tensor (C, H, W).

    Returns:
        (C, H, W) uint8.
    """
    if isinstance(image, Image.Image) and image.mode not in ('RGB', 'L'):
        raise TypeError(f'the pipeline ends in a PIL image of mode {image.mode}; convert it to RGB or L')
    if not isinstance(image, Tensor):
        pixels = np.array(image)
        if pixels.dtype != np.uint8 or pixels.ndim not in (2, 3):
            raise TypeError(f'the pipeline ends in an array {pixels.dtype} {pixels.shape}; expected uint8 (H, W, C). '
                            'The data preprocessor normalises.')
        return torch.from_numpy(pixels[None] if pixels.ndim == 2 else np.moveaxis(pixels, -1, 0))
    if image.dtype != torch.uint8 or image.ndim != 3:
        raise TypeError(f'the pipeline ends in a tensor {image.dtype} {tuple(image.shape)}; expected uint8 (C, H, W). '
                        'The data preprocessor normalises.')
    return image


def stack_views(views: Sequence[Tensor], stream: str, view: int) -> Tensor:
    """Stack one view of B samples.

    Args:
        views: B tensors uint8 (C, H, W).
        stream: Name of the stream, for the error.
        view: Number of the view, for the error.

    Returns:
        (B, C, H, W) uint8, contiguous.
    """
    shapes = {tuple(tensor.shape) for tensor in views}
    if len(shapes) > 1:
        raise ValueError(f'view {view} of stream {stream!r} has images of different shapes {sorted(shapes)[:4]}; '
                         'end its pipeline with a crop or resize to a fixed size')
    return torch.stack(list(views)).contiguous()
