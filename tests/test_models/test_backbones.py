"""Backbones: structure, sizes, names and initial values, ours and mmpretrain's as the configs use them."""
import math

import pytest
import torch
from torch import nn
from torchvision.models import resnet18, resnet34, resnet50

import mmcluster.models.backbones  # noqa: F401
from mmcluster.models.backbones import GCCResNet, SmallCNN, WideResNet
from mmcluster.registry import MODELS

STEM = dict(type='Kaiming', layer='Conv2d', override=dict(
    type='Kaiming', name='conv1', a=5**0.5, mode='fan_in', nonlinearity='leaky_relu', distribution='uniform'))
BATCH_NORM = dict(type='Constant', val=1, layer='_BatchNorm')


@pytest.fixture(scope='module', autouse=True)
def one_thread():
    """Small networks on a busy machine: threads that wait for each other cost more than they bring."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def cifar(depth: int) -> nn.Module:
    """ProPos's network for 32 pixel images, as a config writes it."""
    return MODELS.build(dict(type='ResNet_CIFAR', depth=depth, zero_init_residual=False,
                             init_cfg=[STEM, BATCH_NORM]))


def plain(depth: int) -> nn.Module:
    """The torchvision network for 96 and 224 pixel images, as a config writes it."""
    return MODELS.build(dict(type='ResNet', depth=depth, zero_init_residual=False))


def count(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


def torchvision_names(network: nn.Module) -> set:
    return {name for name in network.state_dict() if not name.startswith('fc.')}


@pytest.mark.parametrize('depth, total', [(18, 11_168_832), (34, 21_276_992), (50, 23_500_352)])
def test_cifar_networks_have_the_papers_size_and_torchvisions_names(depth, total):
    network = cifar(depth)
    assert count(network) == total
    reference = {18: resnet18, 34: resnet34, 50: resnet50}[depth]()
    assert set(network.state_dict()) == torchvision_names(reference)
    stem = 64 * 3 * (7 * 7 - 3 * 3)
    assert count(network) == count(reference) - count(reference.fc) - stem


@pytest.mark.parametrize('depth, make', [(18, resnet18), (50, resnet50)])
def test_plain_networks_equal_torchvision(depth, make):
    network, reference = plain(depth), make().eval()
    network.eval()
    reference.fc = nn.Identity()
    network.load_state_dict(reference.state_dict())
    x = torch.randn(1, 3, 64, 64)
    with torch.no_grad():
        assert torch.allclose(network(x)[-1].mean((2, 3)), reference(x), atol=1e-6)


@pytest.mark.parametrize('build, size, last', [(cifar, 8, 1), (cifar, 32, 4), (cifar, 64, 8), (plain, 96, 3),
                                               (plain, 224, 7)])
def test_last_map(build, size, last):
    network = build(18)
    network.eval()
    with torch.no_grad():
        out = network(torch.randn(1, 3, size, size))
    assert len(out) == 1 and out[0].shape == (1, 512, last, last)


def assert_kaiming_fan_out(weight: torch.Tensor, name: str) -> None:
    std = math.sqrt(2 / (weight.shape[0] * weight[0, 0].numel()))
    rows = weight.numel()
    assert abs(weight.std().item() / std - 1) < 5 / math.sqrt(2 * rows), name
    assert weight.abs().max() > 2.5 * std, f'{name} looks uniform'


def check_initial_values(network: nn.Module, stem_uniform: bool) -> None:
    network.init_weights()
    for name, module in network.named_modules():
        if isinstance(module, nn.Conv2d) and not (stem_uniform and name == 'conv1'):
            assert_kaiming_fan_out(module.weight, name)
        if isinstance(module, nn.BatchNorm2d):
            assert (module.weight == 1).all() and (module.bias == 0).all(), name


def test_cifar_initial_values_are_torchvisions_but_for_the_stem():
    torch.manual_seed(0)
    network = cifar(18)
    check_initial_values(network, stem_uniform=True)
    stem, bound = network.conv1.weight, 1 / math.sqrt(27)
    assert stem.abs().max() <= bound and stem.abs().max() > 0.98 * bound
    assert abs(stem.std().item() - bound / math.sqrt(3)) < 0.05 * bound
    assert abs(nn.Conv2d(3, 64, 3, bias=False).weight.std().item() / stem.std().item() - 1) < 0.1


@pytest.mark.parametrize('build', [lambda: plain(18), GCCResNet, lambda: SmallCNN(3), WideResNet],
                         ids=['plain', 'gcc', 'small', 'wide'])
def test_other_networks_start_from_kaiming(build):
    torch.manual_seed(0)
    check_initial_values(build(), stem_uniform=False)


def test_gcc_structure():
    network = GCCResNet()
    assert (network.conv1.kernel_size, network.conv1.stride, network.conv1.bias) == ((3, 3), (1, 1), None)
    assert (network.maxpool.kernel_size, network.maxpool.stride, network.maxpool.padding) == (2, 2, 1)
    assert [getattr(network, f'layer{i}')[0].conv1.stride[0] for i in range(1, 5)] == [1, 2, 2, 2]
    assert count(network) == 11_168_832 and count(GCCResNet(34)) == 21_276_992
    names = {name.replace('shortcut', 'downsample') for name in network.state_dict()}
    assert names == torchvision_names(resnet18())
    assert {name for name in network.state_dict() if '.shortcut.' in name and name.endswith('weight')} == {
        f'layer{i}.0.shortcut.{j}.weight' for i in (2, 3, 4) for j in (0, 1)}
    with pytest.raises(ValueError, match='depth must be one of'):
        GCCResNet(50)


@pytest.mark.parametrize('size, window', [(96, 7), (64, 5), (32, 3)])
def test_gcc_global_average_is_the_released_window(size, window):
    network = GCCResNet().eval()
    maps = []
    network.layer4.register_forward_hook(lambda module, args, out: maps.append(out))
    with torch.no_grad():
        out = network(torch.randn(1, 3, size, size))
    assert maps[0].shape == (1, 512, window, window) and out.shape == (1, 512)
    assert torch.allclose(out, nn.functional.avg_pool2d(maps[0], window, stride=1).flatten(1), atol=1e-6)


def test_gcc_equals_a_torchvision_network_with_its_stem_exchanged():
    reference = resnet18().eval()
    reference.conv1 = nn.Conv2d(3, 64, 3, 1, 1, bias=False)
    reference.maxpool = nn.MaxPool2d(2, 2, padding=1)
    reference.fc = nn.Identity()
    network = GCCResNet().eval()
    network.load_state_dict({name.replace('downsample', 'shortcut'): value
                             for name, value in reference.state_dict().items()})
    x = torch.randn(2, 3, 32, 32)
    with torch.no_grad():
        assert torch.allclose(network(x), reference(x), atol=1e-6)


@pytest.mark.parametrize('size, channels, widths, convs, first', [
    (8, 1, (32, 64, 128), 1, 1), (32, 3, (16, 32), 2, 1), (24, 3, (16, 32), 2, 2)])
def test_small_cnn(size, channels, widths, convs, first):
    network = MODELS.build(dict(
        type='SmallCNN', in_channels=channels, widths=widths, convs_per_stage=convs, first_stride=first))
    maps = []
    network.stages.register_forward_hook(lambda module, args, out: maps.append(out))
    out = network(torch.randn(4, channels, size, size))
    last = size // first // 2**(len(widths) - 1)
    assert maps[0].shape == (4, widths[-1], last, last)
    assert out.shape == (4, widths[-1]) and network.out_channels == widths[-1]
    assert len([m for m in network.modules() if isinstance(m, nn.Conv2d)]) == len(widths) * convs
    out.square().sum().backward()
    assert all(parameter.grad.abs().sum() > 0 for parameter in network.parameters())


def test_small_cnn_default_size_and_errors():
    assert count(SmallCNN()) == sum(a * b * 9 + 2 * b for a, b in ((1, 32), (32, 64), (64, 128))) == 92_896
    for wrong in (dict(widths=()), dict(convs_per_stage=0), dict(first_stride=3)):
        with pytest.raises(ValueError, match='at least one'):
            SmallCNN(**wrong)


def test_gcc_gradient_reaches_every_parameter():
    network = MODELS.build(dict(type='GCCResNet'))
    network(torch.randn(2, 3, 32, 32)).square().sum().backward()
    assert all(parameter.grad is not None and parameter.grad.abs().sum() > 0 for parameter in network.parameters())


# ---- wide residual networks

@pytest.mark.parametrize('depth, factor, clusters, total, size, last', [
    (28, 2, 10, 1_467_610, 32, 8), (28, 8, 20, 23_359_972, 32, 8), (37, 2, 10, 5_929_434, 96, 6)])
def test_wide_networks_have_the_papers_size(depth, factor, clusters, total, size, last):
    """1.47 M, 23.4 M and 5.93 M with a linear classifier; three or four halvings before the average."""
    network = MODELS.build(dict(type='WideResNet', depth=depth, widen_factor=factor)).eval()
    assert network.out_channels == (128 if depth == 37 else 64) * factor
    assert count(network) + count(nn.Linear(network.out_channels, clusters)) == total
    convolutions = [m for m in network.modules() if isinstance(m, nn.Conv2d) and m.kernel_size == (3, 3)]
    shortcuts = [m for m in network.modules() if isinstance(m, nn.Conv2d) and m.kernel_size == (1, 1)]
    assert len(convolutions) + len(shortcuts) == depth and all(m.bias is None for m in convolutions + shortcuts)
    if factor == 2:
        maps = []
        network.bn1.register_forward_hook(lambda module, args, out: maps.append(out.shape))
        with torch.no_grad():
            out = network(torch.randn(1, 3, size, size))
        assert maps == [(1, network.out_channels, last, last)] and out.shape == (1, network.out_channels)


def slow_wide(state: dict, x: torch.Tensor, strides: tuple, blocks: int) -> torch.Tensor:
    """The forward pass in evaluation mode, written out from a state dict."""
    def active(x, at):
        values = [state[f'{at}.{name}'] for name in ('running_mean', 'running_var', 'weight', 'bias')]
        return nn.functional.leaky_relu(nn.functional.batch_norm(x, *values), 0.1)

    x = nn.functional.conv2d(x, state['conv1.weight'], padding=1)
    for i, stride in enumerate(strides, 1):
        for j in range(blocks):
            at, step, raw = f'block{i}.{j}', 1 if j else stride, x
            x = active(x, f'{at}.bn1')
            inner = nn.functional.conv2d(x, state[f'{at}.conv1.weight'], stride=step, padding=1)
            inner = nn.functional.conv2d(active(inner, f'{at}.bn2'), state[f'{at}.conv2.weight'], padding=1)
            branch = state.get(f'{at}.shortcut.weight')
            x = inner + (raw if branch is None else nn.functional.conv2d(x, branch, stride=step))
    return active(x, 'bn1').mean((2, 3))


@pytest.mark.parametrize('depth, factor, strides, blocks', [
    (10, 1, (1, 2, 2), 1), (16, 2, (1, 2, 2), 2), (37, 2, (2, 2, 2, 2), 4)])
def test_wide_forward_written_out(depth, factor, strides, blocks):
    torch.manual_seed(depth)
    network = WideResNet(depth, factor, in_channels=2).eval()
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            for tensor in (module.weight, module.bias, module.running_mean, module.running_var):
                nn.init.uniform_(tensor, 0.5, 1.5)
    x = torch.randn(2, 2, 33, 33)
    with torch.no_grad():
        out = network(x)
        assert torch.allclose(out, slow_wide(network.state_dict(), x, strides, blocks), rtol=1e-4, atol=1e-4)
    assert out.std() > 1e-2, 'not a constant'


def test_wide_statistics_move_by_a_thousandth():
    network = WideResNet(10, 1).train()
    norms = [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]
    seen = []
    network.bn1.register_forward_pre_hook(lambda module, args: seen.append(args[0].mean((0, 2, 3))))
    network(torch.randn(4, 3, 8, 8)).square().sum().backward()
    torch.testing.assert_close(network.bn1.running_mean, 0.001 * seen[0], rtol=1e-4, atol=1e-7)
    assert {module.momentum for module in norms} == {0.001} and len(norms) == 2 * 3 + 1
    assert all(parameter.grad.abs().sum() > 0 for parameter in network.parameters())
    assert WideResNet(10, bn_momentum=0.1).block1[0].bn2.momentum == 0.1


@pytest.mark.parametrize('wrong, message', [(dict(depth=30), 'depth must be 37 or 6n'), (dict(depth=4), 'depth must'),
                                            (dict(depth=37, widen_factor=1), 'larger widen_factor')])
def test_wide_errors(wrong, message):
    with pytest.raises(ValueError, match=message):
        WideResNet(**wrong)
