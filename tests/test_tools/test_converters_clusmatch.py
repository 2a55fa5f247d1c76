"""Converter of ClusMatch, GCC and SeCu checkpoints: same outputs under new names, and nothing else let through."""
import pytest
import torch
from torch import nn

from mmcluster.models.backbones import GCCResNet
from mmcluster.models.heads import LinearClusterHead
from mmcluster.registry import MODELS

from .converted import NARROW, assert_same_chain, clusmatch_propos, embed, load
from .released_networks import mlp, named, prefixed, propos, resnet, thresholds


def test_clusmatch_gives_the_same_outputs(tools):
    nets, checkpoint = clusmatch_propos()
    result = tools['clusmatch'].convert(checkpoint)
    converted, meta = result['state_dict'], result['meta']
    for key, prefix in (('model', ''), ('ema_model', 'teacher.')):
        assert_same_chain(converted, prefix, 18, 'cifar', nets[key])
        z = torch.randn(3, 12)
        assert torch.equal(load(LinearClusterHead(12, 5), converted, f'{prefix}head')(z), nets[key][2](z))
    for name, target in (('all_tau', 'negative_thresholds'), ('p_model', 'p_model'), ('label_hist', 'label_hist')):
        assert torch.equal(converted[f'pseudo_label_loss.{target}'], checkpoint[name])
    assert (meta['branch'], meta['it'], meta['best_eval_acc']) == ('propos', 65536, 0.9)
    assert meta['dropped'] == ['loss_scaler', 'optimizer', 'scheduler', 'tau', 'time_p']


def test_clusmatch_on_gcc(tools):
    network, head, old = resnet(18, 'gcc', 64), nn.Linear(512, 5), nn.Linear(512, 5)
    state = prefixed('module.backbone', named(network.state_dict(), 'gcc', 'shortcut'))
    state.update(prefixed('module.cluster_head_new', head.state_dict()))
    state.update(prefixed('module.cluster_head.0', old.state_dict()))
    converted = tools['clusmatch'].convert(dict(thresholds(5), model=state, ema_model=state))['state_dict']
    x = torch.randn(2, 3, 16, 16)
    with torch.no_grad():
        feat = load(GCCResNet(18), converted, 'teacher.backbone')(x)
        assert torch.allclose(feat, network(x), atol=1e-6, rtol=1e-6)
        assert torch.equal(load(LinearClusterHead(512, 5), converted, 'head')(feat), head(feat))
    assert not any(name.startswith(('neck', 'teacher.neck')) for name in converted)


@pytest.mark.parametrize('stem', ['cifar', 'gcc'])
def test_gcc_start(tools, stem):
    network = resnet(18, stem, 64)
    state = prefixed('module.backbone', named(network.state_dict(), stem, 'shortcut'))
    state.update({'module.cluster_head.0.weight': torch.ones(5, 512), 'module.contrastive_head.0.bias': torch.ones(5),
                  'module.backbone.fc.weight': torch.ones(1, 512)})
    result = tools['clusmatch'].convert(dict(model=state, epoch=1000), stem)
    target = GCCResNet(18) if stem == 'gcc' else MODELS.build(dict(type='ResNet_CIFAR', depth=18))
    x = torch.randn(2, 3, 16, 16)
    with torch.no_grad():
        feat = embed(load(target, result['state_dict'], 'backbone'), x)
        assert torch.allclose(feat, network(x), atol=1e-6, rtol=1e-6)
    assert result['meta']['dropped'] == ['cluster_head.0.weight', 'contrastive_head.0.bias']
    assert {name.split('.')[0] for name in result['state_dict']} == {'backbone'}


def test_secu_start(tools):
    network, projector = resnet(18, 'cifar'), mlp(64)
    state = prefixed('module.encoder', named(network.state_dict(), 'cifar', 'shortcut'))
    state.update(prefixed('module.encoder.fc', projector.state_dict()))
    state.update({'module.predictor.0.weight': torch.ones(3), 'module.center_0': torch.ones(3)})
    converted = tools['clusmatch'].convert(dict(state_dict=state, arch='resnet18'), 'cifar')['state_dict']
    assert_same_chain(converted, '', 18, 'cifar', (network, projector))


@pytest.mark.parametrize('spoil, message', [
    (lambda c: {**c, 'ema_model': None}, "no state dict under any of ema_model"),
    (lambda c: {name: value for name, value in c.items() if name != 'all_tau'}, 'missing: all_tau'),
    (lambda c: {**c, 'tau': torch.rand(4)}, r'tau should be a tensor of shape \(5,\)'),
    (lambda c: {**c, 'tau': c['tau'] + 0.1}, 'tau should equal the row sums'),
    (lambda c: {**c, 'model': {**c['model'], 'module.rotation.bias': torch.ones(1)}}, 'unknown: rotation.bias'),
    (lambda c: dict(model=c['model']), "missing: 'ema_model'"),
    (lambda c: propos()[1], 'use propos_to_mmcluster'),
    (lambda c: dict(model=dict(cls_token=torch.ones(1))), 'none of the parameters starts with'),
], ids=['no-average', 'no-thresholds', 'shape', 'tau', 'unknown', 'online-only', 'propos', 'vit'])
def test_clusmatch_refuses_other_layouts(tools, spoil, message):
    with pytest.raises(tools['resnet'].ConversionError, match=message):
        tools['clusmatch'].convert(spoil(clusmatch_propos()[1]))


def test_converted_clusmatch_fits_the_booster(tools):
    model = MODELS.build(dict(
        type='Boost', bank=dict(num_samples=7), teacher=dict(decay=0.999, buffers='live'), **NARROW,
        head=dict(type='LinearClusterHead', in_channels=12, num_clusters=5),
        pseudo_label_loss=dict(type='ClusMatchLoss', num_clusters=5)))
    nets, checkpoint = clusmatch_propos()
    report = model.load_state_dict(tools['clusmatch'].convert(checkpoint)['state_dict'], strict=False)
    assert not report.unexpected_keys and all(name.startswith('bank.') for name in report.missing_keys)
    model.eval()
    x = torch.randn(2, 3, 16, 16)
    with torch.no_grad():
        assert torch.allclose(model.logits(x), nn.Sequential(*nets['ema_model'])(x), atol=1e-6, rtol=1e-6)
