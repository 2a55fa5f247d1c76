"""SimCLR against a slow transcription."""
import copy
import math

import pytest
import torch
from small_models import B, D, FlatNet, assert_same, batch, gradients, views
from torch import nn

from mmcluster.models.clusterers import SimCLR
from mmcluster.models.necks import MLPProjector
from mmcluster.registry import MODELS
from mmcluster.structures import TEST_STREAM, Batch

pytestmark = pytest.mark.usefixtures('engine')


def simclr(seed=0, **kwargs):
    torch.manual_seed(seed)
    return SimCLR(FlatNet(), MLPProjector(6, 8, D, norm=False), **kwargs).train()


def slow_loss(model, first, second, symmetric):
    """One anchor at a time: -log of the share of its other view among all rows but itself."""
    rows = model.projector(model.backbone(torch.cat([first, second])))
    rows = [row / row.square().sum().sqrt() for row in rows]
    size, terms = len(first), []
    for i in range(2 * size if symmetric else size):
        other = (i + size) % (2 * size)
        similar = {j: ((rows[i] * rows[j]).sum() / model.temperature).exp() for j in range(2 * size) if j != i}
        terms.append(-(similar[other] / sum(similar.values())).log())
    return sum(terms) / len(terms)


@pytest.mark.parametrize('temperature', [0.1, 0.5])
@pytest.mark.parametrize('symmetric', [True, False])
def test_against_the_slow_loss(symmetric, temperature):
    model = simclr(symmetric=symmetric, temperature=temperature)
    slow = copy.deepcopy(model)
    losses = model(data_samples=dict(batch=batch()), mode='loss')
    expected = slow_loss(slow, *batch().views, symmetric)
    torch.testing.assert_close(losses['loss_simclr'], expected)
    losses['loss_simclr'].backward()
    expected.backward()
    assert_same(gradients(model), gradients(slow))
    assert_same(model.state_dict(), slow.state_dict())
    assert len(gradients(model)) == len(list(model.parameters())), 'every part trains'


def test_both_views_pass_as_one_batch():
    model = simclr()
    rows = []
    model.backbone.bn.register_forward_pre_hook(lambda module, args: rows.append(len(args[0])))
    model.loss(batch())
    assert rows == [2 * B] and model.backbone.bn.num_batches_tracked == 1


def test_only_the_symmetric_loss_is_blind_to_the_order_of_views():
    found = {symmetric: [simclr(symmetric=symmetric).loss(Batch(order, torch.arange(B)))['loss_simclr'].item()
                         for order in (views(), views()[::-1])] for symmetric in (True, False)}
    assert found[True][0] == pytest.approx(found[True][1], rel=1e-5)
    assert abs(found[False][0] - found[False][1]) > 1e-4
    assert found[True][0] == pytest.approx(sum(found[False]) / 2, rel=1e-4)


def test_rows_may_be_permuted():
    order = torch.randperm(B)
    first, second = (simclr().loss(Batch(images, torch.arange(B)))['loss_simclr']
                     for images in (views(), [view[order] for view in views()]))
    torch.testing.assert_close(first, second)


def test_the_backbone_is_the_output():
    model = simclr().eval()
    x = views()[0]
    embed, logits = model.outputs(x)
    assert torch.equal(embed, model.backbone(x)) and logits is None and model.bank is None
    assert [part is None for part in model.deployed()] == [False, True, True]
    torch.testing.assert_close(model.project(x), nn.functional.normalize(model.projector(embed), dim=1))
    found, = model(data_samples={TEST_STREAM: Batch([x], torch.arange(B))}, mode='predict')
    assert torch.equal(found['embed'], embed) and found['prob'] is None


def test_loss_in_float32():
    exact, model = simclr().loss(batch()), simclr()
    with torch.autocast('cpu', dtype=torch.bfloat16):
        losses = model.loss(batch())
    assert {value.dtype for value in losses.values()} == {torch.float32}
    torch.testing.assert_close(losses['loss_simclr'], exact['loss_simclr'], rtol=0.05, atol=0)
    losses['loss_simclr'].backward()
    assert all(parameter.grad.isfinite().all() for parameter in model.parameters())


def test_a_collapse_shows():
    model = simclr()
    assert model.loss(batch())['feat_std'] > 0.1
    nn.init.zeros_(model.projector.fc2.weight)
    losses = model.loss(batch())
    assert losses['feat_std'] < 1e-6
    assert losses['loss_simclr'].item() == pytest.approx(math.log(2 * B - 1), rel=1e-5)


def test_ours_is_built():
    cfg = dict(type='SimCLR', backbone=dict(type='FlatNet'), temperature=0.3, symmetric=False,
               projector=dict(type='MLPProjector', in_channels=6, hid_channels=8, out_channels=D, norm=False))
    model = MODELS.build(cfg)
    assert type(model) is SimCLR and (model.temperature, model.symmetric) == (0.3, False)
    with pytest.raises(TypeError, match='head'):
        MODELS.build(dict(cfg, head=dict(type='LinearClusterHead', in_channels=6, num_clusters=2)))


def test_a_single_view():
    with pytest.raises(ValueError, match=r'SimCLR contrasts two views .* and got 1'):
        simclr().loss(Batch(views()[:1], torch.arange(B)))
