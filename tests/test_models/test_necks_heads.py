"""Projector, predictor and cluster heads."""
import math

import pytest
import torch
from torch import nn

import mmcluster.models.backbones  # noqa: F401
from mmcluster.models.clusterers.base import forward_parts, pooled
from mmcluster.models.head_parts import build_head, width_of
from mmcluster.models.heads import LinearClusterHead, MLPClusterHead
from mmcluster.models.necks import MLPProjector, PlainMLP, PreNormMLP
from mmcluster.registry import MODELS


def test_projector_is_linear_norm_relu_linear():
    projector = MODELS.build(dict(type='MLPProjector', in_channels=6, hid_channels=10, out_channels=4))
    reference = nn.Sequential(nn.Linear(6, 10), nn.BatchNorm1d(10), nn.ReLU(), nn.Linear(10, 4))
    numbers = {'fc1': '0', 'bn': '1', 'fc2': '3'}
    reference.load_state_dict({f'{numbers[name.split(".")[0]]}.{name.split(".")[1]}': value
                               for name, value in projector.state_dict().items()})
    x = 3 * torch.randn(8, 6) + 1
    assert torch.equal(projector(x), reference(x))
    assert torch.equal(projector.eval()(x), reference.eval()(x))
    assert (projector.in_channels, projector.out_channels) == (6, 4)


def test_projector_default_size_and_names():
    projector = MLPProjector(512)
    assert {name: tuple(p.shape) for name, p in projector.named_parameters()} == {
        'fc1.weight': (4096, 512), 'fc1.bias': (4096,), 'bn.weight': (4096,), 'bn.bias': (4096,),
        'fc2.weight': (256, 4096), 'fc2.bias': (256,)}


@pytest.mark.parametrize('options, names', [
    (dict(norm=False), {'fc1.weight', 'fc1.bias', 'fc2.weight', 'fc2.bias'}),
    (dict(bias=False), {'fc1.weight', 'bn.weight', 'bn.bias', 'fc2.weight'}),
    (dict(last_bn=True, norm=False, bias=False), {'fc1.weight', 'fc2.weight', 'last_bn.weight', 'last_bn.bias'}),
])
def test_projector_options(options, names):
    projector = MLPProjector(6, 10, 4, **options)
    assert {name for name, _ in projector.named_parameters()} == names
    out = projector(torch.randn(64, 6))
    assert out.shape == (64, 4)
    if 'last_bn' in options:
        assert torch.allclose(out.mean(0), torch.zeros(4), atol=1e-5)


def test_more_hidden_layers():
    projector = MLPProjector(6, 10, 4, hidden_layers=3, last_bn=True)
    reference = nn.Sequential(
        nn.Linear(6, 10), nn.BatchNorm1d(10), nn.ReLU(), nn.Linear(10, 10), nn.BatchNorm1d(10), nn.ReLU(),
        nn.Linear(10, 10), nn.BatchNorm1d(10), nn.ReLU(), nn.Linear(10, 4), nn.BatchNorm1d(4))
    reference.load_state_dict(dict(zip(reference.state_dict(), projector.state_dict().values())))
    x = torch.randn(8, 6)
    assert torch.equal(projector(x), reference(x))
    assert not any('bn' in name for name, _ in MLPProjector(6, 10, 4, hidden_layers=3, norm=False).named_parameters())
    with pytest.raises(ValueError, match='hidden_layers must be at least 1'):
        MLPProjector(6, hidden_layers=0)


def test_predictor_starts_from_a_narrow_normal():
    torch.manual_seed(0)
    predictor = MLPProjector(256, init='normal_0.01')
    predictor.init_weights()
    for layer in (predictor.fc1, predictor.fc2):
        assert abs(layer.weight.std().item() - 0.01) < 1e-4
        assert layer.weight.abs().max() > 0.03 and (layer.bias == 0).all()
    assert (predictor.bn.weight == 1).all() and (predictor.bn.bias == 0).all()


def test_projector_keeps_pytorchs_initial_values():
    torch.manual_seed(0)
    projector = MLPProjector(512)
    before = {name: value.clone() for name, value in projector.state_dict().items()}
    projector.init_weights()
    assert all(torch.equal(value, before[name]) for name, value in projector.state_dict().items())
    bound = 1 / math.sqrt(512)
    assert 0.99 * bound < projector.fc1.weight.abs().max() <= bound and projector.fc1.bias.abs().max() <= bound
    with pytest.raises(ValueError, match="one of.*got 'xavier'"):
        MLPProjector(4, init='xavier')


def test_checkpoint_takes_the_place_of_init(tmp_path):
    source = MLPProjector(6, 10, 4)
    torch.save(dict(state_dict={f'neck.{name}': value for name, value in source.state_dict().items()}),
               tmp_path / 'neck.pth')
    load = dict(type='Pretrained', checkpoint=str(tmp_path / 'neck.pth'), prefix='neck.')
    target = MLPProjector(6, 10, 4, init='normal_0.01', init_cfg=load)
    target.init_weights()
    assert all(torch.equal(value, source.state_dict()[name]) for name, value in target.state_dict().items())


def test_parts_are_initialised_by_the_module_that_holds_them():
    from mmengine.model import BaseModel
    torch.manual_seed(0)

    class Holder(BaseModel):
        def __init__(self):
            super().__init__()
            self.head = LinearClusterHead(200, 100)
            self.predictor = MLPProjector(64, 128, 64, init='normal_0.01')

        def forward(self, inputs, data_samples=None, mode='tensor'):
            return inputs

    holder = Holder()
    holder.init_weights()
    assert (holder.head.fc.bias == 0).all() and holder.predictor.fc1.weight.std() < 0.011


def test_linear_head():
    torch.manual_seed(0)
    head = MODELS.build(dict(type='LinearClusterHead', in_channels=256, num_clusters=100))
    head.init_weights()
    assert set(head.state_dict()) == {'fc.weight', 'fc.bias'} and head.fc.weight.shape == (100, 256)
    std = math.sqrt(2 / 356)
    assert abs(head.fc.weight.std().item() / std - 1) < 0.03 and head.fc.weight.abs().max() > 3 * std
    assert (head.fc.bias == 0).all() and head.num_clusters == 100
    x = torch.randn(5, 256)
    assert torch.allclose(head(x), x @ head.fc.weight.T, atol=1e-6)


def test_normalised_head_ignores_the_length_of_the_embedding():
    head = LinearClusterHead(16, 3, normalize_input=True)
    x = torch.randn(5, 16)
    assert torch.allclose(head(x), head(7 * x), atol=1e-6)
    assert torch.allclose(head(x), head.fc(x / x.norm(dim=1, keepdim=True)), atol=1e-6)
    assert torch.equal(head(torch.zeros(1, 16))[0], head.fc.bias)


def test_mlp_head():
    head = MODELS.build(dict(type='MLPClusterHead', in_channels=16, num_clusters=3))
    x = torch.randn(5, 16)
    hidden = (x @ head.fc1.weight.T + head.fc1.bias).clamp(min=0)
    assert head.fc1.out_features == 16 and MLPClusterHead(16, 3, 8).fc1.out_features == 8
    assert torch.allclose(head(x), hidden @ head.fc2.weight.T + head.fc2.bias, atol=1e-6)
    head(x).square().sum().backward()
    assert all(parameter.grad.abs().sum() > 0 for parameter in head.parameters())


@pytest.mark.parametrize('backbone, width', [
    (dict(type='ResNet_CIFAR', depth=18), 512), (dict(type='ResNet', depth=50), 2048),
    (dict(type='VisionTransformer', arch='deit-tiny', img_size=32, patch_size=16), 192),
    (dict(type='MaskedViT', arch='pici-tiny', img_size=32, patch_size=16), 192), (dict(type='GCCResNet', depth=18), 512),
    (dict(type='WideResNet', depth=10, widen_factor=2), 128), (dict(type='EfficientNetLite'), 1280),
    (dict(type='SmallCNN', in_channels=3, widths=(4, 8)), 8), (dict(type='Pixels', out_channels=3072), 3072)])
def test_a_head_asks_for_the_width_of_the_embedding(backbone, width):
    network = MODELS.build(backbone)
    assert pooled(network(torch.randn(2, 3, 32, 32)), network).shape == (2, width)
    several = build_head(dict(type='MultiHead', num_heads=2, head=dict(type='MLPClusterHead', num_clusters=3)), network, None)
    assert [head.in_channels for head in several.heads] == [width] * 2
    for neck, out in [(MLPProjector(width, 8, 5), 5), (PlainMLP(width, (8,), 6), 6), (PreNormMLP(width, 8, 7), 7),
                      (MODELS.build(dict(type='LinearNeck', in_channels=width, out_channels=4)), 4)]:
        assert build_head(dict(type='LinearClusterHead', num_clusters=3), network, neck).in_channels == out


SWIN = dict(type='SwinTransformer', arch=dict(embed_dims=8, depths=[1, 1, 2, 1], num_heads=[1, 1, 2, 2]), img_size=64,
            pad_small_map=True)


@pytest.mark.parametrize('backbone, width', [
    (dict(SWIN), 64), (dict(SWIN, out_indices=(1,)), 16), (dict(SWIN, out_indices=(1,), out_after_downsample=True), 32),
    (dict(type='ConvMixer', arch=dict(embed_dims=12, depth=2, patch_size=4, kernel_size=3)), 12),
    (dict(type='SwinTransformerV2', arch=dict(embed_dims=8, depths=[1, 1, 2, 1], num_heads=[1, 1, 2, 2],
                                              extra_norm_every_n_blocks=0), img_size=64, window_size=[2] * 4), None),
    (dict(type='MViT', arch=dict(embed_dims=8, num_layers=2, num_heads=1, downscale_indices=[1]), img_size=64,
          out_scales=-1), None)])
def test_the_width_of_networks_of_stages_is_that_of_their_last(backbone, width):
    network = MODELS.build(dict(backbone, type=f"mmpretrain.{backbone['type']}"))
    network.eval()
    assert width_of(network, None) == width
    out = pooled(network(torch.randn(1, 3, 64, 64)), network).shape[1]
    if width is None:
        assert out > network.embed_dims
        with pytest.raises(ValueError, match=f"needs in_channels, the width .*{backbone['type']} does not say its out_ch"):
            build_head(dict(type='LinearClusterHead', num_clusters=3), network, None)
    else:
        assert out == width


def test_a_head_that_nobody_can_tell_its_width():
    silent, head = nn.Flatten(), dict(type='LinearClusterHead', num_clusters=3)
    assert build_head(dict(head, in_channels=12), silent, None).in_channels == 12
    assert build_head(None, silent, None) is None and build_head(silent, None, None) is silent
    with pytest.raises(ValueError, match='LinearClusterHead needs in_channels, the width .*: Flatten does not say'):
        build_head(head, MLPProjector(6), silent)


def test_a_part_that_mixes_images_is_named():
    class Mixed(nn.Module):
        def forward(self, x):
            return x.flatten(1).mean(0, keepdim=True)

    with pytest.raises(ValueError, match=r'Mixed must return a vector \(B, F\) .* of every image, got \(1, 12\)'):
        forward_parts(torch.randn(4, 3, 2, 2), Mixed(), None, None)
