"""BYOL against a slow transcription."""
import copy

import pytest
import torch
from slow_propos import SlowProPos
from small_models import B, assert_same, batch, disturb, gradients, parts, views
from torch import nn

from mmcluster.models.clusterers import BYOL
from mmcluster.models.clusterers.byol import feature_std
from mmcluster.structures import TEST_STREAM, Batch

pytestmark = pytest.mark.usefixtures('engine')


def byol(seed=0, **kwargs):
    torch.manual_seed(seed)
    model = BYOL(**parts(), **kwargs)
    disturb(model.teacher, 1)
    return model.train()


@pytest.mark.parametrize('before', [False, True])
@pytest.mark.parametrize('joint', [False, True])
def test_two_steps_against_the_slow_loss(before, joint):
    model = byol(decay=0.8, ema_before_forward=before, joint_views=joint)
    slow = SlowProPos(model)
    for step in range(2):
        losses = model(data_samples=dict(batch=batch(step)), mode='loss')
        expected = slow.step(*batch(step))['psa']
        torch.testing.assert_close(losses['loss_byol'], expected)
        model.zero_grad()
        losses['loss_byol'].backward()
        for net in slow.nets.values():
            net.zero_grad()
        expected.backward()
        for name, net in slow.nets.items():
            assert_same(gradients(getattr(model, name)), gradients(net))
            disturb(net, step)                                # the same pretended optimiser step on both sides
            disturb(getattr(model, name), step)
            assert_same(dict(getattr(model, name).named_buffers()), dict(net.named_buffers()))
        for name, net in slow.momentum.items():
            assert_same(getattr(model.teacher, name).state_dict(), net.state_dict())


def test_the_orders_and_forwards_differ():
    """Without this, an option that is not wired would pass the test above by chance."""
    losses = [byol(decay=0.5, ema_before_forward=before, joint_views=joint).loss(batch())['loss_byol'].item()
              for before in (False, True) for joint in (False, True)]
    assert len({round(value, 4) for value in losses}) == 4


@pytest.mark.parametrize('before', [False, True])
def test_gradients_reach_online_parts_only(before):
    model = byol(ema_before_forward=before)
    model.loss(batch())['loss_byol'].backward()
    for name, parameter in model.named_parameters():
        if name.startswith('teacher.'):
            assert parameter.grad is None and not parameter.requires_grad, name
        else:
            assert parameter.grad is not None, name
    for name in ('backbone.fc.weight', 'neck.fc1.weight', 'predictor.fc2.weight'):
        assert model.get_parameter(name).grad.abs().sum() > 0, name


def test_one_average_per_iteration_with_the_present_decay():
    model = byol(decay=0.9)
    model.teacher.decay = 0.25
    old = model.teacher.neck.fc1.weight.clone()
    model.loss(batch())
    torch.testing.assert_close(model.teacher.neck.fc1.weight, 0.25 * old + 0.75 * model.neck.fc1.weight)


def test_shuffling_needs_several_ranks():
    model = byol(shuffle_bn=True)
    state = torch.get_rng_state()
    loss = model.loss(batch())['loss_byol']
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.equal(byol(shuffle_bn=False).loss(batch())['loss_byol'], loss)


def test_the_momentum_network_is_the_output():
    model = byol().eval()
    x = views()[0]
    embed, logits = model.outputs(x)
    torch.testing.assert_close(embed, model.teacher.neck(model.teacher.backbone(x)))
    assert logits is None and model.logits(x) is None and torch.equal(model.embed(x), embed)
    assert not torch.allclose(embed, model.neck(model.backbone(x)), atol=1e-2)
    assert not torch.allclose(embed.norm(dim=1), torch.ones(B), atol=1e-2), 'the embedding is raw'
    found, = model(data_samples={TEST_STREAM: Batch([x], torch.arange(B))}, mode='predict')
    assert torch.equal(found['embed'], embed) and found['prob'] is None and torch.equal(found['index'], torch.arange(B))
    assert torch.equal(model(inputs=x)[0], embed)


def test_a_fresh_teacher_is_a_copy():
    model = byol()
    model.init_weights()
    for name in ('backbone', 'neck'):
        assert_same(getattr(model.teacher, name).state_dict(), getattr(model, name).state_dict(), atol=0)


def test_a_loaded_teacher_stays(tmp_path):
    model = byol()
    torch.save(dict(state_dict=model.state_dict()), tmp_path / 'byol.pth')
    torch.manual_seed(5)
    other = BYOL(**parts(), init_cfg=dict(type='Pretrained', checkpoint=str(tmp_path / 'byol.pth')))
    other.init_weights()
    assert_same(other.state_dict(), model.state_dict(), atol=0)
    assert not torch.equal(other.teacher.neck.fc1.weight, other.neck.fc1.weight)


def test_loss_is_taken_in_float32():
    model = byol()
    with torch.autocast('cpu', dtype=torch.bfloat16):
        z, k = model.online(views()), model.target(views())
        losses = model.loss(batch())
    assert {x.dtype for x in [*z, *k, losses['loss_byol'], losses['feat_std']]} == {torch.float32}
    torch.testing.assert_close(torch.cat(k).norm(dim=1), torch.ones(2 * B))


def test_feature_std():
    spread = nn.functional.normalize(torch.randn(20000, 16), dim=1)
    assert feature_std(spread).item() == pytest.approx(0.25, rel=1e-2)
    assert feature_std(spread[:1].expand(8, -1)).item() == pytest.approx(0, abs=1e-6)
    assert not feature_std(spread.requires_grad_()).requires_grad
    model = byol()
    expected = copy.deepcopy(model).target(views())[0].std(dim=0).mean()
    torch.testing.assert_close(model.loss(batch())['feat_std'], expected)


@pytest.mark.parametrize('joint', [False, True])
def test_a_single_view(joint):
    model = byol(joint_views=joint)
    with pytest.raises(ValueError, match='BYOL contrasts two views of every image and got 1; give'):
        model.loss(Batch(views()[:1], torch.arange(B)))
