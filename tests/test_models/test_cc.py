"""CC against a slow transcription."""
import copy
import math

import pytest
import torch
from small_models import B, D, FlatNet, K, assert_same, batch, gradients, views
from torch import nn

from mmcluster.models.clusterers import CC, ContrastiveClusterer, TwoLevelClusterer
from mmcluster.models.heads import MLPClusterHead
from mmcluster.models.necks import MLPProjector
from mmcluster.registry import MODELS
from mmcluster.structures import TEST_STREAM, Batch

pytestmark = pytest.mark.usefixtures('engine')


def cc(seed=0, **kwargs):
    torch.manual_seed(seed)
    return CC(FlatNet(), MLPProjector(6, 8, D, norm=False), MLPClusterHead(6, K), **kwargs).train()


def slow_contrast(rows, temperature):
    """One row at a time: -log of the share of its partner, half the rows away, among all rows but itself."""
    rows, terms = [row / row.square().sum().sqrt() for row in rows], []
    for i in range(len(rows)):
        similar = {j: ((rows[i] * rows[j]).sum() / temperature).exp() for j in range(len(rows)) if j != i}
        terms.append(-(similar[(i + len(rows) // 2) % len(rows)] / sum(similar.values())).log())
    return sum(terms) / len(terms)


def slow_losses(model, first, second):
    """Loss between images, between clusters, and what the cluster sizes lack."""
    h = [model.backbone(view) for view in (first, second)]
    prob = [model.head(rows).exp() / model.head(rows).exp().sum(1, keepdim=True) for rows in h]
    gap = 0
    for view in prob:
        for m in range(K):
            share = view[:, m].sum() / len(view)
            gap = gap + share * share.log() + math.log(K) / K
    clusters = slow_contrast([view[:, m] for view in prob for m in range(K)], model.cluster_temperature)
    return slow_contrast(list(model.projector(torch.cat(h))), model.temperature), clusters, gap


@pytest.mark.parametrize('options', [{}, dict(temperature=0.2, cluster_temperature=0.7)])
def test_against_the_slow_loss(options):
    model = cc(**options)
    slow = copy.deepcopy(model)
    losses = model(data_samples=dict(batch=batch()), mode='loss')
    instance, clusters, gap = slow_losses(slow, *batch().views)
    torch.testing.assert_close(losses['loss_instance'], instance)
    torch.testing.assert_close(losses['loss_cluster'], clusters + gap)
    torch.testing.assert_close(losses['entropy_gap'], gap.detach(), rtol=1e-4, atol=1e-6)
    assert not losses['entropy_gap'].requires_grad
    (losses['loss_instance'] + losses['loss_cluster']).backward()
    (instance + clusters + gap).backward()
    assert_same(gradients(model), gradients(slow))
    assert_same(model.state_dict(), slow.state_dict())
    assert len(gradients(model)) == len(list(model.parameters())), 'every part trains'


def test_the_released_network_and_temperatures():
    """Both branches are Linear, ReLU, Linear on the same vector, without batch norm."""
    model = cc()
    assert (model.temperature, model.cluster_temperature, model.num_clusters) == (0.5, 1.0, K)
    assert [tuple(p.shape) for p in model.head.parameters()] == [(6, 6), (6,), (K, 6), (K,)]
    assert [tuple(p.shape) for p in model.projector.parameters()] == [(8, 6), (8,), (D, 8), (D,)]
    assert not any(isinstance(part, nn.BatchNorm1d) for part in (*model.head.modules(), *model.projector.modules()))


def test_images_without_clusters():
    model = cc()
    losses = model(data_samples=dict(instance_only=batch()), mode='loss')
    assert {name for name in losses if name.startswith('loss')} == {'loss_instance'}
    torch.testing.assert_close(losses['loss_instance'], cc().loss(batch())['loss_instance'])
    half = cc(instance_weight=0.5).loss(instance_only=batch())['loss_instance']
    torch.testing.assert_close(half, 0.5 * losses['loss_instance'])
    with pytest.raises(ValueError, match='instance_only .* instance_weight is 0: leave the stream out'):
        cc(instance_weight=0.).loss(instance_only=batch())
    losses['loss_instance'].backward()
    assert not any(name.startswith('head') for name in gradients(model))


@pytest.mark.parametrize('streams', [{}, dict(batch=batch(), instance_only=batch(1))])
def test_a_step_has_one_stream(streams):
    with pytest.raises(ValueError, match='rows of one stream a step.*sequential=True'):
        cc().loss(**streams)


@pytest.mark.parametrize('stream', ['batch', 'instance_only'])
def test_a_single_view(stream):
    with pytest.raises(ValueError, match=r'CC contrasts two views .* and got 1; give .*views=\[view, view\]'):
        cc().loss(**{stream: Batch(views()[:1], torch.arange(B))})


def test_laws():
    """Rows may be permuted and views exchanged; clusters may be renamed."""
    found, order, names = cc().loss(batch()), torch.randperm(B), torch.randperm(K)
    renamed = cc()
    with torch.no_grad():
        for value in renamed.head.fc2.parameters():
            value.copy_(value[names])
    for other in (cc().loss(Batch([view[order] for view in views()], torch.arange(B))),
                  cc().loss(Batch(views()[::-1], torch.arange(B))), renamed.loss(batch())):
        for name in ('loss_instance', 'loss_cluster', 'entropy_gap'):
            torch.testing.assert_close(other[name], found[name], rtol=1e-4, atol=1e-6)


def test_outputs():
    model = cc().eval()
    x = views()[0]
    embed, logits = model.outputs(x)
    assert torch.equal(embed, model.backbone(x)) and torch.equal(logits, model.head(embed)) and model.bank is None
    assert model.deployed() == (model.backbone, None, model.head)
    torch.testing.assert_close(model.project(x), nn.functional.normalize(model.projector(embed), dim=1))
    found, = model(data_samples={TEST_STREAM: Batch([x], torch.arange(B))}, mode='predict')
    assert torch.equal(found['embed'], embed)
    torch.testing.assert_close(found['prob'], logits.softmax(1))


def test_losses_in_float32():
    exact, model = cc().loss(batch()), cc()
    with torch.autocast('cpu', dtype=torch.bfloat16):
        losses = model.loss(batch())
    assert {value.dtype for value in losses.values()} == {torch.float32}
    for name in ('loss_instance', 'loss_cluster'):
        torch.testing.assert_close(losses[name], exact[name], rtol=0.05, atol=0)
    (losses['loss_instance'] + losses['loss_cluster']).backward()
    assert all(parameter.grad.isfinite().all() for parameter in model.parameters())


def test_a_collapse_shows_and_is_pushed_apart():
    """All images in one cluster: the gap is log K, and its gradient is finite and lowers that cluster."""
    model = cc()
    assert model.loss(batch())['entropy_gap'] < 0.5
    nn.init.zeros_(model.projector.fc2.weight)
    with torch.no_grad():
        model.head.fc2.bias[2] += 12
    losses = model.loss(batch())
    assert losses['feat_std'] < 1e-6
    assert losses['entropy_gap'].item() == pytest.approx(2 * math.log(K), rel=1e-2)
    losses['loss_cluster'].backward()
    assert model.head.fc2.bias.grad.isfinite().all() and model.head.fc2.bias.grad[2] > 0
    with torch.no_grad():
        model.head.fc2.bias[2] += 300
    model.zero_grad()
    model.loss(batch())['loss_cluster'].backward()
    assert all(parameter.grad.isfinite().all() for parameter in model.head.parameters())


def test_ours_is_built():
    cfg = dict(type='CC', backbone=dict(type='FlatNet'), temperature=0.3,
               projector=dict(type='MLPProjector', in_channels=6, hid_channels=8, out_channels=D, norm=False),
               head=dict(type='MLPClusterHead', in_channels=6, num_clusters=K))
    model = MODELS.build(cfg)
    assert type(model) is CC and isinstance(model, (TwoLevelClusterer, ContrastiveClusterer))
    assert (model.temperature, model.smallest_batch) == (0.3, dict(batch=K))
    with pytest.raises(ValueError, match='CC: num_clusters must be at least 2, got 1'):
        MODELS.build(dict(cfg, head=dict(cfg['head'], num_clusters=1)))
