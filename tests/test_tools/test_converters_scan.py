"""Converter of SCAN checkpoints: same outputs in our models, and nothing else let through."""
import numpy
import pytest
import torch
from torch import nn

from mmcluster.registry import MODELS

from .released_networks import named, plain_mlp, prefixed, resnet

K = 5
NETWORKS = dict(cifar=(18, 'shortcut', 8), gcc=(18, 'shortcut', 64), plain=(50, 'downsample', 8))
OURS = dict(cifar='ResNet_CIFAR', plain='ResNet')


def network(stem):
    """A released backbone with its state, the options that build ours, and F."""
    depth, branch, width = NETWORKS[stem]
    net = resnet(depth, stem, width)
    ours = dict(type='GCCResNet') if stem == 'gcc' else dict(type=OURS[stem], depth=depth, stem_channels=8,
                                                             base_channels=8)
    return net, prefixed('backbone', named(net.state_dict(), stem, branch)), ours, 8 * width * (4 if depth == 50 else 1)


def clustering(stem='cifar', count=1):
    """Network, heads, state dict and options of the clustering stage."""
    net, state, ours, width = network(stem)
    made = [nn.Linear(width, K) for _ in range(count)]
    for number, head in enumerate(made):
        state.update(prefixed(f'cluster_head.{number}', head.state_dict()))
    head = dict(type='LinearClusterHead', in_channels=width, num_clusters=K)
    return net, made, state, ours, head


def scan(ours, head, count, **options):
    return dict(type='SCAN', bank=dict(num_samples=40), backbone=ours,
                head=dict(type='MultiHead', num_heads=count, head=head), **options)


def build(cfg, state):
    """One of our models in evaluation mode with converted weights; the bank alone is left out."""
    model = MODELS.build(cfg)
    report = model.load_state_dict(state, strict=False)
    assert not report.unexpected_keys and all(name.startswith('bank.') for name in report.missing_keys)
    return model.eval()


def same(actual, expected):
    assert torch.allclose(actual, expected, atol=1e-5, rtol=1e-5) and expected.std() > 1e-3


@pytest.mark.parametrize('stem', NETWORKS)
@pytest.mark.parametrize('wrap', [lambda s: s, lambda s: dict(model=prefixed('module', s), optimizer={}, epoch=500)],
                         ids=['bare', 'running'])
@torch.no_grad()
def test_pretext_is_a_simclr(tools, stem, wrap):
    torch.manual_seed(0)
    net, state, ours, width = network(stem)
    projector = plain_mlp(width)
    result = tools['scan'].convert(wrap({**state, **prefixed('contrastive_head', projector.state_dict())}),
                                   'auto' if stem == 'plain' else stem)
    model = build(dict(type='SimCLR', backbone=ours, projector=dict(
        type='MLPProjector', in_channels=width, hid_channels=24, out_channels=12, norm=False)), result['state_dict'])
    x = torch.randn(3, 3, 32, 32)
    same(model.embed(x), net(x))
    same(model.project(x), nn.functional.normalize(projector(net(x)), dim=1))
    assert (result['meta']['stage'], result['meta']['stem']) == ('pretext', stem)


@pytest.mark.parametrize('stem, count, best', [('cifar', 1, 0), ('gcc', 3, 2), ('plain', 12, numpy.int64(10))])
@torch.no_grad()
def test_clustering_is_a_scan(tools, stem, count, best):
    torch.manual_seed(0)
    net, made, state, ours, head = clustering(stem, count)
    result = tools['scan'].convert(dict(model=state, head=best), stem)
    model = build(scan(ours, head, count), result['state_dict'])
    x = torch.randn(3, 3, 32, 32)
    logits = model.head_logits(x)
    for number, layer in enumerate(made):
        same(logits[:, number], layer(net(x)))
    same(model.logits(x), made[best](net(x)))
    assert model.best_so_far.head_index == int(best) and model.best_so_far.loss == float('inf')
    assert (result['meta']['stage'], result['meta']['heads']) == ('clustering', count)


def test_frozen_network(tools):
    """The ImageNet configs train heads only; the model then keeps a copy of nothing else."""
    net, made, state, ours, head = clustering('plain', 2)
    result = tools['scan'].convert(dict(model=state, head=1), best_so_far='head')
    model = build(scan(ours, head, 2, freeze=True), result['state_dict'])
    x = torch.randn(3, 3, 32, 32)
    with torch.no_grad():
        same(model.logits(x), made[1](net(x)))


def test_a_running_file_names_its_head(tools):
    _, _, state, ours, head = clustering(count=3)
    running = dict(model=prefixed('module', state), optimizer={}, epoch=20, best_loss=-1.5, best_loss_head=2)
    result = tools['scan'].convert(running, 'cifar')
    assert result['meta']['kept_head'] == 2 and result['meta']['best_loss'] == -1.5 and result['meta']['epoch'] == 20
    assert tools['scan'].convert(running, 'cifar', head=1)['meta']['kept_head'] == 1
    with pytest.raises(tools['resnet'].ConversionError, match='name it by --head'):
        tools['scan'].convert({**running, 'best_loss_head': None}, 'cifar')
    build(scan(ours, head, 3), result['state_dict'])


@pytest.mark.parametrize('wrap', [lambda s: s, lambda s: dict(model=prefixed('module', s), optimizer={}, epoch=200)],
                         ids=['bare', 'running'])
@torch.no_grad()
def test_self_labelled_is_a_boost(tools, wrap):
    net, (layer,), state, ours, head = clustering()
    result = tools['scan'].convert(wrap(state), 'cifar')
    model = build(dict(type='Boost', bank=dict(num_samples=7), backbone=ours, head=head,
                       pseudo_label_loss=dict(type='ConfidenceLoss', num_clusters=K)), result['state_dict'])
    x = torch.randn(3, 3, 32, 32)
    same(model.logits(x), layer(net(x)))
    assert result['meta']['stage'] == 'self-labelling'


@pytest.mark.parametrize('spoil, options, message', [
    (lambda s: dict(model=s, head=0), dict(stem='auto'), 'say --stem cifar or --stem gcc'),
    (lambda s: dict(model=s, head=0), dict(stem='plain'), "not the 'plain' layout"),
    (lambda s: dict(model=s, head=2), {}, 'there is no head 2'),
    (lambda s: s, {}, '2 heads and does not say which'),
    (lambda s: {**s, 'contrastive_head.0.weight': torch.ones(1)}, {}, 'one of contrastive_head and cluster_head'),
    (lambda s: {**s, 'cluster_head.3.weight': torch.ones(1)}, {}, r'without a gap: \[0, 1, 3\]'),
    (lambda s: {**s, 'cluster_head.weight': torch.ones(1)}, dict(head=0), 'unknown: cluster_head.weight'),
    (lambda s: {k: v for k, v in s.items() if k != 'cluster_head.1.bias'}, dict(head=0), 'head 1 does not fit'),
    (lambda s: {k: v for k, v in s.items() if 'head' not in k}, {}, 'expected backbone and one of'),
    (lambda s: {k: v for k, v in s.items() if 'head' in k}, {}, 'expected backbone and one of'),
    (lambda s: {k: v for k, v in s.items() if 'layer3.1.bn1.bias' not in k}, dict(head=0), 'missing: layer3.1.bn1.b'),
    (lambda s: {**{k: v for k, v in s.items() if 'head' not in k}, 'contrastive_head.weight': torch.ones(1),
                'contrastive_head.bias': torch.ones(1)}, {}, 'contrastive_head does not fit'),
    (lambda s: dict(weights=s), {}, 'no state dict under any of model'),
], ids=lambda value: value if isinstance(value, str) else '')
def test_other_layouts_are_refused(tools, spoil, options, message):
    with pytest.raises(tools['resnet'].ConversionError, match=message):
        tools['scan'].convert(spoil(clustering(count=2)[2]), **{'stem': 'cifar', **options})


def test_command_line(tools, tmp_path):
    torch.save(dict(model=clustering(count=2)[2], head=1), tmp_path / 'scan.pth.tar')
    argv = [str(tmp_path / 'scan.pth.tar'), str(tmp_path / 'out.pth'), '--stem', 'cifar', '--best-so-far', 'head']
    tools['released'].main(tools['scan'].convert, '', argv, tools['head'].BEST_OPTIONS)
    saved = torch.load(tmp_path / 'out.pth', weights_only=True)
    assert saved['state_dict']['best_so_far.head_index'] == 1 and saved['meta']['converted_from'] == 'SCAN'
    assert not any(name.startswith('best_so_far.backbone') for name in saved['state_dict'])
