"""Converter of GCC checkpoints: same outputs in our models, heads included, and nothing else let through."""
import pytest
import torch
from torch import nn

from mmcluster.models.base_parts import load_base
from mmcluster.registry import MODELS

from .released_networks import named, plain_mlp, prefixed, resnet

pytestmark = pytest.mark.usefixtures('engine')
K, OUT = 5, 12
OURS = dict(cifar=dict(type='ResNet_CIFAR', depth=18, stem_channels=8, base_channels=8), gcc=dict(type='GCCResNet'))
WIDTHS = dict(cifar=8, gcc=64)


def released(stem='cifar', heads=1):
    """Networks and state dict of the release; both stems have the same names."""
    torch.manual_seed(0)
    net, width = resnet(18, stem, WIDTHS[stem]), 8 * WIDTHS[stem]
    projector, made = plain_mlp(width, width, OUT), [nn.Linear(width, K) for _ in range(heads)]
    state = {**prefixed('backbone', named(net.state_dict(), stem, 'shortcut')),
             **prefixed('contrastive_head', projector.state_dict())}
    for number, head in enumerate(made):
        state.update(prefixed(f'cluster_head.{number}', head.state_dict()))
    return (net, projector, made), state, width


def ours(stem, width, **options):
    head = dict(type='LinearClusterHead', in_channels=width, num_clusters=K)
    return dict(type='GCC', backbone=OURS[stem], bank=dict(num_samples=40), head=head, projector=dict(
        type='MLPProjector', in_channels=width, hid_channels=width, out_channels=OUT, norm=False), **options)


WRAPPED = [lambda s: s, lambda s: dict(model=s, optimizer=dict(state={}), epoch=1000),
           lambda s: dict(model=prefixed('module', s), epoch=0)]


@pytest.mark.parametrize('stem', OURS)
@pytest.mark.parametrize('wrap', WRAPPED, ids=['bare', 'checkpoint', 'parallel'])
@torch.no_grad()
def test_a_release_is_a_gcc(tools, tmp_path, stem, wrap):
    """Loaded strictly as a base, whose bank is not read."""
    (net, projector, (head, )), state, width = released(stem)
    result = tools['gcc'].convert(wrap(state), stem)
    torch.save(result, tmp_path / 'gcc.pth')
    model = load_base(ours(stem, width, init_cfg=dict(type='Pretrained', checkpoint=str(tmp_path / 'gcc.pth')))).eval()
    x = torch.randn(3, 3, 32, 32)
    feat = net(x)
    for actual, expected in ((model.embed(x), feat), (model.logits(x), head(feat)),
                             (model.project(x), nn.functional.normalize(projector(feat), dim=1))):
        assert torch.allclose(actual, expected, atol=1e-5, rtol=1e-5) and expected.std() > 1e-3
    meta = result['meta']
    assert (meta['stem'], meta['depth'], meta['num_clusters'], meta['stage']) == (stem, 18, K, 'graph')
    assert meta.get('epoch') == wrap(state).get('epoch')


@torch.no_grad()
def test_one_of_several_heads_and_a_self_labelled_network(tools):
    (net, _, heads), state, width = released(heads=3)
    with pytest.raises(tools['resnet'].ConversionError, match='3 heads and does not say which one was kept'):
        tools['gcc'].convert(state, 'cifar')
    result = tools['gcc'].convert({name: value for name, value in state.items() if 'contrastive' not in name},
                                  'cifar', head=2)
    assert result['meta']['stage'] == 'self-labelling' and result['meta']['kept_head'] == 2
    model = MODELS.build(dict(
        type='Boost', backbone=OURS['cifar'], head=dict(type='LinearClusterHead', in_channels=width, num_clusters=K),
        pseudo_label_loss=dict(type='ConfidenceLoss'), bank=dict(num_samples=40)))
    report = model.load_state_dict(result['state_dict'], strict=False)
    assert not report.unexpected_keys and all(name.startswith('bank.') for name in report.missing_keys)
    x = torch.randn(3, 3, 32, 32)
    assert torch.allclose(model.eval().logits(x), heads[2](net(x)), atol=1e-5)


EDITS = dict(
    missing=(lambda s: s.pop('contrastive_head.2.bias'), r'contrastive_head does not fit; missing: 2\.bias'),
    no_head=(lambda s: [s.pop(name) for name in list(s) if name.startswith('cluster')],
             'expected backbone, cluster_head and contrastive_head'),
    foreign=(lambda s: s.update({'decoder.weight': torch.ones(2)}), 'got .*decoder'),
    block=(lambda s: s.pop('backbone.layer2.1.bn2.running_mean'), r'backbone does not fit; missing: layer2\.1\.bn2'))


@pytest.mark.parametrize('kind', EDITS)
def test_another_layout_is_refused(tools, kind):
    edit, message = EDITS[kind]
    _, state, _ = released()
    edit(state)
    with pytest.raises(tools['resnet'].ConversionError, match=message):
        tools['gcc'].convert(dict(model=state, epoch=3), 'cifar')


def test_a_file_does_not_tell_its_stem(tools):
    with pytest.raises(tools['resnet'].ConversionError, match='say --stem cifar or --stem gcc'):
        tools['gcc'].convert(released()[1])
