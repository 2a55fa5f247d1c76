"""MoCo against a slow transcription."""
import copy

import pytest
import torch
from small_models import B, D, FlatNet, assert_same, batch, disturb, gradients, views
from torch import nn

from mmcluster.models.clusterers import MoCo
from mmcluster.models.necks import MLPProjector
from mmcluster.registry import MODELS
from mmcluster.structures import TEST_STREAM, Batch

pytestmark = pytest.mark.usefixtures('engine')
QUEUE = 3 * B


def moco(seed=0, **kwargs):
    torch.manual_seed(seed)
    model = MoCo(FlatNet(), MLPProjector(6, 8, D, norm=False), **{'queue_size': QUEUE, **kwargs})
    disturb(model.teacher, 1)
    return model.train()


class SlowMoCo:
    """One row at a time, the queue a list of rows."""

    def __init__(self, model):
        self.query = copy.deepcopy(nn.ModuleDict(dict(backbone=model.backbone, projector=model.projector)))
        self.key = copy.deepcopy(nn.ModuleDict(dict(backbone=model.teacher.backbone,
                                                    projector=model.teacher.projector)))
        self.queue, self.decay, self.temperature = list(model.queue.t().clone()), model.teacher.decay, model.temperature

    def embed(self, nets, x):
        rows = nets['projector'](nets['backbone'](x))
        return [row / row.square().sum().sqrt() for row in rows]

    def step(self, view_q, view_k):
        query = self.embed(self.query, view_q)
        with torch.no_grad():
            for old, new in zip(self.key.parameters(), self.query.parameters()):
                old.copy_(self.decay * old + (1 - self.decay) * new)
            key = self.embed(self.key, view_k)
        total, right = 0., 0
        for q, k in zip(query, key):
            same = ((q * k).sum() / self.temperature).exp()
            others = [((q * z).sum() / self.temperature).exp() for z in self.queue]
            total = total - (same / (same + sum(others))).log()
            right += int(same > max(others))
        self.queue = key + self.queue                     # the newest in front
        del self.queue[QUEUE:]
        return total / len(query), right / len(query)


@pytest.mark.parametrize('options', [{}, dict(temperature=0.07), dict(decay=0.)], ids=str)
def test_steps_against_the_slow_loss(options):
    model = moco(**{'decay': 0.7, **options})
    slow = SlowMoCo(model)
    slow.queue.reverse()                                  # the ring overwrites its first columns first
    for step in range(5):
        losses = model(data_samples=dict(batch=batch(step)), mode='loss')
        expected, right = slow.step(*batch(step).views)
        torch.testing.assert_close(losses['loss_moco'], expected, rtol=1e-4, atol=1e-5)
        assert losses['key_acc'].item() == pytest.approx(right)
        model.zero_grad(), slow.query.zero_grad()
        losses['loss_moco'].backward()
        expected.backward()
        for name in ('backbone', 'projector'):
            assert_same(gradients(getattr(model, name)), gradients(slow.query[name]), atol=1e-5)
            disturb(slow.query[name], step)               # the same pretended optimiser step on both sides
            disturb(getattr(model, name), step)
            assert_same(getattr(model, name).state_dict(), slow.query[name].state_dict())
            assert_same(getattr(model.teacher, name).state_dict(), slow.key[name].state_dict())


@pytest.mark.parametrize('directions', ['mean', 'sum'])
def test_both_directions(directions):
    """Each is the loss of one direction, whose views are the other way round, on the same queue."""
    model, both = moco(decay=0.7, queue_size=4 * B), moco(decay=0.7, queue_size=4 * B, directions=directions)
    (first, second), parts, queue = views(), [], both.queue.clone()
    for order in ((first, second), (second, first)):
        one = copy.deepcopy(model)
        one.queue = queue.clone()
        losses = one.loss(Batch(list(order), torch.arange(B)))
        losses['loss_moco'].backward()
        parts.append((losses, gradients(one), one.queue[:, :B]))
    losses = both.loss(Batch([first, second], torch.arange(B)))
    losses['loss_moco'].backward()
    scale = 0.5 if directions == 'mean' else 1.
    torch.testing.assert_close(losses['loss_moco'], scale * sum(part[0]['loss_moco'] for part in parts))
    assert_same(gradients(both), {name: scale * (parts[0][1][name] + parts[1][1][name]) for name in parts[0][1]})
    assert losses['key_acc'] == sum(part[0]['key_acc'] for part in parts) / 2
    assert torch.equal(both.queue[:, :2 * B], torch.cat([parts[1][2], parts[0][2]], 1)), "the first view's keys first"
    assert both.queue_pointer == 2 * B


def test_a_queue_for_one_direction_may_be_too_short_for_both():
    with pytest.raises(ValueError, match=f'queue_size={QUEUE} is not a multiple of the {2 * B} rows of a batch .*both'):
        moco(directions='mean').loss(batch())


def test_the_key_network_with_its_projector_may_be_deployed():
    model, x = moco(deploy='key').eval(), views()[0]
    assert model.deployed() == (model.teacher.backbone, model.teacher.projector, None)
    torch.testing.assert_close(nn.functional.normalize(model.embed(x), dim=1), model.keys(x))


def test_the_queue_is_a_ring_of_the_last_keys():
    model, found = moco(), []
    forward = model.keys
    model.keys = lambda x: found.append(forward(x)) or found[-1]
    before = model.queue.clone()
    assert before.shape == (D, QUEUE) and model.queue_pointer.shape == () and model.queue_pointer == 0
    torch.testing.assert_close(before.norm(dim=0), torch.ones(QUEUE))
    for step in range(5):
        model.loss(batch(step))
        assert model.queue_pointer == (step + 1) * B % QUEUE
        if step == 1:
            assert torch.equal(model.queue, torch.cat([found[0].t(), found[1].t(), before[:, 2 * B:]], 1))
    assert torch.equal(model.queue, torch.cat([found[3].t(), found[4].t(), found[2].t()], 1))
    assert not model.queue.requires_grad and {'queue', 'queue_pointer'} <= set(dict(model.named_buffers()))


def test_a_key_is_no_negative_of_its_own_batch():
    model = moco(decay=1.)
    first, again = (model.loss(batch())['loss_moco'].item() for _ in range(2))
    assert again > first + 0.1, 'now it is'


def test_keys_come_from_the_moved_key_network():
    model = moco(decay=0.25)
    old = model.teacher.projector.fc1.weight.clone()
    moved = copy.deepcopy(model.teacher)
    moved.update(model)
    with torch.no_grad():
        expected = nn.functional.normalize(moved.projector(moved.backbone(batch().views[1])), dim=1)
    model.loss(batch())
    torch.testing.assert_close(model.teacher.projector.fc1.weight, 0.25 * old + 0.75 * model.projector.fc1.weight)
    torch.testing.assert_close(model.queue[:, :B], expected.t())


def test_statistics_of_the_key_network_are_its_own():
    model = moco()
    kept = {name: value.clone() for name, value in model.teacher.named_buffers() if 'running' in name}
    with torch.no_grad():
        rows = [view.flatten(1) @ net.fc.weight.t() + net.fc.bias for view, net in
                zip(batch().views, (model.backbone, copy.deepcopy(model.teacher.backbone)))]
    model.teacher.decay = 1.
    model.loss(batch())
    assert kept and not torch.allclose(model.teacher.backbone.bn.running_mean, model.backbone.bn.running_mean)
    for net, value in zip((model.backbone, model.teacher.backbone), rows):
        torch.testing.assert_close(net.bn.running_mean, 0.1 * value.mean(0), rtol=1e-4, atol=1e-6)


def test_gradients_reach_the_query_network_only():
    model = moco()
    model.loss(batch())['loss_moco'].backward()
    for name, parameter in model.named_parameters():
        assert (parameter.grad is None) == name.startswith('teacher.') != parameter.requires_grad, name
    assert model.projector.fc2.weight.grad.abs().sum() > 0 and model.backbone.fc.weight.grad.abs().sum() > 0


def test_a_saved_run_goes_on():
    model = moco()
    for step in range(4):
        model.loss(batch(step))
    other = moco(seed=9)
    other.load_state_dict(copy.deepcopy(model.state_dict()))
    losses = [[net.loss(batch(step))['loss_moco'] for step in (4, 5)] for net in (model, other)]
    assert torch.equal(torch.stack(losses[0]), torch.stack(losses[1]))
    assert_same(other.state_dict(), model.state_dict(), atol=0)


def test_the_query_network_is_the_output():
    model = moco().eval()
    x = views()[0]
    embed, logits = model.outputs(x)
    assert torch.equal(embed, model.backbone(x)) and logits is None and model.neck is None
    assert [part is None for part in model.deployed()] == [False, True, True]
    torch.testing.assert_close(model.project(x), nn.functional.normalize(model.projector(embed), dim=1))
    found, = model(data_samples={TEST_STREAM: Batch([x], torch.arange(B))}, mode='predict')
    assert torch.equal(found['embed'], embed) and found['prob'] is None


def test_a_fresh_key_network_is_a_copy_and_a_loaded_one_stays(tmp_path):
    model = moco()
    torch.save(dict(state_dict=model.state_dict()), tmp_path / 'moco.pth')
    cfg = dict(type='MoCo', backbone=dict(type='FlatNet'), queue_size=QUEUE,
               projector=dict(type='MLPProjector', in_channels=6, hid_channels=8, out_channels=D, norm=False))
    loaded = MODELS.build(dict(cfg, init_cfg=dict(type='Pretrained', checkpoint=str(tmp_path / 'moco.pth'))))
    assert type(loaded) is MoCo, "not mmpretrain's"
    loaded.init_weights()
    assert_same(loaded.state_dict(), model.state_dict(), atol=0)
    model.init_weights()
    for name in ('backbone', 'projector'):
        assert_same(getattr(model.teacher, name).state_dict(), getattr(model, name).state_dict(), atol=0)


def test_shuffling_needs_several_ranks():
    model = moco(shuffle_bn=True)
    state = torch.get_rng_state()
    loss = model.loss(batch())['loss_moco']
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.equal(moco(shuffle_bn=False).loss(batch())['loss_moco'], loss)


def test_loss_and_keys_in_float32():
    model = moco()
    exact = model.project(views()[0]), model.keys(views()[1])
    with torch.autocast('cpu', dtype=torch.bfloat16):
        seen = []
        model.projector.register_forward_hook(lambda module, args, out: seen.append(out.dtype))
        q, k = model.project(views()[0]), model.keys(views()[1])
        losses = model.loss(batch())
        losses['loss_moco'].backward()
    assert seen[0] == torch.bfloat16, 'the networks did compute in half precision'
    assert {x.dtype for x in (q, k, model.queue, *losses.values(), model.projector.fc1.weight.grad)} == {torch.float32}
    for half, whole in zip((q, k), exact):
        torch.testing.assert_close(half, whole, rtol=0, atol=0.05)
        torch.testing.assert_close(half.norm(dim=1), torch.ones(B))


def test_a_collapse_shows():
    model = moco()
    assert model.loss(batch())['feat_std'] > 0.1
    for parameter in (model.projector.fc2.weight, model.teacher.projector.fc2.weight):
        nn.init.zeros_(parameter)
    assert model.loss(batch())['feat_std'] < 1e-6


@pytest.mark.parametrize('size', [B - 1, QUEUE + B // 2, 2 * B + 1])
def test_a_queue_that_holds_no_whole_number_of_batches(size):
    with pytest.raises(ValueError, match=f'queue_size={size} is not a multiple of the {B} rows'):
        moco(queue_size=size).loss(batch())


def test_bad_arguments():
    with pytest.raises(ValueError, match='at least 1'):
        moco(queue_size=0)
    with pytest.raises(ValueError, match=r"directions must be one of \('one', 'mean', 'sum'\), got 'both'"):
        moco(directions='both')
    with pytest.raises(TypeError, match='neck'):
        moco(neck=dict(type='MLPProjector', in_channels=6))
