"""What takes the place of a backbone where the data set holds features of a frozen network."""
from __future__ import annotations

from typing import Optional, Union

import numpy as np
import torch
from mmengine.model import BaseModule
from torch import Tensor, nn
from torch.nn import functional as F

from mmcluster.checks import require_count
from mmcluster.functional.clustering.whitening import principal_components, whitening_scale
from mmcluster.registry import MODELS


@MODELS.register_module()
class WhitenedFeatures(BaseModule):
    """A linear map of features to unit rows, which starts as soft whitening of their principal components.

    Trained slowly it is the network that a booster fine-tunes; frozen it is the standard step before clustering.

    Args:
        in_channels: D, width of the features.
        out_channels: d, principal components that are kept.
        features: ``.npy`` file (N, D), or (N, V, D) whose first view counts, from which the map is computed when
            weights are initialised. ``None``: weights come from a checkpoint.
        init_cfg: See ``mmengine.model.BaseModule``.
    """

    def __init__(self, in_channels: int, out_channels: int, features: Optional[str] = None,
                 init_cfg: Optional[Union[dict, list[dict]]] = None):
        require_count('WhitenedFeatures', in_channels=in_channels, out_channels=out_channels)
        super().__init__(init_cfg)
        self.features = features
        self.out_channels = out_channels
        self.fc = nn.Linear(in_channels, out_channels)

    def init_weights(self) -> None:
        """Compute the map from the file, if one is named.

        Raises:
            ValueError: If its features are of another width, or have fewer components.
        """
        super().init_weights()
        if self.features is None:
            return
        rows = np.load(self.features, mmap_mode='r', allow_pickle=False)
        rows = rows[:, 0] if rows.ndim == 3 else rows
        wanted, width = self.fc.weight.shape
        found = principal_components(rows, wanted) if rows.shape[1:] == (width,) else None
        if found is None or len(found.variance) < wanted:
            raise ValueError(f'WhitenedFeatures: {self.features} holds {rows.shape}, of which {wanted} components of '
                             f'{width} columns cannot be made; give in_channels its width, and fewer out_channels')
        weight = found.directions * whitening_scale(found.variance)[:, None]
        with torch.no_grad():
            self.fc.weight.copy_(torch.from_numpy(weight))
            self.fc.bias.copy_(torch.from_numpy(-weight @ found.mean))

    def forward(self, x: Tensor) -> Tensor:
        """Map features (B, D) to unit rows (B, d)."""
        return F.normalize(self.fc(x), dim=1)
