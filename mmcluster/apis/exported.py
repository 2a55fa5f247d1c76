"""One network from pixels to clusters, for export."""
from __future__ import annotations

import torch
from torch import Tensor, nn

from mmcluster.encoders import Encoder, NetworkEncoder
from mmcluster.encoders.own import MemoryView, OwnEncoder
from mmcluster.models.clusterers import BaseClusterer

from .feature_model import FeatureModel

OUTPUTS = ('cluster', 'probability', 'distance', 'embed')


class ExportedClusters(nn.Module):
    """Encoder, reducer, head and centres of a result in one module.

    Args:
        encoder: Of the result, on the CPU.
        model: Of the result.
    """

    reduce_weight: Tensor
    offset: Tensor
    centers: Tensor
    weight: Tensor
    bias: Tensor
    reach: Tensor

    def __init__(self, encoder: Encoder, model: FeatureModel) -> None:
        super().__init__()
        self.encoder = _pixels_to_features(encoder)
        self.unit = bool(model.reducer.unit_)
        weight = torch.as_tensor(model.reducer.weight_, dtype=torch.float64)
        # centre and weight in one affine map, computed in float64: (x - mean) W = x W - mean W
        offset = -torch.as_tensor(model.reducer.mean_, dtype=torch.float64) @ weight
        constants = dict(reduce_weight=weight, offset=offset, centers=model.centers, weight=model.weight,
                         bias=model.bias, reach=model.reach)
        for name, value in constants.items():
            self.register_buffer(name, torch.as_tensor(value).float().contiguous())

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Cluster images.

        Args:
            images: (B, 3, H, W) float32, grey levels 0..255, resized as the encoder needs it.

        Returns:
            Cluster (B,) long, -1 beyond the reach of its centre; probabilities (B, K); distance to the centre (B,);
            features (B, D).
        """
        embed = self.encoder(images)
        z = embed @ self.reduce_weight + self.offset
        if self.unit:
            z = z / z.norm(dim=1, keepdim=True).clamp_min(1e-12)
        prob = (z @ self.weight + self.bias).softmax(1)
        own = prob.argmax(1)
        distance = (z - self.centers[own]).norm(dim=1)
        return torch.where(distance > self.reach[own], -1, own), prob, distance, embed


class _Pixels(nn.Module):
    """Grey levels -> features by a normalisation and a network."""

    mean: Tensor
    std: Tensor

    def __init__(self, network: nn.Module, mean: Tensor, std: Tensor) -> None:
        super().__init__()
        self.network = network
        self.register_buffer('mean', mean)
        self.register_buffer('std', std)

    def forward(self, images: Tensor) -> Tensor:
        """Embed (B, 3, H, W)."""
        found = self.network((images - self.mean) / self.std)
        found = found[-1] if isinstance(found, (tuple, list)) else found
        return found.mean(dim=(2, 3)) if found.dim() == 4 else found


class _Embed(nn.Module):
    """The embedding of a clusterer of this project."""

    def __init__(self, model: BaseClusterer) -> None:
        super().__init__()
        self.model = model

    def forward(self, images: Tensor) -> Tensor:
        """Embed (B, C, H, W), normalised."""
        return self.model.embed(images)


def _pixels_to_features(encoder: Encoder) -> nn.Module:
    """The network of an encoder from grey levels on.

    Raises:
        ValueError: If the encoder sees images in a way that no network computes.
    """
    if isinstance(encoder, NetworkEncoder):
        return _Pixels(getattr(encoder.network, 'exact', encoder.network), encoder.mean, encoder.std)
    if not isinstance(encoder, OwnEncoder) or not isinstance(encoder.preprocess, MemoryView) \
            or encoder.preprocess.mode != 'RGB' or encoder.model.data_preprocessor.test:
        raise ValueError(f'{encoder.name} sees images through transforms that cannot be exported: use mmcluster assign')
    probe = torch.zeros(1, 3, *encoder.preprocess.size, dtype=torch.uint8)
    zero, one = (encoder.normalised(probe + level).double().mean(dim=(2, 3), keepdim=True) for level in (0, 255))
    std = 255 / (one - zero)        # the normalisation is affine: two levels tell it
    return _Pixels(_Embed(encoder.model), (-zero * std).float(), std.float())
