"""BYOL with CC's contrasts, and CC beside prototype scattering."""
from types import SimpleNamespace

import pytest
import torch
from small_models import B, D, FlatNet, K, N, assert_same, batch, gradients, parts, views
from sync_guard import SyncGuard
from torch.nn.functional import cross_entropy, normalize

from mmcluster.engine.hooks import KMeansHook
from mmcluster.models.clusterers import BYOL, BYOLCC, CC, CCPSL
from mmcluster.models.heads import MLPClusterHead
from mmcluster.models.necks import MLPProjector
from mmcluster.recipes.requirements import check_labels

pytestmark = pytest.mark.usefixtures('engine')


def byol(kind=BYOLCC, **kwargs):
    torch.manual_seed(0)
    made = parts()
    return kind(**made, **(dict(head=MLPClusterHead(D, K)) if kind is BYOLCC else {}), **kwargs).train()


def cc(kind=CCPSL, **kwargs):
    torch.manual_seed(0)
    bank = dict(bank=dict(num_samples=N)) if kind is CCPSL else {}
    model = kind(FlatNet(), MLPProjector(6, 8, D, norm=False), MLPClusterHead(6, K), **{**bank, **kwargs}).train()
    if kind is CCPSL:
        model.bank.fill(label=torch.arange(N) % (K - 1))        # one cluster is empty
    return model


def total(losses):
    return sum(value for name, value in losses.items() if name.startswith('loss_'))


def slow_contrast(rows, temperature):
    """One row at a time: minus the logarithm of its partner's share among all rows but itself."""
    rows, terms = normalize(rows, dim=1), []
    for i in range(len(rows)):
        others = [j for j in range(len(rows)) if j != i]
        partner = others.index((i + len(rows) // 2) % len(rows))
        terms.append(cross_entropy(rows[others] @ rows[i] / temperature, torch.tensor(partner)))
    return sum(terms) / len(terms)


def test_byol_with_contrasts_against_slow_losses():
    model, plain = byol(), byol(BYOL)
    losses, expected = model.loss(batch()), plain.loss(batch())
    torch.testing.assert_close(losses['loss_byol'], expected['loss_byol'], rtol=0, atol=0)
    z = byol().online(batch().views)
    torch.testing.assert_close(losses['loss_instance'], slow_contrast(torch.cat(z), 0.5))
    prob = [model.head(row).softmax(1) for row in z]
    sizes = [view.mean(0) for view in prob]
    gap = sum(torch.tensor(float(K)).log() + (size * size.log()).sum() for size in sizes)
    torch.testing.assert_close(losses['loss_cluster'], slow_contrast(torch.cat([view.t() for view in prob]), 1.) + gap)
    total(losses).backward()
    assert len(gradients(model)) == sum(parameter.requires_grad for parameter in model.parameters())


def test_the_head_has_a_momentum_copy_that_is_deployed():
    model = byol(decay=0.5)
    model.init_weights()
    before = model.teacher.head.fc2.weight.clone()
    with torch.no_grad():
        model.head.fc2.weight.add_(1.)
    model.loss(batch())
    torch.testing.assert_close(model.teacher.head.fc2.weight, before + 0.5)
    assert model.deployed() == (model.teacher.backbone, model.teacher.neck, model.teacher.head)
    assert model.eval().logits(views()[0]).shape == (B, K) and model.smallest_batch == dict(batch=K)


def test_scattering_against_a_slow_loss():
    model, plain = cc(psl_weight=0.3, psl_temperature=0.7), cc(CC)
    losses, expected = model.loss(batch()), plain.loss(batch())
    for name in ('loss_instance', 'loss_cluster', 'entropy_gap'):
        torch.testing.assert_close(losses[name], expected[name], rtol=0, atol=0)
    slow, label = cc(psl_weight=0.), model.bank.label[batch().index]
    z = [normalize(slow.projector(h)) for h in slow.vectors(batch())]
    psl = 0.
    for q, other in (z, z[::-1]):
        present = label.unique().tolist()
        mu = {m: normalize(q[label == m].sum(0), dim=0) for m in present}
        for m in present:
            counterpart = normalize(other[label == m].sum(0), dim=0).detach()
            logits = torch.stack([mu[m] @ counterpart, *[mu[m] @ mu[n] for n in present if n != m]]) / 0.7
            psl = psl - logits.log_softmax(0)[0] / len(present) / 2
    torch.testing.assert_close(losses['loss_psl'], 0.3 * psl)
    assert losses['present_clusters'] == len(label.unique())
    total(losses).backward()
    (total(slow.loss(batch())) + 0.3 * psl).backward()
    assert_same(gradients(model), gradients(slow), atol=1e-5)


def test_contrasts_keep_their_weights_beside_scattering():
    whole, half = cc().loss(batch()), cc(instance_weight=0.5, cluster_weight=2.).loss(batch())
    for name, factor in dict(loss_instance=0.5, loss_cluster=2., loss_psl=1., feat_std=1., entropy_gap=1.).items():
        torch.testing.assert_close(half[name], factor * whole[name])
    alone = cc(instance_weight=0., cluster_weight=0.).loss(batch())
    assert alone.keys() == {'loss_psl', 'present_clusters'} and alone['loss_psl'] == whole['loss_psl']


def test_scattering_without_labels_is_refused():
    runner = SimpleNamespace(model=cc(psl_weight=0.), hooks=[], train_loop=SimpleNamespace(max_epochs=4, max_iters=8))
    check_labels(runner)
    runner.model = cc()
    with pytest.raises(ValueError, match='CCPSL: psl_weight is not 0 from epoch 0 on.*KMeansHook.*is missing'):
        check_labels(runner)
    runner.hooks = [KMeansHook(output='project')]
    check_labels(runner)


def test_without_weight_it_is_cc():
    found, expected = cc(psl_weight=0.).loss(batch()), cc(CC).loss(batch())
    assert found == expected
    assert cc().loss(instance_only=batch()).keys() == cc(CC).loss(instance_only=batch()).keys()


@pytest.mark.parametrize('make, message', [
    (lambda: cc(bank=None), 'CCPSL keeps cluster labels per image: give it bank'),
    (lambda: cc(psl_weight=-1.), 'CCPSL: psl_weight'), (lambda: byol(temperature=0.), 'BYOLCC: temperature'),
    (lambda: BYOLCC(**parts(), head=MLPClusterHead(D, 1)), 'BYOLCC: num_clusters must be at least 2')])
def test_bad_options(make, message):
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize('make', [byol, cc])
def test_nothing_waits_for_the_device(make):
    model, data = make(), batch()
    with SyncGuard():
        total(model.loss(data)).backward()
