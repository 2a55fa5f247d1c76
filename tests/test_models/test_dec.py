"""DEC and IDEC on an autoencoder of a few weights."""
import copy

import pytest
import torch
from small_models import B, N, assert_same, gradients, views
from sync_guard import SyncGuard

from mmcluster.functional.losses.dec import target_distribution
from mmcluster.registry import MODELS
from mmcluster.structures import Batch

pytestmark = pytest.mark.usefixtures('engine')
D, K = 3, 4
ENCODER = dict(type='PlainMLP', in_channels=16, hid_channels=(8, 6), out_channels=D)
DECODER = dict(type='PlainMLP', in_channels=D, hid_channels=(6, 8), out_channels=16)
HEAD = dict(type='StudentHead', in_channels=D, num_clusters=K)
BASE = dict(type='Autoencoder', backbone=dict(type='Pixels'), neck=ENCODER, decoder=DECODER)


def batch():
    index = torch.randperm(N, generator=torch.Generator().manual_seed(0))[:B]
    return Batch(views(count=1), index)


def build(cfg, seed=0, **more):
    torch.manual_seed(seed)
    return MODELS.build(copy.deepcopy(dict(cfg, **more))).train()


def dec(name='DEC', seed=0, **more):
    cfg = dict(type=name, backbone=dict(type='Pixels'), neck=ENCODER, head=HEAD, bank=dict(num_samples=N),
               **(dict(decoder=DECODER) if name == 'IDEC' else {}), **more)
    model = build(cfg, seed)
    torch.nn.init.normal_(model.head.centers)
    prob = torch.randn(N, K).softmax(1)
    model.bank.fill(label=prob.argmax(1), soft_target=target_distribution(prob).target)
    return model


def slow_divergence(model, x, index):
    total = 0
    for row, place in zip(x, index.tolist()):
        z, target = model.neck(row.flatten()[None])[0], model.bank.soft_target[place]
        kernel = torch.stack([1 / (1 + (z - center).square().sum()) for center in model.head.centers])
        total = total + sum(p * (p / q).log() for p, q in zip(target, kernel / kernel.sum()))
    return total / len(x)


def test_the_autoencoder():
    model = build(BASE)
    found = model(data_samples=dict(batch=batch()), mode='loss')['loss_recon']
    x = batch().views[0].flatten(1)
    torch.testing.assert_close(found, (model.decoder(model.neck(x)) - x).square().mean())
    assert [tuple(layer.weight.shape) for layer in model.neck.layers] == [(8, 16), (6, 8), (D, 6)]
    assert (model.embed(batch().views[0]) < 0).any(), 'the embedding is linear'
    assert model.logits(batch().views[0]) is None


@pytest.mark.parametrize('name, options', [('DEC', {}), ('IDEC', {}), ('IDEC', dict(summed_recon=True, gamma=0.3))])
def test_against_the_slow_loss(name, options):
    model = dec(name, **options)
    slow, x = copy.deepcopy(model), batch().views[0]
    losses = model(data_samples=dict(batch=batch()), mode='loss')
    expected = slow_divergence(slow, x, batch().index)
    if name == 'IDEC':
        gap = (slow.decoder(slow.neck(x.flatten(1))) - x.flatten(1)).square()
        recon = gap.sum(1).mean() if options else gap.mean()
        torch.testing.assert_close(losses['loss_recon'], recon)
        expected = options.get('gamma', 0.1) * expected
        recon.backward(retain_graph=True)
    torch.testing.assert_close(losses['loss_cluster'], expected)
    sum(losses.values()).backward()
    expected.backward()
    assert_same(gradients(model), gradients(slow))
    assert len(gradients(model)) == len(list(model.parameters())), 'every part trains'


@pytest.mark.parametrize('name', ['DEC', 'IDEC'])
def test_no_step_waits_for_the_device(name):
    model = dec(name)
    with SyncGuard():
        sum(model.loss(batch()).values()).backward()


def test_the_softmax_of_its_logits_is_q():
    model = dec().eval()
    x = batch().views[0]
    z, logits = model.outputs(x)
    kernel = 1 / (1 + torch.cdist(z, model.head.centers).square())
    torch.testing.assert_close(logits.softmax(1), kernel / kernel.sum(1, keepdim=True))
    assert torch.equal(model.predict(x).cluster, logits.argmax(1))
    with torch.autocast('cpu', torch.bfloat16):
        assert model.head(z.bfloat16()).dtype == torch.float32


@pytest.mark.parametrize('name', ['DEC', 'IDEC'])
def test_it_starts_with_the_weights_of_the_autoencoder(tmp_path, name):
    base = build(BASE, seed=5)
    torch.save(dict(state_dict=base.state_dict()), tmp_path / 'base.pth')
    cfg = dict(type=name, head=HEAD, bank=dict(num_samples=N), **(dict(decoder=DECODER) if name == 'IDEC' else {}),
               base=dict(BASE, init_cfg=dict(type='Pretrained', checkpoint=str(tmp_path / 'base.pth'))))
    model = build(cfg, seed=6)
    model.init_weights()
    parts = ['neck', 'decoder'] if name == 'IDEC' else ['neck']
    for part in parts:
        assert_same(getattr(model, part).state_dict(), getattr(base, part).state_dict(), atol=0)
    assert not hasattr(model, 'decoder') or name == 'IDEC'
    assert float(model.changed) == 1 and not model.bank.is_set('label')


@pytest.mark.parametrize('change, message', [
    (dict(backbone=None), 'DEC needs a base'), (dict(head=dict(HEAD, num_clusters=1)), 'DEC: num_clusters must be at l'),
    (dict(head=dict(HEAD, alpha=0.)), 'alpha'), (dict(neck=dict(ENCODER, hid_channels=(8, 0))), 'width of layer 2')])
def test_bad_options(change, message):
    cfg = dict(type='DEC', backbone=dict(type='Pixels'), neck=ENCODER, head=HEAD, bank=dict(num_samples=N))
    with pytest.raises(ValueError, match=message):
        MODELS.build({**cfg, **change})
