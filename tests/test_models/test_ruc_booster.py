"""RUC: a step against the released arrangement of rows, turns, labels that grow, and labels of a labeller."""
import copy

import pytest
import torch
from small_models import B, D, K, N, assert_same, disturb, gradients, views
from sync_guard import SyncGuard
from test_boost import HEAD, NECK, PROPOS, checkpoint, part
from torch import nn

from mmcluster.models import RUC, Boost
from mmcluster.models.clusterers.base import forward_parts
from mmcluster.registry import MODELS
from mmcluster.structures import Batch

pytestmark = pytest.mark.usefixtures('engine')
L = 5
TERMS = ('loss_sup', 'loss_unsup', 'loss_smooth')


@MODELS.register_module(force=True)
class Tutor(nn.Module):
    """A labeller with a loss and a head of its own; hard or soft labels, or none yet."""

    fields = dict(target=dict())
    trains = True

    def __init__(self, silent=False, soft=False):
        super().__init__()
        self.silent, self.soft = silent, soft
        self.fc = nn.Linear(D, 1)

    def forward(self, l, u, bank, reference=None):
        label = bank.read('target', l.index)
        label = 0.8 * nn.functional.one_hot(label, K) + 0.2 / K if self.soft else label
        return None if self.silent else label, dict(loss_tutor=self.fc(l.feat).square().mean(), seen=u.feat_weak.sum())


def ruc(seed=0, labeller=None, turn=0, scale=3., **options):
    """A model whose networks differ and are sure of something."""
    torch.manual_seed(seed)
    model = RUC(**{**dict(base=PROPOS, head=HEAD, bank=dict(num_samples=N), labeller=labeller,
                          relabel_threshold=0.6), **options})
    model.init_weights()
    disturb(model.twin, 7, 0.1)
    with torch.no_grad():
        for head in (model.head, model.twin.head):
            head.fc.weight.mul_(scale)
    model.bank.fill(target=torch.where(torch.arange(N) % 3 > 0, torch.arange(N) % K, -1))
    if labeller is None:
        model.bank.fill(weight=torch.linspace(0, 1, N))
    model.turn = turn
    return model.train()


def rows(seed=0):
    return dict(unlabelled=Batch(views(seed, B, 4), torch.arange(B) + 3))


def streams(seed=0):
    return dict(unlabelled=Batch(views(seed, B, 2), torch.arange(B) + 3),
                labelled=Batch(views(seed + 9, L, 4), torch.tensor([1, 2, 4, 5, 7])))


def fixed(model, share=0.75, seed=1):
    """Give a model the draws of this test; returns them."""
    def draw(count, device):
        return share, torch.randperm(count, generator=torch.Generator().manual_seed(seed))
    model.draw = draw
    return draw


def total(losses):
    return sum(value for key, value in losses.items() if key.startswith('loss_'))


def networks(model):
    return [lambda x, net=net: forward_parts(x, net.backbone, net.neck, net.head)[1] for net in (model, model.twin)]


def sharp(prob):
    return prob.square() / prob.square().sum(1, keepdim=True)


def released(own, clean, strong, label, targets, images, draw):
    """Losses by rows that are picked out: [weak1 clean, weak2 clean, weak1 unclean, weak2 unclean], then mixed."""
    share, order = draw(len(images), 'cpu')
    y, mixed = targets, own(share * images + (1 - share) * images[order])
    y = share * y + (1 - share) * y[order]
    log_strong = own(strong).log_softmax(1)
    eps = 0.5
    smooth = [-(1 - eps) * log_strong[i, k] - eps / (K - 1) * (log_strong[i].sum() - log_strong[i, k])
              for i, k in enumerate(label.tolist()) if k >= 0]
    return dict(loss_sup=-(y[clean] * mixed[clean].log_softmax(1)).sum(1).mean(),
                loss_unsup=25 * (mixed[~clean].softmax(1) - y[~clean]).square().mean(),
                loss_smooth=torch.stack(smooth).mean())


def by_hand(model, data, draw):
    """A step without masks, in the order of views that decides batch norm."""
    plain, weak1, weak2, strong = data['unlabelled'].views
    index, nets = data['unlabelled'].index, networks(model)
    own, twin = nets[model.turn], nets[1 - model.turn]
    label, w = model.bank.target[index], model.bank.weight[index][:, None]
    with torch.no_grad():
        plain1, plain2 = own(plain), twin(plain).softmax(1)
        guess = sharp(sum(net(x).softmax(1) for net in (own, twin) for x in (weak1, weak2)) / 4)
    clean = label >= 0
    target = guess.clone()
    target[clean] = sharp((1 - w[clean]) * torch.eye(K)[label[clean]] + w[clean] * plain2[clean])
    losses = released(own, clean.repeat(2), strong, label, torch.cat([target, target]), torch.cat([weak1, weak2]), draw)
    return losses, plain1.softmax(1).max(1)


# ---- a step on the labels of the bank

@pytest.mark.parametrize('turn', [0, 1])
def test_a_step_by_hand(turn):
    model, other, data = ruc(turn=turn), ruc(turn=turn), rows()
    before, index = model.bank.target.clone(), data['unlabelled'].index
    draw = fixed(model)
    losses, (expected, (sure, found)) = model.loss(**data), by_hand(other, data, draw)
    assert_same({key: losses[key] for key in TERMS}, expected)
    assert set(losses) == {*TERMS, 'clean_share', 'mix_share', 'agreement'}
    assert losses['clean_share'] == (before[index] >= 0).float().mean() and losses['mix_share'] == 0.75
    for net, given in ((model, losses), (other, expected)):
        total(given).backward()
    assert_same(gradients(model), gradients(other))
    new = (before[index] < 0) & (sure >= 0.6)
    wanted = before.clone()
    wanted[index[new]] = found[new]
    assert torch.equal(model.bank.target, wanted) and 0 < new.sum() < (before[index] < 0).sum()
    seen = torch.full((N, 2), -1.)
    seen[index, turn] = sure
    torch.testing.assert_close(model.bank.confidence, seen)
    assert_same({key: value for key, value in model.state_dict().items() if 'bank' not in key},
                {key: value for key, value in other.state_dict().items() if 'bank' not in key})


@pytest.mark.parametrize('turn', [0, 1])
def test_the_network_that_rests_gets_no_gradient_and_moves_its_statistics(turn):
    model, nets = ruc(turn=turn), ('backbone', 'twin.backbone')
    total(model.loss(**rows())).backward()
    names = [{name for name, p in model.named_parameters() if name.startswith('twin.') is bool(net) and p.grad is None}
             for net in (0, 1)]
    assert not names[turn] and names[1 - turn] == {
        name for name, _ in model.named_parameters() if name.startswith('twin.') is (turn == 0)}
    counts = [model.get_submodule(net).bn.num_batches_tracked.item() for net in nets]
    assert counts[turn] == 5 and counts[1 - turn] == 3, 'plain, two weak views; and the mixed and strong rows'


def test_relabelling_holds_from_the_next_visit():
    model = ruc(relabel_threshold=0.)
    first = model.loss(**rows())
    second = model.loss(**rows())
    assert first['clean_share'] < 1 and second['clean_share'] == 1 and second['loss_unsup'] == 0
    assert (model.bank.target[3:3 + B] >= 0).all() and model.bank.target[0] == -1
    again = ruc(relabel_threshold=1.)
    again.loss(**rows())
    assert torch.equal(again.bank.target, ruc().bank.target), 'nothing is surer than 1'


@pytest.mark.parametrize('label, empty', [(-1, ('loss_sup', 'loss_smooth')), (2, ('loss_unsup',))])
def test_an_empty_part_is_zero(label, empty):
    model = ruc()
    model.bank.fill(target=torch.full((N,), label))
    losses = model.loss(**rows())
    for key in TERMS:
        model.zero_grad()
        losses[key].backward(retain_graph=True)
        assert all(p.isfinite().all() for p in gradients(model).values())
        length = sum(p.abs().sum() for p in gradients(model).values())
        assert (losses[key] == 0 and length == 0) if key in empty else (losses[key] > 0 and length > 0), key


def test_a_step_has_static_shapes_and_does_not_wait():
    model, data = ruc(), rows()
    with SyncGuard():
        total(model.loss(**data)).backward()
    model, data = ruc(labeller=dict(type='Tutor')), streams()
    with SyncGuard():
        total(model.loss(**data)).backward()


def test_predictions_can_be_watched():
    model, data = ruc(turn=1), rows()
    model.watch.start()
    model.loss(**data)
    predicted, given = model.watch.pop_counts()
    label = ruc().bank.target[data['unlabelled'].index]
    assert predicted.sum() == B and torch.equal(given, torch.bincount(label[label >= 0], minlength=K))


def test_draws_are_those_of_mixmatch():
    model = ruc(alpha=0.3)
    torch.manual_seed(5)
    share, order = model.draw(7, torch.device('cpu'))
    torch.manual_seed(5)
    beta = torch.distributions.Beta(torch.tensor(0.3), torch.tensor(0.3)).sample()
    assert share == max(beta, 1 - beta) and order.sort().values.tolist() == list(range(7))


# ---- weights of a turn

def test_the_weight_is_the_confidence_of_the_network_that_rests():
    model = ruc()
    recorded = torch.rand(N, 2, generator=torch.Generator().manual_seed(0))
    recorded[4, 1] = -1                             # not seen
    model.bank.fill(confidence=recorded)
    for turn in (0, 1):
        model.turn = turn
        model.start_turn()
        other = recorded[:, 1 - turn]
        low, high = other[other >= 0].min(), other.max()
        expected = torch.where(other >= 0, (other - low) / (high - low), 0.)
        torch.testing.assert_close(model.bank.weight, expected)
    assert 'bank.weight' not in model.state_dict() and 'bank.confidence' in model.state_dict()


def test_nothing_is_refined_before_the_twin_has_trained():
    model = ruc()
    model.start_turn()
    assert not model.bank.weight.any()
    model.loss(**rows())
    model.turn = 1
    model.start_turn()
    assert model.bank.weight[3:3 + B].max() == 1 and not model.bank.weight[3 + B:].any()


@pytest.mark.parametrize('label', [-1, K])
def test_labels_that_no_head_has(label):
    model = ruc()
    model.bank.fill(target=torch.where(model.bank.target == 1, label, -1))
    with pytest.raises(ValueError, match=f'largest label in bank.target is {label}. Let a SelectHook with HybridClean'):
        model.start_turn()


# ---- a step on the labels of a labeller

def by_hand_with_labeller(model, data, draw):
    l, (u1, u2) = data['labelled'], data['unlabelled'].views
    plain, weak1, weak2, strong = l.views
    nets = networks(model)
    own, twin = nets[model.turn], nets[1 - model.turn]
    label = model.bank.target[l.index]
    feat = forward_parts(weak1, model.backbone, model.neck, None)[0]
    tutor = model.labeller.fc(feat).square().mean()
    with torch.no_grad():
        guess = sharp(sum(net(x).softmax(1) for net in nets for x in (u1, u2)) / 4)
        prob = twin(plain).softmax(1)
        sure = prob.max(1).values
        w = ((sure - sure.min()) / (sure.max() - sure.min()))[:, None] * model.taught[1 - model.turn]
        refined = sharp((1 - w) * torch.eye(K)[label] + w * prob)
    clean = torch.arange(2 * (L + B)) % (L + B) < L
    losses = released(own, clean, strong, label, torch.cat([refined, guess] * 2), torch.cat([weak1, u1, weak2, u2]),
                      draw)
    return {**losses, 'loss_tutor': tutor} if model.turn == 0 else losses


@pytest.mark.parametrize('turn, taught', [(0, 0), (0, 1), (1, 1)])
def test_a_step_with_a_labeller_by_hand(turn, taught):
    model, other = (ruc(labeller=dict(type='Tutor'), turn=turn) for _ in range(2))
    for net in (model, other):
        net.taught.fill_(bool(taught))
    draw = fixed(model)
    found, expected = model.loss(**streams()), by_hand_with_labeller(other, streams(), draw)
    assert_same({key: value for key, value in found.items() if key.startswith('loss_')},
                {key: value for key, value in expected.items() if key in found})
    assert found['clean_share'] == pytest.approx(L / (L + B)) and 'seen' in found
    for given in (found, expected):
        total(given).backward()
    assert_same(gradients(model), gradients(other))
    assert ('labeller.fc.weight' in gradients(model)) is (turn == 0)
    assert model.taught.tolist() == [turn == 0 or bool(taught), turn == 1 or bool(taught)]
    assert torch.equal(model.bank.target, ruc().bank.target) and not hasattr(model.bank, 'weight')


def test_soft_labels_of_a_labeller():
    model = ruc(labeller=dict(type='Tutor', soft=True))
    fixed(model)
    losses = model.loss(**streams())
    strong = ruc(labeller=dict(type='Tutor', soft=True))
    log_prob = networks(strong)[0](streams()['labelled'].views[3]).log_softmax(1)
    own = 0.8 * torch.eye(K)[strong.bank.target[streams()['labelled'].index]] + 0.2 / K
    expected = -((0.5 * own + 0.5 / (K - 1) * (1 - own)) * log_prob).sum(1).mean()
    torch.testing.assert_close(losses['loss_smooth'], expected)
    assert losses['clean_share'] == pytest.approx(L / (L + B))


def test_before_the_labeller_speaks():
    """Its own loss trains the first network; the twin knows nothing."""
    model = ruc(labeller=dict(type='Tutor', silent=True))
    before = copy.deepcopy(model.twin.state_dict())
    losses = model.loss(**streams())
    assert set(losses) == {'loss_tutor', 'seen'} and not model.taught.any()
    losses['loss_tutor'].backward()
    assert gradients(model)['neck.fc1.weight'].abs().sum() > 0
    assert_same(before, model.twin.state_dict(), atol=0)


def test_given_labels():
    """A labeller without a loss: a few rows whose labels are known, one of which is not."""
    model, data = ruc(labeller=dict(type='SelectedLabels')), streams()
    data['labelled'] = data['labelled']._replace(index=torch.tensor([1, 2, 3, 5, 7]))
    losses = model.loss(**data)
    assert losses['clean_share'] == pytest.approx(4 / (L + B)) and all(losses[key] > 0 for key in TERMS)
    assert model.labeller is not None and 'loss_tutor' not in losses


# ---- parts

def test_both_networks_start_from_the_base_with_heads_of_their_own(tmp_path):
    base, state = checkpoint(tmp_path / 'base.pth')
    torch.manual_seed(0)
    model = RUC(base=base, head=HEAD, bank=dict(num_samples=N))
    model.init_weights()
    for name in ('backbone', 'neck'):
        for net in (model, model.twin):
            assert_same(getattr(net, name).state_dict(), part(state, f'teacher.{name}'), atol=0)
    assert not torch.equal(model.head.fc.weight, model.twin.head.fc.weight)
    assert model.head.fc.bias.abs().sum() == model.twin.head.fc.bias.abs().sum() == 0, 'both were initialised'
    assert {name.split('.')[0] for name in model.state_dict()} == {'backbone', 'neck', 'head', 'twin', 'bank'}
    assert all(p.requires_grad for p in model.parameters())
    assert len({p.data_ptr() for p in model.parameters()}) == len(list(model.parameters()))
    assert model.required_hooks == ('TurnHook',)


def test_evaluation_adds_the_logits_of_both_and_hands_on_the_first(tmp_path):
    model, x = ruc().eval(), views(size=N)[0]
    embed, logits = model.outputs(x)
    torch.testing.assert_close(logits, sum(net(x) for net in networks(model)))
    torch.testing.assert_close(embed, forward_parts(x, model.backbone, model.neck, None)[0])
    torch.save(dict(state_dict=model.state_dict()), tmp_path / 'ruc.pth')
    base = dict(type='RUC', base=PROPOS, head=HEAD, bank=dict(num_samples=None),
                init_cfg=dict(type='Pretrained', checkpoint=str(tmp_path / 'ruc.pth')))
    boost = Boost(base=base, bank=dict(num_samples=N))
    boost.init_weights()
    for name in ('backbone', 'neck', 'head'):
        assert_same(getattr(boost, name).state_dict(), getattr(model, name).state_dict(), atol=0)
    assert not hasattr(boost, 'twin')


def test_a_whole_checkpoint_keeps_both_networks(tmp_path):
    model = ruc()
    torch.save(dict(state_dict=model.state_dict()), tmp_path / 'ruc.pth')
    torch.manual_seed(5)
    again = RUC(base=PROPOS, head=HEAD, bank=dict(num_samples=N),
                init_cfg=dict(type='Pretrained', checkpoint=str(tmp_path / 'ruc.pth')))
    again.init_weights()
    assert_same(again.state_dict(), model.state_dict(), atol=0)


def test_new_networks_differ():
    torch.manual_seed(0)
    model = RUC(backbone=dict(type='FlatNet'), neck=NECK, head=HEAD, bank=dict(num_samples=N), channels_last=True)
    model.init_weights()
    assert not torch.equal(model.backbone.fc.weight, model.twin.backbone.fc.weight)


@pytest.mark.parametrize('options, problem', [
    (dict(head=None), 'two new heads'), (dict(bank=None), r'bank=dict\(num_samples=None\)'),
    (dict(pseudo_label_loss=dict(type='MixMatchLoss')), 'drop pseudo_label_loss'),
    (dict(alpha=0.), 'must be positive'), (dict(temperature=-1.), 'must be positive'),
    (dict(smoothing=1.), r'\[0, 1\)')])
def test_wrong_options(options, problem):
    with pytest.raises(ValueError, match=f'RUC.*{problem}'):
        ruc(**options)


def test_wrong_streams():
    model, taught = ruc(), ruc(labeller=dict(type='Tutor'))
    for net, data in ((model, streams()), (taught, rows())):
        with pytest.raises(ValueError, match="'labelled' if and only if it has a labeller"):
            net.loss(**data)
    with pytest.raises(ValueError, match=r"four views of the stream 'unlabelled' and got 2.*unlabelled=\[\[\], weak"):
        model.loss(streams()['unlabelled'])
    short = streams()
    short['labelled'] = short['labelled']._replace(views=short['labelled'].views[:2])
    with pytest.raises(ValueError, match="four views of the stream 'labelled' and got 2"):
        taught.loss(**short)
