"""SCAN's self-labelling as a pseudo-label loss."""
import pytest
import torch
from small_models import D, FlatNet, K, N, disturb, gradients, views
from torch.nn import functional as F

from mmcluster.functional.losses.consistency import confidence_counts, confidence_targets, self_label_loss
from mmcluster.models import Boost, Labelled, Unlabelled
from mmcluster.models.pseudo_label_losses import ConfidenceLoss
from mmcluster.structures import Batch

pytestmark = pytest.mark.usefixtures('engine')
U = 40


def rows(seed=0, scale=4., size=U):
    generator = torch.Generator().manual_seed(seed)
    weak, strong = torch.randn(2, size, K, generator=generator)
    return Unlabelled(torch.zeros(size, D), torch.zeros(size, D), scale * weak, strong.requires_grad_(),
                      torch.arange(size))


def by_hand(u, threshold, balance):
    """One row at a time."""
    prob = u.logits_weak.double().softmax(1).tolist()
    chosen = [(i, p.index(max(p))) for i, p in enumerate(prob) if max(p) > threshold]
    counts = [sum(y == c for _, y in chosen) for c in range(K)]
    weights = [len(chosen) / counts[y] if balance else 1. for _, y in chosen]
    log_prob = u.logits_strong.double().log_softmax(1)
    total = sum(-w * log_prob[i, y] for w, (i, y) in zip(weights, chosen))
    return total / sum(weights), len(chosen) / len(prob), sum(count > 0 for count in counts)


@pytest.mark.parametrize('balance', [True, False])
@pytest.mark.parametrize('threshold', [0.6, 0.95, 0.99])
def test_the_loss_is_the_loop(threshold, balance):
    u = rows()
    losses = ConfidenceLoss(threshold=threshold, class_balance=balance).loss(None, u, None)
    expected, share, present = by_hand(u, threshold, balance)
    torch.testing.assert_close(losses['loss_unsup'].double(), expected, rtol=1e-5, atol=1e-6)
    assert losses['mask_share'] == pytest.approx(share) and losses['present_clusters'] == present
    assert 0 < share < 1


def test_every_cluster_that_occurs_counts_the_same():
    """Nine rows of one cluster and one of another: balanced, both have half of the loss."""
    target = torch.tensor([0] * 9 + [1])
    u = Unlabelled(None, None, 50. * F.one_hot(target, K), torch.zeros(10, K, requires_grad=True), torch.arange(10))
    ConfidenceLoss().loss(None, u, None)['loss_unsup'].backward()
    share = u.logits_strong.grad[range(10), target].abs()
    assert share[:9].sum() == pytest.approx(share[9].item(), rel=1e-5)
    u.logits_strong.grad = None
    ConfidenceLoss(class_balance=False).loss(None, u, None)['loss_unsup'].backward()
    share = u.logits_strong.grad[range(10), target].abs()
    assert share[0] == pytest.approx(share[9].item(), rel=1e-5)


def test_nothing_certain_is_zero_with_a_zero_gradient():
    u = rows(scale=0.01)
    losses = ConfidenceLoss().loss(None, u, None)
    losses['loss_unsup'].backward()
    assert losses['loss_unsup'] == 0 and losses['mask_share'] == 0 and losses['present_clusters'] == 0
    assert torch.equal(u.logits_strong.grad, torch.zeros(U, K))


@pytest.mark.parametrize('size', [0, 1])
def test_batches_of_none_and_of_one(size):
    u = rows(scale=50., size=size)
    losses = ConfidenceLoss().loss(None, u, None)
    losses['loss_unsup'].backward()
    assert all(value.isfinite() for value in losses.values()) and u.logits_strong.grad.isfinite().all()
    assert losses['present_clusters'] == size


def test_labelled_rows_add_their_own_term():
    l = Labelled(torch.zeros(3, D), torch.randn(3, K), torch.tensor([0, 1, -1]), torch.arange(3))
    losses = ConfidenceLoss(threshold=0.6).loss(l, rows(), None)
    assert losses['loss_sup'] == pytest.approx(F.cross_entropy(l.logits[:2], l.target[:2]).item() * 2 / 3)
    assert 'loss_sup' not in ConfidenceLoss().loss(None, rows(), None)


# ---- in the booster

def boost(**options):
    torch.manual_seed(0)
    model = Boost(**{**dict(backbone=FlatNet(), head=dict(type='LinearClusterHead', in_channels=6, num_clusters=K),
                            bank=dict(num_samples=N), pseudo_label_loss=dict(type='ConfidenceLoss', threshold=0.6)),
                     **options})
    model.init_weights()
    disturb(model.head, 0, scale=2.)
    return model.train()


def test_the_plain_view_passes_on_its_own_in_training_mode():
    model, other, (plain, strong) = boost(), boost(), views()
    losses = model(data_samples=dict(unlabelled=Batch([plain, strong], torch.arange(len(plain)))), mode='loss')
    losses['loss_unsup'].backward()
    with torch.no_grad():
        weak = other.head(other.backbone(plain))
    target, mask = confidence_targets(weak, 0.6)
    counts = confidence_counts(target, mask, K)
    expected = self_label_loss(other.head(other.backbone(strong)), target, mask, counts)
    expected.backward()
    assert losses['mask_share'] == pytest.approx(mask.float().mean().item()) and 0 < mask.sum() < len(plain)
    torch.testing.assert_close(losses['loss_unsup'], expected)
    for name, value in gradients(other).items():
        torch.testing.assert_close(gradients(model)[name], value)
    assert torch.equal(model.backbone.bn.running_mean, other.backbone.bn.running_mean)
    assert model.backbone.bn.num_batches_tracked == 2


def test_an_average_of_the_weights_is_a_copy():
    """The released one was written back into the network in training."""
    model, (plain, strong) = boost(teacher=dict(decay=0.5)), views()
    before = model.teacher.head.fc.weight.clone()
    model.loss(Batch([plain, strong], torch.arange(len(plain))))['loss_unsup'].backward()
    with torch.no_grad():
        model.head.fc.weight -= model.head.fc.weight.grad
    moved = model.head.fc.weight.clone()
    model.teacher.update(model)
    assert torch.equal(model.head.fc.weight, moved)
    torch.testing.assert_close(model.teacher.head.fc.weight, (before + moved) / 2)
    assert torch.equal(model.teacher.backbone.bn.running_mean, model.backbone.bn.running_mean)


@pytest.mark.parametrize('options, problem', [
    (dict(threshold=1.), r'threshold must be in \[0, 1\)'), (dict(threshold=-0.1), 'threshold'),
    (dict(num_clusters=1), 'num_clusters must be at least 2')])
def test_wrong_arguments(options, problem):
    with pytest.raises(ValueError, match=problem):
        ConfidenceLoss(**options)
