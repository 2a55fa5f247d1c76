"""IDFD against a slow transcription."""
import copy

import pytest
import torch
from small_models import B, D, FlatNet, N, assert_same, batch, gradients, views
from sync_guard import SyncGuard
from torch.nn.functional import cross_entropy, normalize

from mmcluster.models.clusterers import IDFD
from mmcluster.registry import MODELS
from mmcluster.structures import Batch

pytestmark = pytest.mark.usefixtures('engine')
LINEAR = dict(type='LinearNeck', in_channels=6, out_channels=D, norm_cfg=None)


def idfd(**kwargs):
    torch.manual_seed(0)
    return IDFD(FlatNet(), LINEAR, **{'bank': dict(num_samples=N), **kwargs}).train()


@pytest.mark.parametrize('options', [{}, dict(temperature=0.3, feature_temperature=0.9, decay=0.8)])
def test_against_the_slow_loss(options):
    model = idfd(**options)
    slow, data = copy.deepcopy(model), batch()
    losses = model(data_samples=dict(batch=data), mode='loss')
    feat = normalize(slow.neck.fc(slow.backbone(data.views[0])))
    instance = sum(cross_entropy(slow.bank.memory @ row / slow.temperature, i) for row, i in zip(feat, data.index)) / B
    columns = normalize(feat.t())
    feature = sum(cross_entropy(columns @ column / slow.feature_temperature, torch.tensor(i))
                  for i, column in enumerate(columns)) / D
    torch.testing.assert_close(losses['loss_instance'], instance)
    torch.testing.assert_close(losses['loss_feature'], feature)
    (losses['loss_instance'] + losses['loss_feature']).backward()
    (instance + feature).backward()
    assert_same(gradients(model), gradients(slow))
    memory = slow.bank.memory.clone()
    for row, i in zip(feat.detach(), data.index):
        memory[i] = normalize(slow.decay * memory[i] + (1 - slow.decay) * row, dim=0)
    torch.testing.assert_close(model.bank.memory, memory)
    untouched = torch.ones(N, dtype=torch.bool).index_fill(0, data.index, False)
    assert torch.equal(model.bank.memory[untouched], slow.bank.memory[untouched])


def test_it_starts_as_released():
    model = idfd(bank=dict(num_samples=2000))
    assert (model.temperature, model.feature_temperature, model.decay) == (1., 2., 0.5)
    assert model.bank.memory.abs().max() <= (3 / D) ** 0.5 and model.bank.memory.norm(dim=1).std() > 0.1
    assert model.bank.memory.square().sum(1).mean().item() == pytest.approx(1, rel=0.05)


def test_of_an_image_that_comes_twice_the_last_row_is_kept():
    model = idfd()
    data = Batch(views(), torch.full((B,), 7))
    before = model.bank.memory[7].clone()
    model.loss(data)
    last = normalize(model.neck.fc(model.backbone(data.views[0])))[-1].detach()
    torch.testing.assert_close(model.bank.memory[7], normalize(0.5 * before + 0.5 * last, dim=0))


def test_outputs():
    model, x = idfd().eval(), views()[0]
    embed, logits = model.outputs(x)
    assert torch.equal(embed, model.neck.fc(model.backbone(x))) and logits is None
    assert model.deployed() == (model.backbone, model.neck, None)


def test_losses_in_float32():
    exact, model = idfd().loss(batch()), idfd()
    with torch.autocast('cpu', dtype=torch.bfloat16):
        losses = model.loss(batch())
    assert {value.dtype for value in losses.values()} == {torch.float32} == {model.bank.memory.dtype}
    for name in ('loss_instance', 'loss_feature'):
        torch.testing.assert_close(losses[name], exact[name], rtol=0.05, atol=0)


@pytest.mark.parametrize('options, message', [
    (dict(bank=None), 'IDFD keeps features of every image: give it bank'),
    (dict(temperature=0), 'IDFD: temperature must be'), (dict(decay=1.5), 'IDFD: decay must be a share')])
def test_bad_options(options, message):
    with pytest.raises(ValueError, match=message):
        idfd(**options)


def test_nothing_waits_for_the_device():
    model, data = MODELS.build(dict(type='IDFD', backbone=FlatNet(), neck=LINEAR, bank=dict(num_samples=N))), batch()
    with SyncGuard():
        losses = model.loss(data)
        sum(value for name, value in losses.items() if name.startswith('loss_')).backward()
