"""What the converter tests share: mmcluster's side of a conversion."""
from pathlib import Path

import torch
from torch import nn

from mmcluster.models.backbones import GCCResNet
from mmcluster.models.necks import MLPProjector
from mmcluster.registry import MODELS

from .released_networks import mlp, prefixed, resnet, thresholds

ROOT = Path(__file__).parents[2]
TOOLS = ROOT / 'tools' / 'model_converters'
SIZES = dict(cifar=16, plain=32, gcc=16)
NARROW = dict(backbone=dict(type='ResNet_CIFAR', depth=18, stem_channels=8, base_channels=8),
              neck=dict(type='MLPProjector', in_channels=64, hid_channels=24, out_channels=12))


def backbone(depth: int, stem: str) -> nn.Module:
    """The mmcluster network of that name, as narrow as the release in these tests."""
    if stem == 'gcc':
        return GCCResNet(depth)
    return MODELS.build(dict(type={'cifar': 'ResNet_CIFAR', 'plain': 'ResNet'}[stem], depth=depth, stem_channels=8,
                             base_channels=8))


def part(state: dict, prefix: str) -> dict:
    """Entries under a prefix, without it."""
    return {name[len(prefix) + 1:]: value for name, value in state.items() if name.startswith(f'{prefix}.')}


def load(network: nn.Module, state: dict, prefix: str) -> nn.Module:
    """Load one part strictly, for evaluation."""
    network.load_state_dict(part(state, prefix))
    network.eval()
    return network


def embed(network: nn.Module, x: torch.Tensor) -> torch.Tensor:
    """(B, F) of images (B, 3, H, W)."""
    out = network(x)
    return out[-1].mean((2, 3)) if isinstance(out, tuple) else out


@torch.no_grad()
def assert_same_chain(state: dict, prefix: str, depth: int, stem: str, nets: tuple) -> None:
    """Converted backbone and neck give what the released ones gave."""
    x = torch.randn(2, 3, SIZES[stem], SIZES[stem])
    feat = embed(load(backbone(depth, stem), state, f'{prefix}backbone'), x)
    assert torch.allclose(feat, nets[0](x), atol=1e-6, rtol=1e-6)
    neck = load(MLPProjector(feat.shape[1], 24, 12), state, f'{prefix}neck')
    assert torch.allclose(neck(feat), nets[1](nets[0](x)), atol=1e-6, rtol=1e-6)


def clusmatch_propos(clusters: int = 5) -> tuple[dict, dict]:
    """Networks (online and average) and checkpoint of ClusMatch on ProPos."""
    nets, checkpoint = {}, thresholds(clusters)
    for key in ('model', 'ema_model'):
        nets[key] = resnet(18, 'cifar'), mlp(64), nn.Linear(12, clusters)
        state = {}
        for name, net in zip(('encoder_k', 'projector_k', 'cluster_head'), nets[key]):
            state.update(prefixed(f'module.{name}', net.state_dict()))
        checkpoint[key] = state
    return nets, checkpoint
