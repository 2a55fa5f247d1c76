"""SPICE's second stage: E-step, inner steps, selection, the network that is kept."""
import math
import weakref

import numpy as np
import pytest
import small_models  # noqa: F401  (registers FlatNet)
import torch
from torch import nn

from mmcluster.functional.labels.estep import prototype_estep
from mmcluster.models.clusterers.spice import Entries
from mmcluster.registry import MODELS
from mmcluster.structures import Batch

N, M, K, H = 60, 24, 3, 4


def make(**options):
    torch.manual_seed(0)
    cfg = dict(type='SPICE', bank=dict(num_samples=N), batch_size=6, repeat=2, backbone=dict(type='FlatNet'),
               head=dict(type='MultiHead', num_heads=H, head=dict(type='MLPClusterHead', in_channels=6, num_clusters=K)))
    model = MODELS.build({**cfg, **options})
    model.init_weights()
    model.bank.fill(feat=torch.randn(N, 6, generator=torch.Generator().manual_seed(1)))
    return model.train()


def group(size=M, seed=0):
    generator = torch.Generator().manual_seed(seed)
    index = torch.randperm(N, generator=generator)[:size]
    return dict(batch=Batch([torch.randn(size, 1, 4, 4, generator=generator) for _ in range(2)], index))


def walk(model, groups):
    torch.manual_seed(5)
    return [step['entries'] for step in model.steps(groups)]


def test_entries_are_pairs_of_the_e_step():
    model, whole = make(), group()
    entries = walk(model, [whole])
    batch = whole['batch']
    order = batch.index.argsort()
    with torch.no_grad():
        model.eval()
        weak, strong = (model.features(view[order]) for view in batch.views)
        prob = model.head(weak).softmax(2)
    pairs = prototype_estep(prob, model.bank.feat[batch.index[order]], 0.5).index
    assert len(entries) == 2 * (pairs[0].numel() // 6) and all(e.rows.shape == (H, 6, 6) for e in entries)
    for head in range(H):
        expected = sorted((tuple(strong[row].tolist()), c) for c in range(K) for row in pairs[head, c])
        for repeat in (entries[:4], entries[4:]):
            found = sorted((tuple(row.tolist()), int(c)) for e in repeat for row, c in zip(e.rows[head], e.target[head]))
            assert [c for _, c in found] == [c for _, c in expected]
            np.testing.assert_allclose([row for row, _ in found], [row for row, _ in expected], atol=1e-6)
    assert not all(torch.equal(a.rows, b.rows) for a, b in zip(entries[:4], entries[4:])), 'walks are shuffled anew'


@pytest.mark.parametrize('options', [dict(), dict(freeze=False), dict(norm_eval=False), dict(overlap=False)])
@pytest.mark.parametrize('parts', [2, 5, M])
def test_parts_do_not_matter(options, parts):
    whole = group()['batch']
    rows = np.array_split(np.arange(M), parts)
    split = [dict(batch=Batch([view[part] for view in whole.views], whole.index[part])) for part in rows]
    for a, b in zip(walk(make(**options), [dict(batch=whole)]), walk(make(**options), split)):
        torch.testing.assert_close(a.rows, b.rows, atol=1e-6, rtol=1e-5)
        assert torch.equal(a.target, b.target)


def test_the_order_of_rows_does_not_matter():
    whole = group()['batch']
    order = torch.randperm(M)
    other = Batch([view[order] for view in whole.views], whole.index[order])
    for a, b in zip(walk(make(), [dict(batch=whole)]), walk(make(), [dict(batch=other)])):
        torch.testing.assert_close(a.rows, b.rows, atol=1e-6, rtol=1e-5)
        assert torch.equal(a.target, b.target)


@pytest.mark.parametrize('heads', [1, 10])
@pytest.mark.parametrize('repeat', [1, 8])
def test_a_frozen_network_sees_every_image_twice(heads, repeat):
    model = make(repeat=repeat, head=dict(type='MultiHead', num_heads=heads, head=dict(
        type='MLPClusterHead', in_channels=6, num_clusters=K)))
    seen = []
    model.backbone.register_forward_hook(lambda module, args, output: seen.append(len(args[0])))
    for entries in walk(model, [group()]):
        model.loss(entries)['loss_spice'].backward()
    assert sum(seen) == 2 * M
    assert all(p.grad is None for p in model.backbone.parameters())
    assert all(p.grad is not None for p in model.head.parameters())


def test_a_network_in_training_sees_strong_views_in_every_step():
    model = make(freeze=False)
    entries = walk(model, [group()])
    assert entries[0].rows.shape == (H, 6, 1, 4, 4)
    model.loss(entries[0])['loss_spice'].backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in model.backbone.fc.parameters() if p.ndim > 1)


def test_rows_without_pixels_pass_the_network_in_training():
    """Feature rows (B, F) as images: what the heads see is still the embedding, not the row."""
    generator = torch.Generator().manual_seed(2)
    index = torch.randperm(N, generator=generator)[:M]
    rows = dict(batch=Batch([torch.randn(M, 5, generator=generator) for _ in range(2)], index))
    model = make(freeze=False, backbone=nn.Linear(5, 6))
    entries = walk(model, [rows])[0]
    assert entries.rows.shape == (H, 6, 5)
    model.loss(entries)['loss_spice'].backward()
    assert model.backbone.weight.grad.abs().sum() > 0


def test_an_embedding_that_was_never_made_is_missed():
    """All rows of the bank are zero without a FeatureHook, and every prototype would be the same."""
    empty = make()
    empty.bank.fill(feat=torch.zeros(N, 6))
    with pytest.raises(RuntimeError, match='FeatureHook'):
        empty.selection_losses(torch.randn(N, H, K))


@pytest.mark.parametrize('option', [dict(repeat=0), dict(batch_size=0)])
def test_steps_that_are_none_are_refused(option):
    with pytest.raises(ValueError, match=f'{next(iter(option))} must be at least 1, got 0'):
        make(**option)


def test_parts_are_made_when_they_are_needed():
    """A frozen network never holds the views of more than the part at hand and the next one."""
    views = []

    def part(start):
        batch = Batch([torch.randn(8, 1, 4, 4) for _ in range(2)], torch.arange(start, start + 8))
        views.extend(weakref.ref(view) for view in batch.views)
        return dict(batch=batch)

    held = []
    walk(make(), (part(start) for start in range(0, M, 8) if held.append(sum(v() is not None for v in views)) is None))
    assert len(views) == 6 and max(held) <= 2


def test_batch_norm_of_a_frozen_network():
    for options, moves in ((dict(), False), (dict(norm_eval=False), True)):
        model = make(**options)
        before = model.backbone.bn.running_mean.clone()
        weights = model.backbone.fc.weight.clone()
        model.loss(walk(model, [group()])[0])['loss_spice'].backward()
        assert torch.equal(model.backbone.bn.running_mean, before) is not moves
        assert model.training and model.backbone.training is moves and not model.best_so_far.training
        assert torch.equal(model.backbone.fc.weight, weights) and model.backbone.fc.weight.grad is None


def entries_of(target, seed=0):
    return Entries(torch.randn(H, *target.shape[-1:], 6, generator=torch.Generator().manual_seed(seed)),
                   target.expand(H, -1))


@pytest.mark.parametrize('options, range_', [
    (dict(), (math.log(math.e + K - 1) - 1, math.log(math.e + K - 1))),
    (dict(double_softmax=False), (0, 100)), (dict(double_softmax=False, temperature=0.2), (0, 100))])
def test_loss_is_the_mean_of_a_slow_loop(options, range_):
    model = make(**options)
    entries = entries_of(torch.tensor([0, 1, 2, -1, 1]))
    loss = model.loss(entries)['loss_spice']
    total = []
    for h in range(H):
        rows = []
        for row, y in zip(entries.rows[h], entries.target[h]):
            z = (model.head.heads[h](row[None])[0] / options.get('temperature', 1.)).tolist()
            p = [math.exp(v) for v in z]
            p = [v / sum(p) for v in p]
            if not options:
                p = [math.exp(v) for v in p]
                p = [v / sum(p) for v in p]
            if y >= 0:
                rows.append(-math.log(p[y]))
        assert all(range_[0] <= v <= range_[1] for v in rows)
        total.append(sum(rows) / 4)
    assert loss.item() == pytest.approx(sum(total) / H, rel=1e-5)


def test_entropy_pulls_towards_equal_clusters():
    model = make(entropy_weight=2.)
    losses = model.loss(entries_of(torch.tensor([0, 0, 0, 0])))
    mean = model.head(entries_of(torch.tensor([0, 0, 0, 0])).rows).softmax(2).mean(1)
    assert losses['loss_entropy'].item() == pytest.approx(2 * (mean * mean.log()).sum(1).mean().item(), rel=1e-5)


def test_an_empty_cluster_counts_as_the_release_counts_it():
    model, one = make(entropy_weight=2.), entries_of(torch.tensor([0, 0]))
    losses = model.loss(one._replace(rows=1e5 * one.rows[:, :1].expand_as(one.rows)))     # all in one cluster
    assert losses['loss_entropy'].item() == pytest.approx(2 * (K - 1) * 1e-5 * math.log(1e-5), rel=1e-3)


def test_no_pair_is_zero_with_zero_gradient():
    model = make(entropy_weight=1.)
    losses = model.loss(entries_of(torch.full((4,), -1)))
    assert losses['loss_spice'] == 0
    sum(losses.values()).backward()
    assert all(torch.isfinite(p.grad).all() for p in model.head.parameters())
    assert all(p.grad.abs().sum() == 0 for p in model.head.parameters())


def test_too_few_rows_say_what_to_do():
    with pytest.raises(ValueError, match='at least as many'):
        walk(make(), [group(size=2)])
    with pytest.raises(ValueError, match='center_ratio'):
        walk(make(), [group(size=K)])
    with pytest.raises(ValueError, match='batch_size'):
        walk(make(batch_size=30), [group()])
    with pytest.raises(ValueError, match='bank'):
        make(bank=None)


def test_pairs_that_processes_cannot_share(monkeypatch):
    monkeypatch.setattr('mmcluster.models.clusterers.spice.get_world_size', lambda: 4)
    with pytest.raises(ValueError, match='batch_size=6 pairs cannot be shared by 4 processes; give'):
        walk(make(), [group()])


def test_the_lowest_loss_is_deployed():
    model = make()
    x = group()['batch'].views[0]
    logits = torch.randn(N, H, K)
    logits[:, 2] = 20 * model.bank.feat[:, :K]     # a head that agrees with the embedding
    losses = model.selection_losses(logits)
    assert losses.shape == (H,) and losses.argmin() == 2
    assert model.keep_if_better(losses) and model.best_so_far.head_index == 2
    model.eval()
    kept = model.outputs(x)[1]
    torch.testing.assert_close(kept, model.head.heads[2](model.features(x)))
    with torch.no_grad():
        for p in model.head.parameters():
            p.add_(1.)
    torch.testing.assert_close(model.outputs(x)[1], kept)
    assert not model.keep_if_better(losses) and not model.keep_if_better(torch.full((H,), float('nan')))
    torch.testing.assert_close(model.outputs(x)[1], kept)


@pytest.mark.parametrize('options, saved', [(dict(), False), (dict(freeze=False), True), (dict(norm_eval=False), True)])
def test_the_embedding_is_saved_where_it_cannot_be_made_again(options, saved):
    assert ('bank.feat' in make(**options).state_dict()) is saved


def test_heads_learn_three_groups():
    """Three groups of points: heads separate them, the loss falls towards its floor and the best head is right."""
    torch.manual_seed(0)
    centers = nn.functional.normalize(torch.randn(K, 6), dim=1)
    truth = torch.arange(N) % K
    points = centers[truth] + 0.08 * torch.randn(N, 6)
    model = make(backbone=nn.Identity(), batch_size=12, repeat=8)
    model.bank.fill(feat=points)
    optimizer = torch.optim.Adam(model.head.parameters(), lr=0.005)
    for _ in range(20):
        rows = torch.randperm(N)[:48]
        views = [points[rows] + s * torch.randn(48, 6) for s in (0.03, 0.1)]
        for step in model.steps([dict(batch=Batch(views, rows))]):
            optimizer.zero_grad()
            loss = model.loss(**step)['loss_spice']
            loss.backward()
            optimizer.step()
    floor = math.log(math.e + K - 1) - 1
    logits = model.head(points).transpose(0, 1)
    model.keep_if_better(model.selection_losses(logits))
    assert floor < model.best_so_far.loss < floor + 0.1
    label = model.eval().outputs(points)[1].argmax(1)
    assert len({(int(a), int(b)) for a, b in zip(label, truth)}) == K, 'one cluster for each group'
