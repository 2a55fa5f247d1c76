"""SeCu against a slow transcription: labels, stores, losses and gradients over several steps."""
import copy
import math

import pytest
import torch
from small_models import B, D, FlatNet, K, N, assert_same, batch, disturb, gradients, views
from sync_guard import SyncGuard
from torch.nn.functional import cosine_similarity

from mmcluster.models import Boost
from mmcluster.models.clusterers import SeCu
from mmcluster.models.heads import CenterHead
from mmcluster.models.necks import MLPProjector
from mmcluster.structures import TEST_STREAM, Batch

pytestmark = pytest.mark.usefixtures('engine')


def secu(seed=0, predictor=False, **kwargs):
    torch.manual_seed(seed)
    model = SeCu(FlatNet(), MLPProjector(6, 8, D), K, **{'heads': [3, K], 'bank': dict(num_samples=N), **kwargs},
                 predictor=MLPProjector(D, 8, D) if predictor else None)
    disturb(model.heads, 5)       # other than those of the epoch before
    return model.train()


class Slow:
    """One head, one row, one centre at a time; duals or counts and labels as Python numbers."""

    def __init__(self, model):
        self.model, self.sizes = model, [head.num_clusters for head in model.heads]
        self.label = [[-1] * len(self.sizes) for _ in range(N)]
        self.dual = [[0.] * size for size in self.sizes]
        self.counts = [[0] * size for size in self.sizes]

    def cost(self, h, old, k):
        """What the entropy of the sizes loses when an image goes from its old cluster to k."""
        now, moved = list(self.counts[h]), list(self.counts[h])
        moved[k] += 1
        if old >= 0:
            moved[old] -= 1
        total = max(sum(moved), 1)
        return sum(n / total * math.log(n / total) for n in moved if n) - sum(
            n / total * math.log(n / total) for n in now if n)

    def step(self, batch):
        model = self.model
        rows = [model.neck(model.backbone(view)) for view in batch.views]
        rows += [model.predictor(row) for row in rows] if model.predictor is not None else []
        loss_c = loss_x = 0
        for h, size in enumerate(self.sizes):
            weight = model.heads[h].weight
            kept = model.previous[sum(self.sizes[:h]):sum(self.sizes[:h + 1])]
            near = [cosine_similarity(row.detach()[:, None], weight[None], dim=2) for row in rows]
            new = []
            for i, index in enumerate(batch.index.tolist()):
                cost = [-sum(view[i, k].item() for view in near) / len(near) for k in range(size)]
                if model.entropy_weight is None:
                    cost = [c - rho for c, rho in zip(cost, self.dual[h])]
                else:
                    cost = [c + model.entropy_weight * self.cost(h, self.label[index][h], k)
                            for k, c in enumerate(cost)]
                new.append(min(range(size), key=cost.__getitem__))
            old = [self.label[index][h] for index in batch.index.tolist()]
            for i, index in enumerate(batch.index.tolist()):
                self.label[index][h] = new[i]
            for k in range(size):
                share = new.count(k) / len(new)
                self.dual[h][k] = max(0., self.dual[h][k] - model.dual_rate * (share - 0.9 / size))
                self.counts[h][k] += new.count(k) - old.count(k)
            seen = [cosine_similarity(row[:, None], kept[None], dim=2) / model.temperature for row in rows]
            for v in range(len(rows)):
                for i in range(B):
                    logits = near[v][i].detach().clone() / model.center_temperature
                    logits[new[i]] = near[v][i, new[i]] / model.center_temperature
                    loss_c = loss_c - logits.log_softmax(0)[new[i]] / B
                    target = 0.8 * seen[1 - v % 2][i].detach().softmax(0)
                    target[new[i] if old[i] < 0 else old[i]] += 0.2
                    loss_x = loss_x - (target * seen[v][i].log_softmax(0)).sum() / B
        count = len(rows) * len(self.sizes)
        return loss_x / count, loss_c / count


@pytest.mark.parametrize('options', [
    {}, dict(predictor=True), dict(entropy_weight=20., temperature=0.2),
    dict(predictor=True, entropy_weight=300., center_temperature=1.)], ids=str)
def test_three_steps_against_the_slow_ones(options):
    """The last batch meets images that have labels, and such that have none."""
    model = secu(**options)
    slow = Slow(copy.deepcopy(model))
    for step in range(3):
        rows = batch(step)
        model.zero_grad()
        slow.model.zero_grad()
        losses = model(data_samples=dict(batch=rows), mode='loss')
        found = slow.step(rows)
        torch.testing.assert_close(losses['loss_representation'], found[0], rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(losses['loss_center'], found[1], rtol=1e-4, atol=1e-5)
        (losses['loss_representation'] + losses['loss_center']).backward()
        sum(found).backward()
        assert_same(gradients(model), gradients(slow.model), atol=1e-5)
        assert model.bank.head_label.tolist() == slow.label
        if model.dual is None:
            assert model.counts.tolist() == sum(slow.counts, [])
        else:
            torch.testing.assert_close(model.dual, torch.tensor(sum(slow.dual, [])))
    assert len(gradients(model)) == len(list(model.parameters())), 'every part trains'
    assert ((model.bank.head_label < 0).any(1)).any() and (model.bank.head_label >= 0).any()


def test_the_representation_learns_from_kept_centres_and_old_labels():
    model = secu()
    model.loss(batch())
    before, rows = model.bank.head_label.clone(), batch()
    disturb(model.heads, 8, scale=3.)
    losses = model.loss(rows)
    moved = (model.bank.read('head_label', rows.index) != before[rows.index])[:, 1].float().mean()
    assert losses['moved_share'] == moved > 0
    losses['loss_representation'].backward()
    assert all(head.weight.grad is None for head in model.heads)
    assert not torch.equal(model.previous, model.centers())
    model.keep_centers()
    assert torch.equal(model.previous, model.centers()) and not model.previous.requires_grad


def test_the_network_learns_nothing_from_the_loss_of_centres():
    model = secu()
    model.loss(batch())['loss_center'].backward()
    assert set(gradients(model)) == {'heads.0.weight', 'heads.1.weight'}


@pytest.mark.parametrize('heads, sizes', [(1, [K]), (3, [K, 2 * K, 3 * K]), ([2, 9, K], [2, 9, K])])
def test_heads(heads, sizes):
    model = secu(heads=heads).eval()
    assert [head.num_clusters for head in model.heads] == sizes and model.num_clusters == K
    assert model.deployed()[2] is model.heads[sizes.index(K)]
    assert (model.bank.head_label == -1).all() and model.bank.head_label.shape == (N, len(sizes))
    model.loss(batch())
    assert len(model.dual) == len(model.previous) == sum(sizes)


def test_outputs():
    model, x = secu().eval(), views()[0]
    embed, logits = model.outputs(x)
    torch.testing.assert_close(embed, model.neck(model.backbone(x)))
    near = cosine_similarity(embed[:, None], model.heads[1].weight[None], dim=2)
    torch.testing.assert_close(logits, near / 0.05, rtol=1e-4, atol=1e-5)
    found, = model(data_samples={TEST_STREAM: Batch([x], torch.arange(B))}, mode='predict')
    torch.testing.assert_close(found['prob'], logits.softmax(1))
    assert torch.equal(model.predict(x).cluster, near.argmax(1))


def test_a_booster_takes_the_head_of_the_result():
    cfg = dict(type='SeCu', backbone=dict(type='FlatNet'), num_clusters=K, heads=2,
               bank=dict(num_samples=N), neck=dict(type='MLPProjector', in_channels=6, hid_channels=8, out_channels=D))
    model = Boost(base=cfg, bank=dict(num_samples=N))
    assert type(model.head) is CenterHead and model.head.num_clusters == K
    assert model.from_base == ['backbone', 'head', 'neck']
    assert not any('previous' in name or 'heads' in name for name in model.state_dict())


def test_centres_of_any_length_and_a_zero_row():
    head = CenterHead(D, K, temperature=0.5)
    assert torch.allclose(head.weight.norm(dim=1), torch.ones(K))
    embed = torch.randn(3, D)
    embed[1] = 0
    logits = head(embed)
    with torch.no_grad():
        head.weight.mul_(torch.arange(1., K + 1)[:, None])
    torch.testing.assert_close(head(embed * 7), logits)
    assert not logits[1].any()
    with torch.autocast('cpu', dtype=torch.bfloat16):
        assert torch.equal(head(embed), logits) and head(embed.bfloat16()).dtype == torch.float32


def test_nothing_waits_for_the_device():
    for model in (secu(), secu(predictor=True, entropy_weight=50.)):
        with SyncGuard():
            losses = model.loss(batch())
            (losses['loss_representation'] + losses['loss_center']).backward()


def test_losses_in_float32():
    exact, model = secu().loss(batch()), secu()
    with torch.autocast('cpu', dtype=torch.bfloat16):
        losses = model.loss(batch())
    assert {value.dtype for value in losses.values()} == {torch.float32}
    for name in ('loss_representation', 'loss_center'):
        torch.testing.assert_close(losses[name], exact[name], rtol=0.1, atol=0.05)
    losses['loss_representation'].backward()
    assert all(value.isfinite().all() for value in gradients(model).values())


def test_laws():
    """Rows may be permuted and views exchanged; an image that comes twice counts once in the sizes."""
    rows, order = batch(), torch.randperm(B)
    for options in ({}, dict(entropy_weight=50.)):
        model, found = secu(**options), secu(**options).loss(rows)
        for other in (Batch([view[order] for view in rows.views], rows.index[order]),
                      Batch(rows.views[::-1], rows.index)):
            losses = secu(**options).loss(other)
            for name in ('loss_representation', 'loss_center'):
                torch.testing.assert_close(losses[name], found[name], rtol=1e-4, atol=1e-6)
        model.loss(Batch(rows.views, rows.index.clone().fill_(3)))
        if model.counts is not None:
            assert model.counts.sum() == len(model.heads)


@pytest.mark.parametrize('options, message', [
    (dict(bank=None), 'SeCu keeps the clusters of every image.*bank=dict'),
    (dict(heads=[3, 5]), r'no head has the num_clusters=4 of the result; give heads=\[3, 5\] one'),
    (dict(heads=0), 'heads must be at least 1'), (dict(heads=[1, K]), 'CenterHead: num_clusters must be at least 2'),
    (dict(temperature=0.), 'temperature must be positive'), (dict(center_temperature=0.), 'center_temperature must be'),
    (dict(size_ratio=1.1), 'size_ratio must be a share'), (dict(dual_rate=0.), 'dual_rate must be positive'),
    (dict(label_weight=2.), 'label_weight must be a share'), (dict(entropy_weight=-1.), 'entropy_weight must be')])
def test_bad_options(options, message):
    with pytest.raises(ValueError, match=message):
        secu(**options)


def test_a_single_view():
    with pytest.raises(ValueError, match=r'SeCu contrasts two views .* and got 1; give .*views=\[view, view\]'):
        secu().loss(Batch(views()[:1], torch.arange(B)))


def test_a_projector_that_does_not_say_its_width():
    neck = torch.nn.Sequential(torch.nn.Linear(6, D))
    with pytest.raises(ValueError, match='SeCu needs in_channels, the width of the embedding: Sequential does not say'):
        SeCu(FlatNet(), neck, K, heads=[K], bank=dict(num_samples=N))
    model = SeCu(FlatNet(), neck, K, heads=[K], bank=dict(num_samples=N), in_channels=D)
    assert model.heads[0].weight.shape == (K, D) and model.loss(batch())
