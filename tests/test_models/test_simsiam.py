"""SimSiam against a slow transcription, and what keeps it from collapsing."""
import copy

import pytest
import torch
from small_models import B, D, FlatNet, assert_same, batch, gradients, views
from torch import nn

from mmcluster.models.clusterers import SimSiam
from mmcluster.models.necks import MLPProjector
from mmcluster.registry import MODELS
from mmcluster.structures import TEST_STREAM, Batch

pytestmark = pytest.mark.usefixtures('engine')


def simsiam(seed=0):
    torch.manual_seed(seed)
    return SimSiam(FlatNet(), MLPProjector(6, 8, D, last_bn=True), MLPProjector(D, 4, D)).train()


class Returns(nn.Module):
    """A part that gives what it is told."""

    def __init__(self, value):
        super().__init__()
        self.value = value

    def forward(self, x):
        return self.value


def slow_loss(model, first, second):
    """One row and one direction at a time; what is regressed is a list of numbers."""
    z = model.neck(model.backbone(torch.cat([first, second])))
    p, size, total = model.predictor(z), len(first), 0.
    for i in range(size):
        for predicted, regressed in ((p[i], z[size + i]), (p[size + i], z[i])):
            numbers = torch.tensor(regressed.tolist())
            cosine = (predicted * numbers).sum() / predicted.square().sum().sqrt() / numbers.square().sum().sqrt()
            total = total - cosine / 2
    return total / size


def test_against_the_slow_loss():
    model = simsiam()
    slow = copy.deepcopy(model)
    losses = model(data_samples=dict(batch=batch()), mode='loss')
    expected = slow_loss(slow, *batch().views)
    torch.testing.assert_close(losses['loss_simsiam'], expected)
    losses['loss_simsiam'].backward()
    expected.backward()
    assert_same(gradients(model), gradients(slow))
    assert_same(model.state_dict(), slow.state_dict())
    assert len(gradients(model)) == len(list(model.parameters())), 'every part trains'


def test_no_gradient_through_what_is_regressed():
    model = simsiam()
    z = torch.randn(2 * B, D, requires_grad=True)
    p = z.detach().clone().requires_grad_()
    model.neck, model.predictor = Returns(z), Returns(p)
    model.loss(batch())['loss_simsiam'].backward()
    assert z.grad is None and p.grad.abs().sum() > 0


def test_both_views_pass_as_one_batch():
    model = simsiam()
    rows = []
    for norm in (model.backbone.bn, model.neck.bn, model.neck.last_bn, model.predictor.bn):
        norm.register_forward_pre_hook(lambda module, args: rows.append(len(args[0])))
    model.loss(batch())
    assert rows == 4 * [2 * B] and model.backbone.bn.num_batches_tracked == 1


def test_the_order_of_views_and_rows_does_not_matter():
    order = torch.randperm(B)
    found = [simsiam().loss(Batch(images, torch.arange(B)))['loss_simsiam']
             for images in (views(), views()[::-1], [view[order] for view in views()])]
    torch.testing.assert_close(found[1], found[0])
    torch.testing.assert_close(found[2], found[0])


def test_the_projection_is_the_output():
    model = simsiam().eval()
    x = views()[0]
    embed, logits = model.outputs(x)
    assert torch.equal(embed, model.neck(model.backbone(x))) and logits is None and model.bank is None
    assert model.deployed() == (model.backbone, model.neck, None)
    found, = model(data_samples={TEST_STREAM: Batch([x], torch.arange(B))}, mode='predict')
    assert torch.equal(found['embed'], embed) and found['prob'] is None


def test_loss_in_float32():
    exact, model = simsiam().loss(batch()), simsiam()
    with torch.autocast('cpu', dtype=torch.bfloat16):
        losses = model.loss(batch())
    assert {value.dtype for value in losses.values()} == {torch.float32}
    torch.testing.assert_close(losses['loss_simsiam'], exact['loss_simsiam'], rtol=0.1, atol=0.02)
    losses['loss_simsiam'].backward()
    assert all(parameter.grad.isfinite().all() for parameter in model.parameters())


def test_a_collapse_shows():
    model = simsiam()
    assert model.loss(batch())['feat_std'] > 0.1
    nn.init.zeros_(model.neck.last_bn.weight)
    nn.init.ones_(model.neck.last_bn.bias)
    assert model.loss(batch())['feat_std'] < 1e-6


def test_ours_is_built():
    model = MODELS.build(dict(
        type='SimSiam', backbone=dict(type='FlatNet'), neck=dict(type='MLPProjector', in_channels=6, last_bn=True),
        predictor=dict(type='MLPProjector', in_channels=256, hid_channels=4)))
    assert type(model) is SimSiam, "not mmpretrain's"


def test_a_single_view():
    with pytest.raises(ValueError, match=r'SimSiam contrasts two views .* and got 1'):
        simsiam().loss(Batch(views()[:1], torch.arange(B)))
