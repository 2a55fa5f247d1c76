"""MixMatchLoss inside a booster: what is mixed, which rows move batch norm, and what happens without labels."""
from contextlib import nullcontext

import pytest
import torch
from small_models import B, D, K, N, assert_same, gradients, views
from sync_guard import SyncGuard
from torch import nn

from mmcluster.models import Boost
from mmcluster.models.batch_norm import frozen_statistics
from mmcluster.models.pseudo_label_losses import MixMatchLoss
from mmcluster.registry import MODELS
from mmcluster.structures import Batch

pytestmark = pytest.mark.usefixtures('engine')
L = 5


@MODELS.register_module(force=True)
class Trainer(nn.Module):
    """A labeller with a loss on the labelled features; its labels are those of the bank, or none yet."""

    fields = dict(target=dict())
    trains = True

    def __init__(self, silent=False):
        super().__init__()
        self.silent = silent

    def forward(self, l, u, bank, reference=None):
        return None if self.silent else bank.read('target', l.index), dict(loss_labeller=l.feat.square().mean())


def boost(labeller=dict(type='SelectedLabels'), **options):
    torch.manual_seed(0)
    neck = dict(type='MLPProjector', in_channels=6, hid_channels=8, out_channels=D)
    model = Boost(backbone=dict(type='FlatNet'), neck=neck, bank=dict(num_samples=N), labeller=labeller,
                  head=dict(type='LinearClusterHead', in_channels=D, num_clusters=K),
                  pseudo_label_loss=dict(type='MixMatchLoss', num_clusters=K, **options))
    model.init_weights()
    if 'target' in model.bank.fills:
        model.bank.fill(target=torch.arange(N) % K)
    return model.train()


def streams(labelled=L, seed=0):
    found = dict(unlabelled=Batch(views(seed), torch.arange(B) + 3))
    if labelled is not None:
        found['labelled'] = Batch(views(seed + 50, labelled, 1), torch.arange(labelled) * 2)
    return found


def fixed_draws(model, share=0.75, seed=1):
    """Give a model the draws of this test; returns them."""
    def draw(rows, device):
        return share, torch.randperm(rows, generator=torch.Generator().manual_seed(seed))
    model.pseudo_label_loss.draw = draw
    return draw


def by_hand(model, data, draw):
    """The equations; every third row of [labelled, unlabelled, unlabelled] is forwarded together."""
    with torch.no_grad(), frozen_statistics(model):
        prob = sum(model.outputs(view)[1].softmax(1) for view in data['unlabelled'].views) / 2
    guess = prob.square() / prob.square().sum(1, keepdim=True)
    target = torch.eye(K)[model.bank.target[data['labelled'].index]]
    images = torch.cat([data['labelled'].views[0], *data['unlabelled'].views])
    labels = torch.cat([target, guess, guess])
    share, order = draw(len(images), 'cpu')
    x = share * images + (1 - share) * images[order]
    y = share * labels + (1 - share) * labels[order]
    found = {}
    for i in range(3):
        rows = range(i, len(x), 3)
        with frozen_statistics(model) if i else nullcontext():
            found.update(zip(rows, model.outputs(x[list(rows)])[1]))
    logits = torch.stack([found[row] for row in range(len(x))])
    return dict(loss_sup=-(y[:L] * logits[:L].log_softmax(1)).sum(1).mean(),
                loss_unsup=100 * (logits[L:].softmax(1) - y[L:]).square().mean())


def test_a_step_by_hand():
    model, other, data = boost(), boost(), streams()
    draw = fixed_draws(model)
    losses, expected = model.loss(**data), by_hand(other, data, draw)
    assert_same({key: losses[key] for key in expected}, expected)
    assert losses['mix_share'] == 0.75 and set(losses) == {*expected, 'mix_share'}
    for one, given in ((model, losses), (other, expected)):
        (given['loss_sup'] + given['loss_unsup']).backward()
    assert_same(gradients(model), gradients(other))
    assert_same(model.state_dict(), other.state_dict())


def test_one_third_of_all_streams_moves_the_running_statistics():
    """Of labelled rows alone they would be those of a few images."""
    model, data = boost(), streams()
    share, order = fixed_draws(model)(L + 2 * B, 'cpu')
    model.loss(**data)
    bn = model.backbone.bn
    assert bn.num_batches_tracked == 1 and bn.track_running_stats
    images = torch.cat([data['labelled'].views[0], *data['unlabelled'].views])
    mixed = (share * images + (1 - share) * images[order])[::3]
    torch.testing.assert_close(bn.running_mean, 0.1 * model.backbone.fc(mixed.flatten(1)).mean(0))


def test_statistics_stand_still_and_rows_are_normalised_by_their_batch():
    model = boost()
    x, bn = views()[0], model.backbone.bn
    with frozen_statistics(model):
        inside = model.outputs(x)[1]
    assert bn.num_batches_tracked == 0 and bn.running_mean.abs().sum() == 0 and (bn.running_var == 1).all()
    torch.testing.assert_close(inside, model.outputs(x)[1])
    assert bn.num_batches_tracked == 1
    with pytest.raises(RuntimeError), frozen_statistics(model):
        raise RuntimeError
    assert bn.track_running_stats
    model.eval()
    with frozen_statistics(model):
        torch.testing.assert_close(model.outputs(x)[1], model.outputs(x)[1])


def test_a_row_without_a_label_is_guessed_and_not_learned():
    model, data = boost(), streams()
    model.bank.fill(target=torch.where(torch.arange(N) == 4, -1, torch.arange(N) % K))
    fixed_draws(model, share=1.)
    kept = {}
    inner = model.pseudo_label_loss.mixed_losses

    def mixed_losses(l, logits, target):
        kept.update(target=target, logits=l.logits, given=l.target)
        return inner(l, logits, target)
    model.pseudo_label_loss.mixed_losses = mixed_losses
    losses = model.loss(**data)
    assert kept['given'].tolist() == [0, 2, -1, 2, 0]
    prob = kept['logits'][2].softmax(0).square()
    torch.testing.assert_close(kept['target'][2], prob / prob.sum())
    other, images = boost(), torch.cat([data['labelled'].views[0], *data['unlabelled'].views])
    log_prob = torch.stack([other.outputs(images[i % 3::3])[1][i // 3] for i in range(L)]).log_softmax(1)
    expected = -sum(log_prob[i, y] for i, y in ((0, 0), (1, 2), (3, 2), (4, 0))) / L
    torch.testing.assert_close(losses['loss_sup'], expected)


@pytest.mark.parametrize('labelled', [None, 0])
@pytest.mark.parametrize('weight', [0., 100.])
def test_without_labelled_rows(labelled, weight):
    model = boost(unsup_weight=weight)
    losses = model.loss(**streams(labelled))
    assert set(losses) == {'loss_unsup', 'mix_share'} and torch.isfinite(losses['loss_unsup'])
    assert bool(losses['loss_unsup']) is bool(weight)
    losses['loss_unsup'].backward()
    assert bool(model.head.fc.weight.grad.abs().sum()) is bool(weight)
    assert model.backbone.bn.num_batches_tracked == 1 and torch.isfinite(model.backbone.bn.running_mean).all()


def test_a_zero_weight_leaves_the_term_out_and_batch_norm_sees_all_streams():
    model, whole = boost(unsup_weight=0.), boost()
    for one in (model, whole):
        fixed_draws(one)
    losses, expected = model.loss(**streams()), whole.loss(**streams())
    assert set(losses) == {'loss_sup', 'mix_share'} and losses['loss_sup'] == expected['loss_sup']
    assert_same(model.state_dict(), whole.state_dict())


def test_before_the_labeller_speaks():
    """Its own loss counts, and the running statistics do not wait."""
    model = boost(dict(type='Trainer', silent=True))
    losses = model.loss(**streams())
    assert set(losses) == {'loss_labeller'} and model.backbone.bn.num_batches_tracked == 1
    losses['loss_labeller'].backward()
    assert gradients(model)['neck.fc1.weight'].abs().sum() > 0


@pytest.mark.parametrize('labeller', [dict(type='Trainer'), dict(type='SelectedLabels')])
def test_a_labeller_that_learns_gets_gradients(labeller):
    model = boost(labeller)
    losses = model.loss(**streams())
    total = sum(value for key, value in losses.items() if key.startswith('loss_'))
    total.backward()
    assert ('loss_labeller' in losses) is (labeller['type'] == 'Trainer')
    if 'loss_labeller' in losses:
        assert losses['loss_labeller'].requires_grad


def test_draws():
    loss = MixMatchLoss(alpha=0.75)
    torch.manual_seed(5)
    draws = [loss.draw(7, torch.device('cpu')) for _ in range(2000)]
    share = torch.stack([share for share, _ in draws])
    assert (share >= 0.5).all() and (share <= 1).all()
    torch.manual_seed(6)
    beta = torch.distributions.Beta(0.75, 0.75).sample((20000,))
    assert share.mean().item() == pytest.approx(torch.maximum(beta, 1 - beta).mean().item(), abs=0.01)
    assert all(order.sort().values.tolist() == list(range(7)) for _, order in draws[:20])
    torch.manual_seed(5)
    again = loss.draw(7, torch.device('cpu'))
    assert torch.equal(again[0], draws[0][0]) and torch.equal(again[1], draws[0][1])


def test_state_and_waiting():
    model = boost()
    assert not model.pseudo_label_loss.state_dict()
    with SyncGuard():
        losses = model.loss(**streams())
        (losses['loss_sup'] + losses['loss_unsup']).backward()


@pytest.mark.parametrize('options', [dict(temperature=0.), dict(alpha=-1.)])
def test_wrong_options(options):
    with pytest.raises(ValueError, match='(temperature|alpha) must be positive'):
        MixMatchLoss(**options)
    with pytest.raises(ValueError, match='at least 2, got 1'):
        MixMatchLoss(1)
