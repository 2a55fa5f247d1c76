"""What the parity vectors leave open in FixMatch's successors and MutexMatch: options, duplicates, thin statistics."""
import pytest
import torch
from ssl_rows import D, K, L, N, U, bank_of, gradients, make, rows
from torch.nn.functional import cross_entropy

from mmcluster.functional.labels.thresholds import adaptive_thresholds
from mmcluster.models import Labelled, SampleBank, Unlabelled
from mmcluster.models.pseudo_label_losses import (AdaMatchLoss, FixMatchLoss, FlexMatchLoss, FreeMatchLoss,
                                                  MutexMatchLoss, SoftMatchLoss)

pytestmark = pytest.mark.usefixtures('engine')


def confident(label, confidence, num_clusters=K):
    """Logits (U, K) whose softmax has a given maximum at a given class."""
    confidence = torch.as_tensor(confidence).expand(len(label))
    rest = (1 - confidence) / (num_clusters - 1)
    prob = rest[:, None].repeat(1, num_clusters)
    prob[torch.arange(len(label)), torch.as_tensor(label)] = confidence
    return prob.log()


def of_logits(weak, index=None, strong=None):
    strong = torch.randn(weak.shape, generator=torch.Generator().manual_seed(9)) if strong is None else strong
    return Unlabelled(weak, strong, weak, strong.requires_grad_(), torch.arange(len(weak)) if index is None else index)


# ---- FixMatch

def test_the_loss_by_hand():
    label, confidence = [0, 3, 1, 1], torch.tensor([0.96, 0.94, 0.951, 0.3])
    l, _ = rows(0)
    u = of_logits(confident(label, confidence))
    losses = FixMatchLoss(unsup_weight=2.).loss(l, u, None)
    expected = 2 * (cross_entropy(u.logits_strong[[0, 2]], torch.tensor([0, 1]), reduction='sum')) / 4
    torch.testing.assert_close(losses['loss_unsup'], expected)
    torch.testing.assert_close(losses['loss_sup'], cross_entropy(l.logits[1:], l.target[1:], reduction='sum') / L)
    assert losses['mask_share'] == 0.5


def test_a_row_at_the_threshold_is_learned():
    prob = torch.tensor([[0.75, 0.25], [0.74, 0.26]])
    assert FixMatchLoss(threshold=0.75).pseudo_labels(prob, None, of_logits(prob.log()), None).weight.tolist() == [1, 0]


@pytest.mark.parametrize('name', ['fixmatch', 'flexmatch', 'freematch', 'softmatch', 'adamatch'])
def test_soft_pseudo_labels(name):
    found = []
    for hard in (True, False):
        loss = make(name, hard_label=hard)
        u = rows(0)[1]
        choice = loss.pseudo_labels(u.logits_weak.detach().softmax(1), rows(0)[0], u, bank_of(loss))
        found.append(choice)
    assert found[1].target.shape == (U, K) and torch.equal(found[1].target.argmax(1), found[0].target)
    assert torch.equal(found[0].weight, found[1].weight)
    torch.testing.assert_close(found[1].target.sum(1), torch.ones(U))


def test_adamatch_learns_aligned_predictions_and_softmatch_the_others():
    prob = rows(0)[1].logits_weak.detach().softmax(1)
    l = rows(0)[0]
    ada, soft = AdaMatchLoss(K, hard_label=False), SoftMatchLoss(K, hard_label=False)
    for loss in (ada, soft):
        loss.aligner.p_model.copy_(torch.tensor([0.6, 0.1, 0.1, 0.1, 0.1]))
    assert torch.equal(soft.pseudo_labels(prob, l, None, None).target, prob)
    target = ada.pseudo_labels(prob, l, None, None).target
    assert (target - prob).abs().max() > 0.01 and (target[:, 0] < prob[:, 0]).all()


# ---- FlexMatch

def test_the_mask_comes_before_the_update():
    loss, bank = FlexMatchLoss(K), SampleBank(N, FlexMatchLoss.fields)
    u = of_logits(confident([0] * 8, 0.3))
    assert loss.loss(None, u, bank)['mask_share'] == 1, 'no class has a threshold yet'
    assert not bank.is_set('selected') and loss.progress.abs().sum() == 0
    loss.loss(None, of_logits(confident([0] * 8, 0.99), torch.arange(8)), bank)
    assert bank.selected[:8].tolist() == [0] * 8 and loss.progress.tolist() == pytest.approx([8 / 32, 0, 0, 0, 0])
    losses = loss.loss(None, of_logits(confident([0, 0, 1, 1], torch.tensor([0.3, 0.1357, 0.3, 0.3])),
                                       torch.arange(4)), bank)
    assert losses['mask_share'] == 1 and losses['threshold'].item() == pytest.approx(0.95 * 0.25 / 1.75 / K)
    assert bank.selected[:8].tolist() == [0] * 8, 'rows that are not confident keep their class'


def test_of_duplicates_the_last_confident_row_wins():
    loss, bank = FlexMatchLoss(K), SampleBank(N, FlexMatchLoss.fields)
    index = torch.tensor([5, 7, 5, 7, 5])
    u = of_logits(confident([0, 1, 2, 3, 4], torch.tensor([0.99, 0.99, 0.99, 0.5, 0.5])), index)
    loss.loss(None, u, bank)
    assert bank.selected[[5, 7]].tolist() == [2, 1] and (bank.selected >= 0).sum() == 2


@pytest.mark.parametrize('warmup, expected', [(True, [6 / 30, 4 / 30, 0, 0, 0]), (False, [1, 4 / 6, 0, 0, 0])])
def test_warmup_counts_the_unused(warmup, expected):
    loss, bank = FlexMatchLoss(K, warmup=warmup), SampleBank(N, FlexMatchLoss.fields)
    loss.loss(None, of_logits(confident([0] * 6 + [1] * 4, 0.99)), bank)
    assert loss.progress.tolist() == pytest.approx(expected)


# ---- FreeMatch

@pytest.mark.parametrize('options', [{}, dict(quantile=0.8), dict(quantile=1.), dict(max_threshold=0.3),
                                     dict(quantile=0.8, max_threshold=0.95)], ids=str)
def test_the_average_confidence(options):
    """With decay 0 it is that of the batch."""
    confidence = torch.tensor([0.3, 0.9, 0.5, 0.8])
    loss = FreeMatchLoss(K, decay=0., **options)
    loss.loss(None, of_logits(confident([0, 1, 2, 2], confidence)), None)
    expected = torch.quantile(confidence, options['quantile']) if 'quantile' in options else confidence.mean()
    assert loss.time_p.item() == pytest.approx(min(expected.item(), options.get('max_threshold', 1)), rel=1e-5)
    assert loss.label_hist.tolist() == pytest.approx([0.25, 0.25, 0.5, 0, 0])


def test_thresholds_are_those_after_the_update():
    loss = FreeMatchLoss(K, decay=0.5)
    losses = loss.loss(None, of_logits(confident([0, 1, 2, 2], 0.6)), None)
    thresholds = adaptive_thresholds(loss.time_p, loss.p_model)
    assert losses['threshold'] == thresholds.mean()
    assert loss.time_p.item() == pytest.approx(0.5 * 0.2 + 0.5 * 0.6)


def test_fairness_is_optional_and_weighted():
    found = [FreeMatchLoss(K, decay=0.5, fairness_weight=w).loss(*rows(0), None) for w in (0., 0.1, 0.2)]
    assert 'loss_fair' not in found[0] and found[1]['loss_fair'] < 0
    torch.testing.assert_close(2 * found[1]['loss_fair'], found[2]['loss_fair'])


@pytest.mark.parametrize('quantile', [-0.1, 80])
def test_a_quantile_is_a_share(quantile):
    with pytest.raises(ValueError, match=r'quantile is a share of the rows in \[0, 1\]'):
        FreeMatchLoss(K, quantile=quantile)


# ---- SoftMatch and AdaMatch

def test_one_row_has_no_variance():
    loss = SoftMatchLoss(K, decay=0.5, align=None)
    loss.loss(None, of_logits(confident([0], 0.8)), None)
    assert loss.variance.item() == 1 and loss.mean.item() == pytest.approx(0.5 * 0.2 + 0.5 * 0.8)


def test_gaussians_of_classes():
    """Class 0 has two rows, class 1 one, the others none."""
    loss = SoftMatchLoss(K, decay=0.5, align=None, per_class=True)
    u = of_logits(confident([0, 0, 1], torch.tensor([0.5, 0.9, 0.7])))
    losses = loss.loss(None, u, None)
    assert loss.mean.tolist() == pytest.approx([0.1 + 0.35, 0.1 + 0.35, 0.2, 0.2, 0.2])
    assert loss.variance.tolist() == pytest.approx([0.5 + 0.5 * 0.08, 1, 1, 1, 1])
    assert losses['mask_share'] == 1, 'all rows lie above the mean'
    below = loss.eval().loss(None, of_logits(confident([0, 0], torch.tensor([0.3, 0.6]))), None)
    weight = torch.exp(torch.tensor(-(0.3 - 0.45) ** 2 / (2 * 0.54 / 4)))
    assert below['mask_share'].item() == pytest.approx((weight.item() + 1) / 2)


def test_a_smaller_sigma_punishes_more():
    shares = [SoftMatchLoss(K, n_sigma=n, decay=0.5).loss(*rows(0), None)['mask_share'].item() for n in (1, 2, 4)]
    assert shares[0] > shares[1] > shares[2]


def test_alignment_choices():
    with pytest.raises(ValueError, match="'uniform' distribution or to that of the 'labelled' rows, got 'model'"):
        SoftMatchLoss(K, align='model')
    assert SoftMatchLoss(K, align=None).aligner is None


def test_the_first_batch_is_the_average():
    loss = AdaMatchLoss(K, decay=0.9)
    l, u = rows(0)
    loss.loss(l, u, None)
    mean = u.logits_weak.detach().softmax(1).mean(0)
    torch.testing.assert_close(loss.aligner.p_model, mean)
    torch.testing.assert_close(loss.aligner.p_target, 0.9 / K + 0.1 * l.logits[1:].detach().softmax(1).mean(0))
    second = rows(1)[1]
    loss.loss(None, second, None)
    torch.testing.assert_close(loss.aligner.p_model, 0.9 * mean + 0.1 * second.logits_weak.softmax(1).mean(0))


def test_the_cutoff_is_relative_to_rows_with_a_label():
    loss = AdaMatchLoss(K, threshold=0.9)
    logits = confident([0, 1, 2], torch.tensor([0.9, 0.7, 0.2001]))
    l = Labelled(logits, logits, torch.tensor([4, 4, -1]), torch.arange(3))
    u = of_logits(confident([0, 1, 2, 3, 4], torch.tensor([0.71, 0.73, 0.73, 0.5, 0.5])))
    assert loss.loss(l, u, None)['threshold'].item() == pytest.approx(0.9 * 0.8)
    assert loss.loss(None, u, None)['threshold'].item() == pytest.approx(0.9)
    assert loss.loss(l._replace(target=torch.full((3,), -1)), u, None)['threshold'].item() == pytest.approx(0.9)


# ---- MutexMatch

def test_the_separation_teaches_the_true_negative_classifier_alone():
    loss = make('mutexmatch')
    l, u = rows(0)
    sep = loss.loss(l, u, None)['loss_sep']
    grads = torch.autograd.grad(sep, [*loss.parameters(), l.feat, u.feat_weak, u.feat_strong, l.logits,
                                      u.logits_strong], allow_unused=True)
    assert all(grad.abs().sum() > 0 for grad in grads[:2]) and grads[2:] == (None,) * 5
    feat, logits = torch.cat([l.feat, u.feat_weak, u.feat_strong]), torch.cat([l.logits, u.logits_weak,
                                                                               u.logits_strong])
    torch.testing.assert_close(sep, cross_entropy(loss.tnc(feat), logits.argmin(1)))


def test_negative_consistency_reaches_encoder_and_classifier():
    loss = make('mutexmatch')
    l, u = rows(0)
    neg = loss.loss(l, u, None)['loss_neg']
    grads = torch.autograd.grad(neg, [*loss.parameters(), u.feat_strong, u.feat_weak], allow_unused=True)
    assert all(grad.abs().sum() > 0 for grad in grads[:3]) and grads[3] is None


def test_rows_are_either_positive_or_negative():
    loss, l = MutexMatchLoss(K, D, threshold=0.9), rows(0)[0]
    for confidence, gone in ((0.95, 'loss_neg'), (0.5, 'loss_pos')):
        u = rows(0)[1]._replace(logits_weak=confident([i % K for i in range(U)], confidence))
        losses = loss.loss(l, u, None)
        assert losses[gone] == 0 and losses[{'loss_neg': 'loss_pos', 'loss_pos': 'loss_neg'}[gone]] > 0
    assert gradients(losses, loss.tnc.weight)[0].abs().sum() > 0


def test_the_degree_is_bounded():
    with pytest.raises(ValueError, match='k is a number of classes up to num_clusters=5, or 0 for all; got 6'):
        MutexMatchLoss(K, D, k=6)
    found = [MutexMatchLoss(K, D, k=k).state_dict().keys() for k in (0, K)]
    assert found[0] == found[1]
