"""Random views of images as an encoder sees them, from which a booster on features learns."""
from __future__ import annotations

import hashlib
from typing import Any, Callable, Union

import torch
from torch import Tensor

from mmcluster.checks import require_count
from mmcluster.datasets.transforms import BatchCutout, BatchFixMatchRandAugment, BatchFlip, BatchRandomResizedCrop
from mmcluster.functional.rng import Draws, mix64

from .base import Encoder

SCALE = (0.5, 1.)       # of the area that a crop keeps
OPERATIONS = 3          # of the strong views
_FORMAT = 1             # of the digest: raise it when the views change


class DrawnViews(Encoder):
    """n weak and n strong views of every image, each through another encoder, side by side.

    A weak view is a crop that may be mirrored, a strong one three operations of FixMatch's RandAugment and a cutout on
    top. Draw k of an image is a function of k and of its pixels: whatever file, batch or run the image comes in.

    Args:
        encoder: What embeds the views.
        count: n.
    """

    def __init__(self, encoder: Encoder, count: int) -> None:
        require_count('DrawnViews', count=count)
        self.encoder, self.count = encoder, count
        self.name, self.spec = f'{encoder.name}, {2 * count} drawn views', encoder.spec
        self.description = f'{encoder.description} {count} weak and {count} strong views of every image.'
        self.dim, self.device, self.preprocess = 2 * count * encoder.dim, encoder.device, encoder.preprocess
        said = repr([encoder.digest, count, SCALE, OPERATIONS, _FORMAT])
        self.digest = hashlib.sha256(said.encode()).hexdigest()

    def to(self, device: Union[str, torch.device]) -> DrawnViews:
        """See :meth:`Encoder.to`."""
        self.encoder.to(device)
        self.device = self.encoder.device
        return self

    @torch.inference_mode()
    def encode(self, images: Tensor, dtype: torch.dtype = torch.float32) -> Tensor:
        """Embed the views of images (B, C, H, W) uint8 -> (B, 2 n D), weak ones first."""
        weak: list[Callable[[Tensor, Draws], Tensor]] = [
            BatchRandomResizedCrop(tuple(images.shape[-2:]), scale=SCALE), BatchFlip()]
        strong: list[Any] = [*weak, BatchFixMatchRandAugment(num_ops=OPERATIONS), BatchCutout()]
        colored = images.float().div(255).expand(-1, 3, -1, -1)      # the operations know colours only
        number, rows = pixel_numbers(images), []
        for kind, operations in enumerate((weak, strong)):
            for draw in range(self.count):
                x, draws = colored, Draws(torch.full_like(number, draw), number, kind)
                for operation in operations:
                    x = operation(x, draws)
                view = x[:, :images.shape[1]].mul(255).round().clamp(0, 255).byte()
                rows.append(self.encoder.encode(view, dtype))
        return torch.cat(rows, dim=1)


def pixel_numbers(images: Tensor) -> Tensor:
    """A number for each image that depends on its pixels alone.

    Args:
        images: (B, C, H, W) uint8.

    Returns:
        (B,) long, on the host.
    """
    pixels = images.flatten(1).cpu().long()
    return (mix64(torch.arange(pixels.shape[1])) * (pixels + 1)).sum(dim=1)      # wraps around: every pixel counts
