"""An encoder: a frozen network that turns images into vectors, with the preprocessing that it needs."""
from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from typing import Any, Callable, Optional, Sequence, Union

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from mmcluster.models.clusterers.base import pooled

from .view import CentreView

_FORMAT = 1     # of the digest: raise it when the code changes what an encoder computes


class Encoder(ABC):
    """Images -> (B, D), frozen.

    Attributes:
        name: Name of the network.
        spec: What a user gives to get it again, such as ``'timm:vit_small_patch16_224=FILE'``.
        dim: D.
        description: One sentence for a page: network, training data, licence.
        digest: SHA-256 of weights and preprocessing; the features of two encoders of one digest are the same.
        device: Where the network lies.
        preprocess: RGB image -> (H, W, 3) uint8 of a fixed size; goes to worker processes, so it can be pickled. Its
            ``draft_size`` is the shorter edge that a JPEG decoded at reduced scale must still have, ``None`` for all.
    """

    name: str
    spec: str
    dim: int
    description: str
    digest: str
    device: torch.device
    preprocess: Callable[[Image.Image], np.ndarray]

    @abstractmethod
    def encode(self, images: Tensor, dtype: torch.dtype = torch.float32) -> Tensor:
        """Embed images.

        Args:
            images: (B, 3, H, W) uint8 on the device of the encoder, made by ``preprocess``.
            dtype: Autocast type; float32 for none.

        Returns:
            (B, D) float32.
        """

    @abstractmethod
    def to(self, device: Union[str, torch.device]) -> Encoder:
        """Move the network; returns the encoder itself."""


class NetworkEncoder(Encoder):
    """An encoder around a network of any library.

    Args:
        network: (B, 3, H, W) normalised -> (B, D), a feature map, or a tuple whose last entry is one of these.
        preprocess: See :class:`Encoder`.
        mean: Per channel, or one for all, in grey levels 0..255.
        std: Likewise.
        name: See :class:`Encoder`.
        spec: See :class:`Encoder`.
        description: See :class:`Encoder`.
        hasten: Makes of the network one that computes the same in less time; its weights have no part in the digest.
    """

    def __init__(self, network: nn.Module, preprocess: CentreView, mean: Sequence[float], std: Sequence[float],
                 name: str, spec: str, description: str,
                 hasten: Optional[Callable[[Any], nn.Module]] = None) -> None:
        self.name, self.spec, self.description, self.preprocess = name, spec, description, preprocess
        self.mean = torch.tensor(mean, dtype=torch.float32).view(1, -1, 1, 1)
        self.std = torch.tensor(std, dtype=torch.float32).view(1, -1, 1, 1)
        self.device = torch.device('cpu')
        self.digest = weights_digest(network, [name, repr(preprocess), list(mean), list(std)])
        # channels last: convolutions of a CPU and of tensor cores read it without a copy
        network.requires_grad_(False).train(False)      # not eval(): some libraries' returns nothing
        self.network = (hasten(network) if hasten else network).to(memory_format=torch.channels_last)
        self.dim = self.encode(torch.zeros(1, 3, preprocess.size, preprocess.size, dtype=torch.uint8)).shape[1]

    @torch.inference_mode()
    def encode(self, images: Tensor, dtype: torch.dtype = torch.float32) -> Tensor:
        """See :meth:`Encoder.encode`."""
        x = images.to(memory_format=torch.channels_last).float().sub_(self.mean).div_(self.std)
        with torch.autocast(x.device.type, dtype, enabled=dtype != torch.float32):
            return pooled(self.network(x), self.network).float()

    def to(self, device: Union[str, torch.device]) -> NetworkEncoder:
        """See :meth:`Encoder.to`."""
        self.device = torch.device(device)
        self.network.to(self.device)
        self.mean, self.std = self.mean.to(device), self.std.to(device)
        return self


def weights_digest(network: nn.Module, settings: list) -> str:
    """SHA-256 over the names, shapes and bytes of all weights, and over what else decides the features.

    Args:
        network: The network.
        settings: Preprocessing and the like; what they print counts.
    """
    found = hashlib.sha256(repr([_FORMAT, *settings]).encode())
    for key, value in sorted(network.state_dict().items()):
        value = value.detach().cpu().contiguous()
        found.update(f'{key}{value.dtype}{tuple(value.shape)}'.encode())
        found.update(value.reshape(-1).view(torch.uint8).numpy().tobytes() if value.numel() else b'')
    return found.hexdigest()
