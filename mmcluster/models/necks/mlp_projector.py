"""Projector and predictor of two or more layers."""
from __future__ import annotations

from typing import Optional, Union

from mmengine.model import BaseModule
from torch import Tensor, nn

from mmcluster.checks import require_choice, require_count
from mmcluster.registry import MODELS

INITS: dict[str, Optional[list[dict]]] = {
    'default': None,
    'normal_0.01': [dict(type='Normal', std=0.01, bias=0, layer='Linear'),
                    dict(type='Constant', val=1, bias=0, layer='_BatchNorm')],
}


@MODELS.register_module()
class MLPProjector(BaseModule):
    """Linear, batch norm, ReLU, Linear: ProPos's projector and, with ``init='normal_0.01'``, its predictor.

    It maps vectors to vectors; mmpretrain's ``NonLinearNeck`` takes and returns tuples and cannot leave out its
    batch norm.

    Args:
        in_channels: Width of the input.
        hid_channels: Width of the hidden layer.
        out_channels: D, width of the output.
        norm: Batch norm after every linear layer but the last.
        last_bn: Batch norm after the last one.
        bias: Biases in all linear layers.
        hidden_layers: Hidden layers, each of ``hid_channels`` (SeCu has two on ImageNet).
        init: ``'default'`` keeps PyTorch's initialisation; ``'normal_0.01'`` draws linear weights from
            N(0, 0.01^2), with zero biases and 1 / 0 in batch norm.
        init_cfg: Takes the place of ``init``, e.g. to load a checkpoint.
    """

    def __init__(self, in_channels: int, hid_channels: int = 4096, out_channels: int = 256, norm: bool = True,
                 last_bn: bool = False, bias: bool = True, hidden_layers: int = 1, init: str = 'default',
                 init_cfg: Optional[Union[dict, list[dict]]] = None):
        require_count('MLPProjector', in_channels=in_channels, hid_channels=hid_channels, out_channels=out_channels,
                      hidden_layers=hidden_layers)
        require_choice('MLPProjector', INITS, init=init)
        super().__init__(init_cfg or INITS[init])
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.fc1 = nn.Linear(in_channels, hid_channels, bias=bias)
        self.bn = nn.BatchNorm1d(hid_channels) if norm else nn.Identity()
        self.relu = nn.ReLU(inplace=True)
        self.hidden = nn.Sequential(*[nn.Sequential(
            nn.Linear(hid_channels, hid_channels, bias=bias),
            nn.BatchNorm1d(hid_channels) if norm else nn.Identity(),
            nn.ReLU(inplace=True)) for _ in range(hidden_layers - 1)])
        self.fc2 = nn.Linear(hid_channels, out_channels, bias=bias)
        self.last_bn = nn.BatchNorm1d(out_channels) if last_bn else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        """Project vectors.

        Args:
            x: (B, F) or, as a predictor, (B, D).

        Returns:
            (B, D), not normalised.
        """
        return self.last_bn(self.fc2(self.hidden(self.relu(self.bn(self.fc1(x))))))
