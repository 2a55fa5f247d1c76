"""TURTLE and TEMI as clusterers, what stands for their backbone, and stored views of features."""
import numpy as np
import pytest
import torch
from small_models import K, N, assert_same, gradients
from sync_guard import SyncGuard

from mmcluster.apis.feature_reducer import FeatureReducer
from mmcluster.datasets import IndexedDataset
from mmcluster.datasets.transforms import StoredView
from mmcluster.functional.losses.contrast import unit_rows
from mmcluster.functional.losses.temi import temi_loss
from mmcluster.functional.losses.turtle import cold_heads, fit_inner, start_heads, turtle_loss, with_ones
from mmcluster.functional.rng import Draws
from mmcluster.models import TEMI, TURTLE, ViewPreprocessor, WhitenedFeatures
from mmcluster.models.heads import CosineClusterHead, TaskHead
from mmcluster.structures import Batch, Key

pytestmark = pytest.mark.usefixtures('engine')
RAW, WIDTHS = dict(type='Pixels'), [4, 3]
BANK = dict(num_samples=N)


def turtle(seed=0, heads=2, **options):
    torch.manual_seed(seed)
    head = dict(type='MultiHead', num_heads=heads, head=dict(
        type='TaskHead', in_channels=7, num_clusters=K, widths=WIDTHS))
    return TURTLE(head, backbone=RAW, **{**dict(bank=BANK, inner_lr=[0.1, 0.01], inner_steps=3), **options}).train()


def temi(seed=0, **options):
    torch.manual_seed(seed)
    head = dict(type='MultiHead', num_heads=3, head=dict(
        type='CosineClusterHead', in_channels=7, num_clusters=K, hid_channels=6, bottleneck=5))
    model = TEMI(head, backbone=RAW, **{**dict(bank=BANK, num_neighbors=3), **options})
    model.init_weights()
    return model.train()


def features(rows=12, seed=0):
    return torch.randn(rows, 7, generator=torch.Generator().manual_seed(seed))


# ---- TURTLE

def test_turtle_is_its_equations():
    model, x = turtle(), features()
    torch.manual_seed(5)
    with SyncGuard():
        losses = model.loss(Batch([x], torch.arange(12)))
    losses['loss_turtle'].backward()
    torch.manual_seed(5)
    starts = [cold_heads(start_heads(2, K, width)) for width in WIDTHS]
    spaces, other = x.split(WIDTHS, 1), turtle()
    logits = torch.stack([head.spaces(x) for head in other.head.heads], 1)
    labels = torch.stack([head(x).softmax(1) for head in other.head.heads])
    torch.testing.assert_close(labels, logits.softmax(-1).mean(0), msg='the head deploys the labels')
    rates = torch.tensor([0.1, 0.01])[:, None, None]
    expected = turtle_loss(logits, fit_inner([with_ones(z) for z in spaces], labels.detach(), starts, rates, 3)[1], 10.)
    expected.heads.sum().backward()
    torch.testing.assert_close(losses['loss_turtle'], expected.heads.sum())
    assert_same(gradients(model), gradients(other))


def test_warm_heads_are_buffers_and_go_on():
    model = turtle(warm=True)
    for _ in range(2):
        model.loss(Batch([features()], torch.arange(12)))
    assert model.inner_step == 6 and model.inner_0.shape == (3, 2, K, 5) and model.inner_1.shape == (3, 2, K, 4)
    assert {'inner_0', 'inner_1', 'inner_step'} < set(model.state_dict())
    assert not any('inner' in name for name in turtle().state_dict())
    resumed = turtle(seed=1, warm=True)
    resumed.load_state_dict(model.state_dict())
    first, second = (each.loss(Batch([features()], torch.arange(12)))['loss_turtle'] for each in (model, resumed))
    torch.testing.assert_close(first, second)


def test_turtle_keeps_the_labels_that_can_be_learnt():
    model = turtle()
    model.bank.fill(feat=torch.cat([4 * torch.nn.functional.one_hot(torch.arange(N) % K, 4), torch.zeros(N, 3)], 1))
    logits = torch.zeros(N, 2, K)
    logits[torch.arange(N), 0, torch.randperm(N) % K] = 1
    logits[torch.arange(N), 1, torch.arange(N) % K] = 1
    losses = model.selection_losses(logits)
    assert losses.argmin() == 1 and model.keep_if_better(losses) and model.best_so_far.head_index == 1


@pytest.mark.parametrize(('options', 'message'), [
    (dict(inner_lr=[1., 1., 1.]), '3 rates for 2 heads'), (dict(bank=None), 'task heads'), (dict(inner_lr=0.), 'inner_lr'),
    (dict(gamma=-1.), 'gamma')])
def test_turtle_refuses(options, message):
    with pytest.raises(ValueError, match=message):
        turtle(**options)


def test_spaces_must_make_up_the_row():
    with pytest.raises(ValueError, match='do not make up'):
        TaskHead(7, K, [4, 4])


# ---- TEMI

def test_temi_is_its_equations():
    model, other = temi(), temi()
    anchor, neighbor = features(), features(seed=1)
    with SyncGuard():
        losses = model.loss(Batch([anchor], torch.arange(12)), Batch([neighbor], torch.arange(12) + 12))
    losses['loss_temi'].backward()
    student, teacher = (torch.stack([heads(anchor), heads(neighbor)], 1) for heads in (other.head, other.teacher.head))
    torch.testing.assert_close(student, teacher, msg='they start equal')
    expected = temi_loss(student, teacher, torch.full((3, K), 1 / K))
    expected.total.backward()
    torch.testing.assert_close(losses['loss_temi'], expected.total)
    torch.testing.assert_close(model.prior, expected.prior)
    assert_same(gradients(model), gradients(other))


def test_the_teacher_follows_and_is_deployed():
    model = temi(decay=0.5)
    before = model.teacher.head.heads[1].fc1.weight.clone()
    with torch.no_grad():
        model.head.heads[1].fc1.weight.add_(1)
    model.loss(Batch([features()], torch.arange(12)), Batch([features(seed=1)], torch.arange(12)))
    torch.testing.assert_close(model.teacher.head.heads[1].fc1.weight, before + 0.5)
    model.best_so_far.keep_if_better(model._candidates(1), torch.tensor(0.), 1)
    torch.testing.assert_close(model.eval().logits(features()), model.teacher.head.heads[1](features()))


def test_the_last_layer_rests_while_it_is_told_to():
    model = temi(last_layer=0.)
    streams = Batch([features()], torch.arange(12)), Batch([features(seed=1)], torch.arange(12))
    model.loss(*streams)['loss_temi'].backward()
    assert model.head.heads[0].last.weight.grad is None and model.head.heads[0].fc2.weight.grad is not None
    model.last_layer = 1.
    model.loss(*streams)['loss_temi'].backward()
    assert model.head.heads[0].last.weight.grad is not None


def test_temi_prefers_heads_that_agree_on_neighbours():
    model, group = temi(), torch.arange(N) % K
    rows = torch.stack([(torch.arange(N) + K * step) % (N - N % K) for step in (1, 2, 3)], 1)
    model.bank.fill(neighbors=torch.cat([-torch.ones(N, 1, dtype=torch.long), rows], 1))
    logits = torch.zeros(N, 3, K)
    logits[torch.arange(N), 0, torch.randperm(N) % K] = 1
    logits[torch.arange(N), 1, group] = 1
    logits[:, 2, 0] = 1
    assert model.selection_losses(logits).argmin() == 1


def test_the_cosine_head_compares_directions():
    head = CosineClusterHead(7, K, 6, 5)
    head.init_weights()
    assert head.fc1.weight.abs().max() < 0.12 and (head.fc1.bias == 0).all() and head(features()).abs().max() <= 1
    with torch.no_grad():
        before, hidden = head(features()), head.fc1(features()).double()
        hidden = hidden * (1 + torch.erf(hidden / 2 ** 0.5)) / 2        # GELU
        rows = unit_rows(hidden @ head.fc2.weight.double().T)
        torch.testing.assert_close(before.double(), rows @ unit_rows(head.last.weight.double()).T, rtol=1e-4, atol=1e-5)
        head.last.weight.mul_(3)
        head.gain.mul_(2)
    torch.testing.assert_close(head(features()), 2 * before)


# ---- features in the place of images

def test_whitening_is_the_reducers(tmp_path):
    x = np.random.RandomState(0).randn(400, 30) * np.geomspace(1, 0.1, 30) + 3
    np.save(tmp_path / 'x.npy', np.stack([x, 0 * x, 0 * x], 1))
    model = WhitenedFeatures(30, 8, str(tmp_path / 'x.npy'))
    model.init_weights()
    expected = FeatureReducer(8).fit(x).transform(x)
    np.testing.assert_allclose(model(torch.from_numpy(x).float()).detach(), expected, atol=1e-4)
    with pytest.raises(ValueError, match='fewer out_channels'):
        WhitenedFeatures(31, 8, str(tmp_path / 'x.npy')).init_weights()


def test_stored_views_are_drawn_by_kind_and_by_row_alone():
    x = torch.arange(7.).repeat(40, 1)[:, :, None] + torch.zeros(2)      # the view's number is its value
    drawn = {kind: StoredView(kind)(x, Draws(torch.arange(40), torch.arange(40), 0))[:, 0] for kind in ('weak', 'strong')}
    assert set(drawn['weak'].tolist()) == {1, 2, 3} and set(drawn['strong'].tolist()) == {4, 5, 6}
    alone = StoredView('weak')(x[7:8], Draws(torch.arange(7, 8), torch.arange(7, 8), 0))
    assert alone[0, 0] == drawn['weak'][7]
    with pytest.raises(ValueError, match='--draws'):
        StoredView('weak')(x[:, :2], Draws(torch.arange(40), torch.arange(40), 0))


def test_a_data_set_of_stored_views():
    x = np.random.RandomState(0).randn(6, 5, 3).astype(np.float16)
    data = IndexedDataset(dict(type='ArraySource', array=x))
    weak, strong = [StoredView('weak')], [StoredView('strong')]
    prepare = ViewPreprocessor([0.], [1.], views=dict(unlabelled=[weak, strong]))
    rows = data[[Key(i, 'unlabelled', i) for i in range(6)]]
    views = prepare(rows, True)['data_samples']['unlabelled'].views
    for view, stored in zip(views, (x[:, 1:3], x[:, 3:])):
        assert all(any(np.array_equal(row, one) for one in choices) for row, choices in zip(view.numpy(), stored))
    plain, = prepare(rows, False)['data_samples']['unlabelled'].views
    assert np.array_equal(plain.numpy(), x[:, 0])
