"""Networks and checkpoints with the names of the releases, from random weights; nothing here is mmcluster's."""
import copy

import torch
from torch import nn
from torchvision.models.resnet import BasicBlock, Bottleneck

BLOCKS = {18: (2, 2, 2, 2), 34: (3, 4, 6, 3), 50: (3, 4, 6, 3)}


def stage(block: type, width: int, planes: int, count: int, stride: int) -> nn.Sequential:
    """Blocks of torchvision, the first with a residual branch if it changes the shape."""
    out = planes * block.expansion
    down = None
    if stride != 1 or width != out:
        down = nn.Sequential(nn.Conv2d(width, out, 1, stride, bias=False), nn.BatchNorm2d(out))
    return nn.Sequential(block(width, planes, stride, down), *[block(out, planes) for _ in range(count - 1)])


def resnet(depth: int, stem: str, width: int = 8) -> nn.Sequential:
    """A ResNet as an ``nn.Sequential`` with the children that torchvision and the releases have.

    Args:
        depth: 18, 34 or 50.
        stem: ``'cifar'``, ``'plain'`` or ``'gcc'``.
        width: Channels of the first stage.

    Returns:
        (B, 3, H, W) -> (B, F), in eval mode, with random weights and batch norm statistics.
    """
    block = Bottleneck if depth == 50 else BasicBlock
    conv = nn.Conv2d(3, width, 7, 2, 3, bias=False) if stem == 'plain' else nn.Conv2d(3, width, 3, 1, 1, bias=False)
    pool = {'cifar': [], 'plain': [nn.MaxPool2d(3, 2, 1)], 'gcc': [nn.MaxPool2d(2, 2, 1)]}[stem]
    stages, inner = [], width
    for i, count in enumerate(BLOCKS[depth]):
        stages.append(stage(block, inner, width * 2**i, count, 1 if i == 0 else 2))
        inner = width * 2**i * block.expansion
    return shake(nn.Sequential(conv, nn.BatchNorm2d(width), nn.ReLU(), *pool, *stages, nn.AdaptiveAvgPool2d(1),
                               nn.Flatten(1)))


def shake(network: nn.Module) -> nn.Module:
    """Give batch norms random affine parameters and statistics, so that no two names can be exchanged unnoticed."""
    for module in network.modules():
        if isinstance(module, (nn.BatchNorm1d, nn.BatchNorm2d)):
            for tensor, low, high in ((module.weight, .5, 1.5), (module.bias, -.3, .3), (module.running_mean, -.3, .3),
                                      (module.running_var, .5, 1.5)):
                nn.init.uniform_(tensor, low, high)
            module.num_batches_tracked.fill_(7)
    return network.eval()


def named(state: dict, stem: str, branch: str) -> dict:
    """Numbered children -> conv1, bn1, layer1..4, and ``branch`` for the residual branch: GCC's and SeCu's layout."""
    first = 3 if stem == 'cifar' else 4
    names = {'0': 'conv1', '1': 'bn1', **{str(first + i): f'layer{i + 1}' for i in range(4)}}
    parts = ((name.split('.', 1), value) for name, value in state.items())
    return {f'{names[top]}.{rest}'.replace('.downsample.', f'.{branch}.'): value for (top, rest), value in parts}


def mlp(width: int, hidden: int = 24, out: int = 12) -> nn.Sequential:
    """Numbered projector of the releases."""
    return shake(nn.Sequential(nn.Linear(width, hidden), nn.BatchNorm1d(hidden), nn.ReLU(), nn.Linear(hidden, out)))


def plain_mlp(width: int, hidden: int = 24, out: int = 12) -> nn.Sequential:
    """Numbered projector without batch norm."""
    return nn.Sequential(nn.Linear(width, hidden), nn.ReLU(), nn.Linear(hidden, out))


class WideBlock(nn.Module):
    """A block of the wide ResNet, with FixMatch's names."""

    def __init__(self, width: int, out: int, stride: int):
        super().__init__()
        self.bn1, self.bn2 = nn.BatchNorm2d(width), nn.BatchNorm2d(out)
        self.conv1 = nn.Conv2d(width, out, 3, stride, 1, bias=False)
        self.conv2 = nn.Conv2d(out, out, 3, 1, 1, bias=False)
        if width != out:
            self.convShortcut = nn.Conv2d(width, out, 1, stride, bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        active = nn.functional.leaky_relu(self.bn1(x), 0.1)
        out = self.conv2(nn.functional.leaky_relu(self.bn2(self.conv1(active)), 0.1))
        return out + (self.convShortcut(active) if hasattr(self, 'convShortcut') else x)


class Wide(nn.Module):
    """A wide ResNet with FixMatch's names: (B, 3, H, W) -> (B, F)."""

    def __init__(self, depth: int, factor: int):
        super().__init__()
        strides, count = ((2, 2, 2, 2), 4) if depth == 37 else ((1, 2, 2), (depth - 4) // 6)
        self.conv1 = nn.Conv2d(3, 16, 3, 1, 1, bias=False)
        inner, self.groups = 16, len(strides)
        for i, stride in enumerate(strides):
            out = 16 * factor * 2**i
            blocks = [WideBlock(out if j else inner, out, 1 if j else stride) for j in range(count)]
            self.add_module(f'block{i + 1}', nn.ModuleDict(dict(layer=nn.Sequential(*blocks))))
            inner = out
        self.bn1 = nn.BatchNorm2d(inner)
        shake(self)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.conv1(x)
        for i in range(self.groups):
            x = getattr(self, f'block{i + 1}')['layer'](x)
        return nn.functional.leaky_relu(self.bn1(x), 0.1).mean((2, 3))


def prefixed(prefix: str, state: dict) -> dict:
    """Put ``prefix.`` before every name."""
    return {f'{prefix}.{name}': value for name, value in state.items()}


def propos(depth: int = 18, stem: str = 'cifar') -> tuple[dict, dict]:
    """A ProPos release.

    Args:
        depth: Of the backbone.
        stem: Of the backbone. ``'gcc'`` has named children.

    Returns:
        The networks by name, and the state dict with the momentum network under both its names.
    """
    width = 64 if stem == 'gcc' else 8
    nets = dict(encoder_q=resnet(depth, stem, width), encoder_k=resnet(depth, stem, width))
    feat = width * 8 * (4 if depth == 50 else 1)
    nets.update(projector_q=mlp(feat), projector_k=mlp(feat), predictor=mlp(12, 24, 12))
    states = {name: net.state_dict() for name, net in nets.items()}
    if stem == 'gcc':
        for name in ('encoder_q', 'encoder_k'):
            states[name] = named(states[name], stem, 'shortcut')
    state = {}
    for name in ('encoder_q', 'projector_q', 'encoder_k', 'projector_k', 'predictor'):
        state.update(prefixed(name, states[name]))
    for alias, name in (('encoder.0', 'encoder_k'), ('encoder.1', 'projector_k')):
        state.update(prefixed(alias, copy.deepcopy(states[name])))
    return nets, state


def thresholds(num_clusters: int) -> dict:
    """What a ClusMatch checkpoint holds beside its networks."""
    tau_local = torch.rand(num_clusters, num_clusters).fill_diagonal_(0) / num_clusters
    return dict(all_tau=tau_local, tau=tau_local.sum(1), p_model=torch.rand(num_clusters), time_p=torch.rand(()),
                label_hist=torch.rand(num_clusters), optimizer=dict(state={}), loss_scaler={}, scheduler={}, it=65536,
                epoch=64, best_it=4096, best_eval_acc=0.9)
