"""GCC against a slow transcription."""
import copy
import math

import pytest
import torch
from small_models import B, D, FlatNet, K, N, assert_same, batch, disturb, gradients, views
from torch import nn

from mmcluster.models.clusterers import GCC, ContrastiveClusterer
from mmcluster.models.heads import LinearClusterHead
from mmcluster.models.necks import MLPProjector
from mmcluster.registry import MODELS
from mmcluster.structures import TEST_STREAM, Batch

pytestmark = pytest.mark.usefixtures('engine')
M = 3
PAPER = dict(memory_decay=0.6, symmetric_weights=True, both_anchors=True, self_contrast=False)


def gcc(seed=0, **kwargs):
    torch.manual_seed(seed)
    model = GCC(FlatNet(), MLPProjector(6, 8, D, norm=False), LinearClusterHead(6, K), bank=dict(num_samples=N),
                **kwargs).train()
    disturb(model.head)
    generator = torch.Generator().manual_seed(seed)
    model.bank.fill(neighbors=torch.randint(N, (N, 6), generator=generator),
                    degree=torch.randint(3, 9, (N,), generator=generator))
    return model


def step(model, size=B):
    """Streams of a step along the graph: the first three neighbors, row by row, and one of the six."""
    rows = batch(size=size)
    lists = model.bank.read('neighbors', rows.index)
    return dict(batch=rows, near=Batch(views(1, size * M, 1), lists[:, :M].flatten()),
                neighbor=Batch(views(2, size, 1), lists[:, 4]))


def unit(rows):
    return [row / row.square().sum().sqrt() for row in rows]


def slow_losses(model, streams):
    """One anchor and one column at a time. Batch norm sees both views together and each set of neighbors apart."""
    rows, near = streams['batch'], streams['near']
    h = model.backbone(torch.cat(rows.views))
    z = unit(model.projector(h))
    others = [unit(model.projector(model.backbone(near.views[0][m::M]))) for m in range(M)]
    degree, terms = model.bank.field('degree'), []

    def weight(i, m):
        own = (M / degree[rows.index[i]]).sqrt() if model.symmetric_weights else 1
        return own * (M / degree[near.index[i * M + m]]).sqrt()

    for view in range(2 if model.both_anchors else 1):
        anchors, partners = (z[:B], z[B:]) if view == 0 else (z[B:], z[:B])
        for i in range(B):
            def e(row):
                return ((anchors[i] * row).sum() / model.temperature).exp()
            positive = e(partners[i])
            rest = sum(e(anchors[j]) for j in range(B) if j != i or model.self_contrast)
            rest = rest + sum(e(partners[j]) for j in range(B) if j != i)
            for m in range(M):
                scale = [1 if model.symmetric_weights else weight(j, m) for j in range(B)]
                positive = positive + weight(i, m) * e(scale[i] * others[m][i])
                rest = rest + sum(e(scale[j] * others[m][j]) for j in range(B) if j != i)
            terms.append(-(positive / rest).log())
    p = model.head(h[:B]).softmax(1)
    q = model.head(model.backbone(streams['neighbor'].views[0])).softmax(1)
    p_columns, q_columns = (unit([prob[:, k] for k in range(K)]) for prob in (p, q))
    clusters = [[(a * b).sum() for b in q_columns] for a in p_columns]
    contrast = sum(-torch.stack(row).log_softmax(0)[k] for k, row in enumerate(clusters)) / K
    gap = math.log(K) + sum(p[:, k].mean() * p[:, k].mean().log() for k in range(K))
    return model.rgc_weight * sum(terms) / len(terms), contrast + model.entropy_weight * gap, gap


@pytest.mark.parametrize('options', [{}, PAPER, dict(temperature=0.4, rgc_weight=0.7, entropy_weight=3.)])
def test_against_the_slow_loss(options):
    model = gcc(**options)
    slow, streams = copy.deepcopy(model), step(model)
    losses = model(data_samples=streams, mode='loss')
    features, assignments, gap = slow_losses(slow, streams)
    torch.testing.assert_close(losses['loss_features'], features)
    torch.testing.assert_close(losses['loss_assignments'], assignments)
    torch.testing.assert_close(losses['entropy_gap'], gap.detach(), rtol=1e-4, atol=1e-6)
    assert not losses['entropy_gap'].requires_grad
    (losses['loss_features'] + losses['loss_assignments']).backward()
    (features + assignments).backward()
    assert_same(gradients(model), gradients(slow), atol=1e-5)
    assert len(gradients(model)) == len(list(model.parameters())), 'every part trains'


@pytest.mark.parametrize('options', [{}, PAPER])
def test_the_pretext_stage(options):
    """No graph, no clusters; the positive is in the denominator."""
    model = gcc(**options)
    losses = model(data_samples=dict(batch=batch()), mode='loss')
    assert {name for name in losses if name.startswith('loss')} == {'loss_features'}
    z = unit(copy.deepcopy(model).project(torch.cat(batch().views)))
    terms = []
    for i in range(2 * B if model.both_anchors else B):
        e = [((z[i] * row).sum() / 0.1).exp() for row in z]
        terms.append(-(e[(i + B) % (2 * B)] / (sum(e) - (0 if model.self_contrast else e[i]))).log())
    torch.testing.assert_close(losses['loss_features'], 2 * sum(terms) / len(terms))
    losses['loss_features'].backward()
    assert not any(name.startswith('head') for name in gradients(model))


def test_the_memory_is_keyed_by_the_index():
    """The last four projections of the second view; the mean is not scaled to unit length."""
    model, kept = gcc(), {}
    for seed in range(6):
        rows = batch(seed)
        with torch.no_grad():
            z = copy.deepcopy(model).project(torch.cat(rows.views))[B:]
            model.loss(rows)
        for index, row in zip(rows.index.tolist(), z):
            kept.setdefault(index, []).append(row)
    features, seen = model.remembered()
    assert seen.tolist() == [index in kept for index in range(N)]
    for index, found in kept.items():
        torch.testing.assert_close(features[index], torch.stack(found[-4:]).mean(0))
    counts = [len(kept.get(index, [])) for index in range(N)]
    assert max(counts) > 4 and model.bank.field('seen').tolist() == counts
    assert features.norm(dim=1)[torch.tensor(counts) > 1].max() < 1 and not model.bank.field('memory').requires_grad
    averaged = gcc(memory_decay=0.6)
    assert averaged.bank.field('memory').shape == (N, 1, D)


def test_the_released_network():
    """The projector is Linear, ReLU, Linear; the head one linear layer on the same vector."""
    model = gcc()
    assert (model.temperature, model.rgc_weight, model.entropy_weight, model.num_clusters) == (0.1, 2., 2., K)
    assert [tuple(p.shape) for p in model.head.parameters()] == [(K, 6), (K,)]
    assert [tuple(p.shape) for p in model.projector.parameters()] == [(8, 6), (8,), (D, 8), (D,)]
    assert {name: tuple(model.bank.field(name).shape) for name in model.bank.fills} == dict(
        memory=(N, 4, D), seen=(N,), neighbors=(N, 6), degree=(N,))


def test_batch_norm_sees_both_views_together_and_neighbors_apart():
    model, seen = gcc(), []
    model.backbone.bn.register_forward_pre_hook(lambda module, args: seen.append(len(args[0])))
    model.loss(**step(model))
    assert seen == [2 * B, B, B, B, B]


def test_laws():
    """Rows may be permuted; clusters may be renamed."""
    model = gcc()
    streams, order, names = step(model), torch.randperm(B), torch.randperm(K)
    moved = dict(batch=Batch([view[order] for view in streams['batch'].views], streams['batch'].index[order]),
                 near=Batch([streams['near'].views[0].view(B, M, 1, 4, 4)[order].flatten(0, 1)],
                            streams['near'].index.view(B, M)[order].flatten()),
                 neighbor=Batch([streams['neighbor'].views[0][order]], streams['neighbor'].index[order]))
    renamed = gcc()
    with torch.no_grad():
        for value in renamed.head.fc.parameters():
            value.copy_(value[names])
    found, permuted, other = gcc().loss(**streams), gcc().loss(**moved), renamed.loss(**streams)
    for name in ('loss_features', 'loss_assignments', 'entropy_gap'):
        torch.testing.assert_close(permuted[name], found[name], rtol=1e-4, atol=1e-6)
        torch.testing.assert_close(other[name], found[name], rtol=1e-4, atol=1e-6)


def test_outputs():
    model = gcc().eval()
    x = views()[0]
    embed, logits = model.outputs(x)
    assert torch.equal(embed, model.backbone(x)) and torch.equal(logits, model.head(embed))
    assert model.deployed() == (model.backbone, None, model.head)
    torch.testing.assert_close(model.project(x), nn.functional.normalize(model.projector(embed), dim=1))
    found, = model(data_samples={TEST_STREAM: Batch([x], torch.arange(B))}, mode='predict')
    torch.testing.assert_close(found['prob'], logits.softmax(1))


def test_losses_in_float32():
    exact, model = gcc().loss(**step(gcc())), gcc()
    with torch.autocast('cpu', dtype=torch.bfloat16):
        losses = model.loss(**step(model))
    assert {value.dtype for value in losses.values()} == {torch.float32}
    for name in ('loss_features', 'loss_assignments'):
        torch.testing.assert_close(losses[name], exact[name], rtol=0.05, atol=0.05)
    (losses['loss_features'] + losses['loss_assignments']).backward()
    assert all(parameter.grad.isfinite().all() for parameter in model.parameters())


@pytest.mark.parametrize('size', [2, B])
@pytest.mark.parametrize('options', [{}, PAPER], ids=['release', 'paper'])
def test_a_batch_with_fewer_rows_than_clusters_trains(size, options):
    """As on Tiny-ImageNet, 128 rows and 200 clusters."""
    model, course = gcc(**options), []
    model.head = LinearClusterHead(6, 3 * B)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    for _ in range(40):
        losses = model.loss(**step(model, size))
        optimizer.zero_grad()
        (losses['loss_features'] + losses['loss_assignments']).backward()
        assert all(parameter.grad.isfinite().all() for parameter in model.parameters())
        assert any(parameter.grad.abs().sum() for parameter in model.head.parameters())
        optimizer.step()
        course.append([losses[name].item() for name in ('loss_features', 'loss_assignments')])
    assert all(math.isfinite(value) for values in course for value in values)
    assert all(end < start for start, end in zip(course[0], course[-1]))


def test_ours_is_built():
    cfg = dict(type='GCC', backbone=dict(type='FlatNet'), temperature=0.3, bank=dict(num_samples=N),
               projector=dict(type='MLPProjector', in_channels=6, hid_channels=8, out_channels=D, norm=False),
               head=dict(type='LinearClusterHead', in_channels=6, num_clusters=K))
    model = MODELS.build(cfg)
    assert type(model) is GCC and isinstance(model, ContrastiveClusterer)
    assert model.temperature == 0.3
    with pytest.raises(ValueError, match='GCC: num_clusters must be at least 2, got 1'):
        MODELS.build(dict(cfg, head=dict(cfg['head'], num_clusters=1)))
    with pytest.raises(ValueError, match='GCC keeps features and neighbors of every image: give it bank'):
        MODELS.build(dict(cfg, bank=None))


@pytest.mark.parametrize('streams, message', [
    (('batch', 'near'), "'near' and 'neighbor' come together"),
    (('batch', 'neighbor'), "'near' and 'neighbor' come together")])
def test_half_a_graph(streams, message):
    model = gcc()
    with pytest.raises(ValueError, match=message):
        model.loss(**{name: value for name, value in step(model).items() if name in streams})


def test_a_single_view():
    with pytest.raises(ValueError, match='GCC contrasts two views .* and got 1'):
        gcc().loss(Batch(views()[:1], torch.arange(B)))
