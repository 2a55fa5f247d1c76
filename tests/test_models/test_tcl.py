"""TCL: CC between a weak and a strong view, then boosting."""
import copy

import pytest
import torch
from small_models import B, D, FlatNet, K, N, assert_same, gradients, views
from sync_guard import SyncGuard
from torch import nn

from mmcluster.functional.labels.confident import confident_labels
from mmcluster.models.clusterers import CC, TCL
from mmcluster.models.heads import PreNormClusterHead
from mmcluster.models.necks import PreNormMLP
from mmcluster.registry import MODELS
from mmcluster.structures import Batch

pytestmark = pytest.mark.usefixtures('engine')
F = 7
LINEAR = dict(type='LinearNeck', in_channels=6, out_channels=F, norm_cfg=None)


def tcl(kind=TCL, seed=0, **kwargs):
    torch.manual_seed(seed)
    model = kind(FlatNet(), PreNormMLP(F, 8, D), PreNormClusterHead(F, K), neck=LINEAR,
                 **(dict(bank=dict(num_samples=N)) if kind is TCL else {}), **kwargs)
    with torch.no_grad():
        model.head.fc2.weight.mul_(60)     # some rows are sure
    return model.train()


def batch(count=3):
    return Batch(views(count=count), torch.randperm(N, generator=torch.Generator().manual_seed(0))[:B])


def test_parts_are_those_of_the_release():
    mlp, x = PreNormMLP(6, 10, 4), 3 * torch.randn(9, 6) + 1
    slow = nn.Sequential(mlp.bn1, nn.ReLU(), mlp.fc1, mlp.bn2, nn.ReLU(), mlp.fc2)
    kept = x.clone()
    assert torch.equal(mlp(x), slow(x)) and torch.equal(x, kept)
    head = MODELS.build(dict(type='PreNormClusterHead', in_channels=200, num_clusters=K))
    head.init_weights()
    assert (head.in_channels, head.num_clusters, head.fc1.out_features) == (200, K, 200)
    assert head.fc1.weight.std().item() == pytest.approx(0.02, rel=0.05) and not head.fc1.bias.any()
    model = tcl()
    assert (model.temperature, model.cluster_temperature, model.threshold, model.share) == (0.5, 1., 0.99, 0.5)
    x = views()[0]
    embed, logits = model.eval().outputs(x)
    torch.testing.assert_close(embed, model.neck.fc(model.backbone(x)))
    torch.testing.assert_close(logits, model.head(embed))
    torch.testing.assert_close(model.project(x), nn.functional.normalize(model.projector(embed)))


def test_before_boosting_it_is_cc():
    model, cc = tcl(), tcl(CC)
    found, expected = model.loss(batch()), cc.loss(batch())
    assert found == expected and (model.bank.label == -1).all()
    sum(value for name, value in found.items() if 'loss' in name).backward()
    sum(value for name, value in expected.items() if 'loss' in name).backward()
    assert_same(gradients(model), gradients(cc))
    only = dict(instance_only=batch())
    assert tcl(boosting=1.).loss(**only).keys() == tcl(CC).loss(**only).keys()


def slow_boosting(model, data):
    """Labels, contrast and cross-entropy, one row at a time."""
    weak, strong, still = data.views
    model.eval()
    with torch.no_grad():
        prob = model.head(model.neck.fc(model.backbone(still))).softmax(1)
    label = confident_labels(prob, model.bank.label[data.index], model.threshold, model.share)
    model.bank.label[data.index] = label
    model.train()
    h = [model.neck.fc(model.backbone(view)) for view in (weak, strong)]
    z = torch.cat([nn.functional.normalize(model.projector(rows)) for rows in h])
    terms, double = [], torch.cat([label, label])
    for i in range(2 * B):
        twin = (i + B) % (2 * B)
        kept = [j for j in range(2 * B) if j == twin or (j != i and (double[i] < 0 or double[j] != double[i]))]
        logits = z[kept] @ z[i] / model.temperature
        terms.append(logits.logsumexp(0) - z[twin] @ z[i] / model.temperature)
    log_prob = model.head(h[1]).log_softmax(1)
    classes = [m for m in range(K) if (label == m).any()]
    clusters = -sum(log_prob[label == m, m].mean() for m in classes) / max(len(classes), 1)
    return label, sum(terms) / len(terms), clusters


@pytest.mark.parametrize('threshold', [0.6, 0.99])
def test_boosting_against_the_slow_loss(threshold):
    model = tcl(boosting=1., threshold=threshold)
    model.loss(batch())
    model.bank.label[batch().index[:3]] = 2         # labels of before, of which some stay
    slow = copy.deepcopy(model)
    losses = model.loss(batch())
    label, instance, clusters = slow_boosting(slow, batch())
    assert torch.equal(model.bank.label[batch().index], label) and 0 < (label >= 0).sum() < B
    assert (model.bank.label >= 0).sum() == (label >= 0).sum(), 'no other row is touched'
    torch.testing.assert_close(losses['loss_instance'], instance)
    torch.testing.assert_close(losses['loss_cluster'], clusters)
    assert losses['labelled_share'].item() == pytest.approx((label >= 0).double().mean().item())
    (losses['loss_instance'] + losses['loss_cluster']).backward()
    (instance + clusters).backward()
    assert_same(gradients(model), gradients(slow), atol=1e-5)
    assert_same(model.state_dict(), slow.state_dict())      # batch norm saw the views in training mode, once


def test_a_label_stays_and_goes():
    """A label is kept whatever the head says, until the head is no longer sure."""
    model = tcl(boosting=1., threshold=0.6)
    data = batch()
    model.loss(data)
    sure = model.bank.label[data.index] >= 0
    model.bank.label[data.index] = torch.where(sure, 3, -1)
    model.loss(data)
    assert model.bank.label[data.index][sure].eq(3).all()
    nn.init.zeros_(model.head.fc2.weight)
    losses = model.loss(data)
    assert (model.bank.label == -1).all() and losses['loss_cluster'] == 0 == losses['labelled_share']
    sum(value for name, value in losses.items() if 'loss' in name).backward()
    assert all(parameter.grad.isfinite().all() for parameter in model.parameters())


def test_modes_are_what_they_were():
    model = tcl(boosting=1.)
    model.backbone.bn.eval()
    model.loss(batch())
    assert not model.backbone.bn.training and model.head.bn1.training and model.neck.training


def test_a_prediction_keeps_the_mode_of_each_layer_even_if_it_fails():
    model = tcl()
    model.backbone.bn.eval()
    model.predict(batch().views[0])
    with pytest.raises(RuntimeError):
        model.predict(torch.zeros(2, 1, 1, 1))
    assert not model.backbone.bn.training and model.head.bn1.training and model.training


@pytest.mark.parametrize('options, message', [
    (dict(bank=None), 'TCL keeps labels of images: give it bank'), (dict(share=1.5), 'TCL: share must be a share'),
    (dict(threshold=-1), 'TCL: threshold must be a share')])
def test_bad_options(options, message):
    with pytest.raises(ValueError, match=message):
        TCL(FlatNet(), PreNormMLP(6, 8, D), PreNormClusterHead(6, K), **{'bank': dict(num_samples=N), **options})


def test_boosting_keeps_the_weights():
    whole, half = tcl(boosting=1., threshold=0.6), tcl(boosting=1., threshold=0.6, instance_weight=0.5, cluster_weight=2.)
    found, expected = half.loss(batch()), whole.loss(batch())
    torch.testing.assert_close(found['loss_instance'], 0.5 * expected['loss_instance'])
    torch.testing.assert_close(found['loss_cluster'], 2 * expected['loss_cluster'])
    without = tcl(boosting=1., threshold=0.6, instance_weight=0., cluster_weight=0.).loss(batch())
    assert without.keys() == {'labelled_share'} and without['labelled_share'] == expected['labelled_share'] > 0


def test_boosting_needs_three_views():
    with pytest.raises(ValueError, match='TCL boosts by three views .* got 2; give data_preprocessor.views'):
        tcl(boosting=1.).loss(batch(2))


def test_nothing_waits_for_the_device():
    model, data = tcl(boosting=1., threshold=0.6), batch()
    with SyncGuard():
        losses = model.loss(data)
        sum(value for name, value in losses.items() if name.startswith('loss_')).backward()
