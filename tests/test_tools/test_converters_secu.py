"""Converter of SeCu checkpoints: same outputs of all heads in our model, and nothing else let through."""
import pytest
import torch
from torch import nn
from torch.nn.functional import normalize

from mmcluster.models.base_parts import load_base
from mmcluster.registry import MODELS

from .released_networks import mlp, named, prefixed, resnet, shake

K = 5
NETWORKS = dict(cifar=(18, 'shortcut', 8), gcc=(18, 'shortcut', 64), plain=(50, 'downsample', 8))
OURS = dict(cifar='ResNet_CIFAR', plain='ResNet')


def long_mlp(width, hidden=24, out=12):
    """The projector on ImageNet."""
    return shake(nn.Sequential(
        nn.Linear(width, hidden), nn.BatchNorm1d(hidden), nn.ReLU(), nn.Linear(hidden, hidden),
        nn.BatchNorm1d(hidden), nn.ReLU(), nn.Linear(hidden, out), nn.BatchNorm1d(out)))


def released(stem='cifar', constraint='size', heads=3):
    """Networks, state dict and options of our model."""
    torch.manual_seed(0)
    depth, branch, base = NETWORKS[stem]
    net, width = resnet(depth, stem, base), 8 * base * (4 if depth == 50 else 1)
    large = stem == 'plain'
    nets = [net, long_mlp(width) if large else mlp(width)] + [mlp(12)] * large
    state = {**named(net.state_dict(), stem, branch), **prefixed('fc', nets[1].state_dict())}
    state = prefixed('encoder', state)
    if large:
        state.update(prefixed('predictor', nets[2].state_dict()))
    for h in range(heads):
        size = K * (h + 1)
        state.update({f'center_{h}': 3 * torch.randn(12, size), f'assign_labels_{h}': torch.ones(40, dtype=torch.long),
                      f'counter_{h}': torch.rand(size)})
        if constraint == 'size':
            state[f'ldual_{h}'] = torch.rand(size)
    backbone = dict(type='GCCResNet') if stem == 'gcc' else dict(type=OURS[stem], depth=depth, stem_channels=8,
                                                                 base_channels=8)
    options = dict(
        type='SeCu', backbone=backbone, num_clusters=K, heads=heads, bank=dict(num_samples=7),
        entropy_weight=None if constraint == 'size' else 6000., neck=dict(
            type='MLPProjector', in_channels=width, hid_channels=24, out_channels=12,
            **(dict(hidden_layers=2, last_bn=True) if large else {})))
    if large:
        options['predictor'] = dict(type='MLPProjector', in_channels=12, hid_channels=24, out_channels=12)
    return nets, state, options


@pytest.mark.parametrize('constraint', ['size', 'entropy'])
@pytest.mark.parametrize('stem', NETWORKS)
@torch.no_grad()
def test_a_release_is_a_secu(tools, tmp_path, stem, constraint):
    nets, state, options = released(stem, constraint)
    result = tools['secu'].convert(dict(state_dict=prefixed('module', state), optimizer={}, epoch=401), stem)
    torch.save(result, tmp_path / 'secu.pth')
    model = load_base(dict(options, init_cfg=dict(type='Pretrained', checkpoint=str(tmp_path / 'secu.pth')))).eval()
    x = torch.randn(3, 3, 64, 64) if stem == 'plain' else torch.randn(3, 3, 32, 32)
    embed = nets[1](nets[0](x))
    assert torch.allclose(model.embed(x), embed, atol=1e-5, rtol=1e-5) and embed.std() > 1e-3
    for h, head in enumerate(model.heads):
        near = normalize(embed, dim=1) @ normalize(state[f'center_{h}'], dim=0)
        assert torch.allclose(head(embed) * 0.05, near, atol=1e-5)
    assert torch.equal(model.logits(x), model.heads[0](model.embed(x)))
    assert torch.equal(model.previous, model.centers())
    if stem == 'plain':
        assert torch.allclose(model.predictor(embed), nets[2](embed), atol=1e-5)
    if constraint == 'size':
        assert torch.equal(model.dual, torch.cat([state[f'ldual_{h}'] for h in range(3)]))
    else:
        assert model.dual is None and not model.counts.any()
    meta = result['meta']
    assert (meta['heads'], meta['constraint'], meta['images']) == ([K, 2 * K, 3 * K], constraint, 40)
    assert (meta['stem'], meta['epoch']) == (stem, 401)


def test_a_booster_starts_from_it(tools, tmp_path):
    """Its head goes on, and the variance of its probabilities is not flat."""
    _, state, options = released()
    torch.save(tools['secu'].convert(dict(state_dict=state, epoch=1), 'cifar'), tmp_path / 'secu.pth')
    model = MODELS.build(dict(type='Boost', bank=dict(num_samples=7), base=dict(options, init_cfg=dict(
        type='Pretrained', checkpoint=str(tmp_path / 'secu.pth')))))
    model.init_weights()
    prob = model.eval().logits(torch.randn(6, 3, 32, 32)).softmax(1)
    assert torch.equal(model.head.weight, state['center_0'].t()) and prob.var(1).std() > 1e-3


@pytest.mark.parametrize('edit, message', [
    (lambda s: s.pop('center_1'), r'the set of heads does not fit; missing: .*unknown'),
    (lambda s: s.pop('counter_2'), 'missing: counter_2'), (lambda s: s.pop('ldual_0'), 'missing: ldual_0'),
    (lambda s: s.update(ldual_1=torch.ones(3)), 'head 1 should have a matrix of centres'),
    (lambda s: [s.pop(name) for name in list(s) if not name.startswith('encoder')], 'missing: center_0'),
    (lambda s: s.pop('encoder.fc.3.bias'), r'encoder.fc does not fit; missing: 3\.bias'),
    (lambda s: s.update({'queue': torch.ones(2)}), 'the file does not fit; unknown: queue'),
    (lambda s: s.pop('encoder.layer2.1.bn2.bias'), r'missing: layer2\.1\.bn2\.bias')])
def test_another_layout_is_refused(tools, edit, message):
    _, state, _ = released()
    edit(state)
    with pytest.raises(tools['resnet'].ConversionError, match=message):
        tools['secu'].convert(dict(state_dict=state, epoch=3), 'cifar')


def test_the_stem_of_a_small_network_must_be_said(tools):
    with pytest.raises(tools['resnet'].ConversionError, match='say --stem cifar or --stem gcc'):
        tools['secu'].convert(dict(state_dict=released()[1]))


def test_command_line(tools, tmp_path):
    torch.save(dict(state_dict=released('gcc')[1], epoch=801), tmp_path / 'secu.pth.tar')
    argv = [str(tmp_path / 'secu.pth.tar'), str(tmp_path / 'out.pth'), '--stem', 'gcc']
    tools['released'].main(tools['secu'].convert, '', argv)
    saved = torch.load(tmp_path / 'out.pth', weights_only=True)
    assert saved['meta']['converted_from'] == 'SeCu' and saved['state_dict']['heads.2.weight'].shape == (3 * K, 12)
