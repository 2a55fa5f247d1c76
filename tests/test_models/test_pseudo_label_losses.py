"""Laws of every semi-supervised loss: state, modes, empty rows, gradients, half precision, no wait for the device."""

import pytest
import torch
from ssl_rows import LOSSES, bank_of, gradients, make, rows, state, total
from sync_guard import SyncGuard

from mmcluster.registry import MODELS

pytestmark = pytest.mark.usefixtures('engine')
BUFFERS = dict(
    fixmatch=set(), flexmatch={'progress'}, freematch={'time_p', 'p_model', 'label_hist'},
    softmatch={'mean', 'variance', 'aligner.p_target', 'aligner.p_model'}, softmatch_plain={'mean', 'variance'},
    adamatch={'aligner.p_target', 'aligner.p_model'}, mutexmatch={'tnc.weight', 'tnc.bias'})
every_loss = pytest.mark.parametrize('name', LOSSES)


# ---- state

@every_loss
def test_state_is_in_buffers_and_a_loaded_copy_continues_bit_by_bit(name):
    loss, copy = make(name), make(name)
    bank, other = bank_of(loss), bank_of(copy)
    before, first = set(vars(loss)), state(loss, bank)
    for seed in (0, 1):
        loss.loss(*rows(seed), bank)
    assert set(vars(loss)) == before
    assert set(loss.state_dict()) == BUFFERS.get(name, BUFFERS[name.split('_')[0]])
    copy.load_state_dict(loss.state_dict())
    other.load_state_dict(bank.state_dict())
    a, b = (one.loss(*rows(7), where) for one, where in ((loss, bank), (copy, other)))
    assert a.keys() == b.keys() and all(torch.equal(a[key], b[key]) for key in a)
    last = state(loss, bank)
    assert all(torch.equal(value, state(copy, other)[key]) for key, value in last.items())
    moved = {key for key in last if not torch.equal(first[key], last[key])}
    assert moved == {key for key in last if 'tnc' not in key and ('p_target' not in key or name in (
        'adamatch', 'softmatch_per_class'))}


@every_loss
def test_state_moves_in_training_only(name):
    loss = make(name)
    bank = bank_of(loss)
    loss.loss(*rows(0), bank)
    before = state(loss, bank)
    losses = [loss.eval().loss(*rows(1), bank) for _ in range(2)]
    assert all(torch.equal(value, state(loss, bank)[key]) for key, value in before.items())
    assert all(torch.equal(losses[0][key], losses[1][key]) for key in losses[0])


@every_loss
def test_an_untrained_loss_can_be_evaluated(name):
    loss = make(name).eval()
    assert all(torch.isfinite(value) for value in loss.loss(*rows(0), bank_of(loss)).values())


@pytest.mark.parametrize('name', [name for name in LOSSES if name != 'softmatch_per_class'])
def test_labelled_rows_move_no_state_of_unlabelled_ones(name):
    """But where the predictions of unlabelled rows are aligned to them."""
    loss, alone = make(name), make(name)
    bank, other = bank_of(loss), bank_of(alone)
    loss.loss(*rows(0), bank)
    alone.loss(None, rows(0)[1], other)
    first, second = state(loss, bank), state(alone, other)
    assert [key for key in first if not torch.equal(first[key], second[key])] in ([], ['aligner.p_target'])


# ---- what learns, and from what

@every_loss
def test_the_weak_view_gets_no_gradient(name):
    loss = make(name)
    l, u = rows(0)
    losses = loss.loss(l, u, bank_of(loss))
    weak, feat, strong, labelled = gradients(losses, u.logits_weak, u.feat_weak, u.logits_strong, l.logits)
    assert weak.abs().sum() == 0 and feat.abs().sum() == 0
    assert strong.abs().sum() > 0 and labelled.abs().sum() > 0 and labelled[0].abs().sum() == 0, '-1 is no label'
    assert not any(value.requires_grad for key, value in losses.items() if not key.startswith('loss_'))


@every_loss
def test_soft_targets_of_one_class_are_hard_targets(name):
    found = []
    for soft in (False, True):
        loss = make(name)
        found.append(loss.loss(*rows(0, soft=soft), bank_of(loss)))
    assert found[0].keys() == found[1].keys()
    for key in found[0]:
        torch.testing.assert_close(found[0][key], found[1][key])


@every_loss
def test_a_zero_weight_leaves_the_unlabelled_term_out_and_moves_the_state(name):
    loss, whole = make(name, unsup_weight=0.), make(name)
    banks = bank_of(loss), bank_of(whole)
    losses = loss.loss(*rows(0), banks[0])
    whole.loss(*rows(0), banks[1])
    assert {'loss_unsup', 'loss_pos', 'loss_neg'}.isdisjoint(losses) and 'loss_sup' in losses
    first, second = state(loss, banks[0]), state(whole, banks[1])
    assert all(torch.equal(first[key], second[key]) for key in first)
    assert any(key.startswith('loss_') for key in loss.loss(None, rows(0)[1], banks[0])), 'something is left to sum'


# ---- empty rows

@every_loss
@pytest.mark.parametrize('labelled', [None, 0, 1], ids=['no stream', 'no row', 'no label'])
def test_without_labelled_rows(name, labelled):
    """One row is one without a label."""
    loss = make(name)
    l, u = rows(0, labelled=labelled)
    losses = loss.loss(l, u, bank_of(loss))
    assert all(torch.isfinite(value) for value in losses.values())
    assert losses.get('loss_sup', torch.tensor(0.)) == 0 and ('loss_sup' in losses) is (l is not None)
    if l is not None:
        assert gradients(losses, l.logits)[0].abs().sum() == 0
    assert gradients(losses, u.logits_strong)[0].abs().sum() > 0


def close_every_gate(name, loss):
    """Settings and state under which no row is confident."""
    if name.startswith('freematch'):
        loss.time_p.fill_(2.)
        return loss.eval()
    loss.threshold = 2.
    if name == 'flexmatch':
        loss.progress.fill_(1.)
    return loss


@pytest.mark.parametrize('name', [name for name in LOSSES if 'soft' not in name])
def test_an_empty_mask_gives_zero_with_a_zero_gradient(name):
    loss = close_every_gate(name, make(name))
    l, u = rows(0)
    losses = loss.loss(l, u, bank_of(loss))
    assert losses['mask_share'] == 0
    assert losses.get('loss_unsup', losses.get('loss_pos')) == 0 and losses.get('loss_fair', 0) == 0
    grad = gradients(losses, u.logits_strong)[0]
    assert grad.abs().sum() == 0 and torch.isfinite(grad).all()


@every_loss
def test_no_unlabelled_row(name):
    loss = make(name)
    bank = bank_of(loss)
    loss.loss(*rows(0), bank)
    before = state(loss, bank)
    l, u = rows(1, unlabelled=0)
    losses = loss.loss(l, u, bank)
    assert all(torch.isfinite(value) for value in losses.values())
    assert losses['mask_share'] == 0 and losses.get('loss_unsup', losses.get('loss_pos')) == 0
    moved = [key for key, value in before.items() if not torch.equal(value, state(loss, bank)[key])]
    assert moved in ([], ['aligner.p_target']), 'labelled rows are there'
    total(losses).backward()
    assert u.logits_strong.grad is None or u.logits_strong.grad.abs().sum() == 0


# ---- numbers

@every_loss
def test_half_precision_is_widened(name):
    loss = make(name)
    l, u = rows(0)
    l = l._replace(logits=l.logits.detach().bfloat16())
    u = u._replace(logits_weak=u.logits_weak.detach().bfloat16(), logits_strong=u.logits_strong.detach().bfloat16())
    losses = loss.loss(l, u, bank_of(loss))
    assert all(value.dtype == torch.float32 and torch.isfinite(value) for value in losses.values())
    assert all(value.dtype == torch.float32 for value in loss.state_dict().values())


@every_loss
def test_extreme_logits_stay_finite(name):
    loss = make(name)
    for seed in range(3):
        l, u = rows(seed, spread=500.)
        losses = loss.loss(l, u, bank_of(loss))
        assert all(torch.isfinite(value) for value in losses.values())
        assert all(torch.isfinite(grad).all() for grad in gradients(losses, u.logits_strong, l.logits))


@every_loss
def test_a_step_does_not_wait_for_the_device(name):
    loss = make(name)
    bank = bank_of(loss)
    l, u = rows(0)
    with SyncGuard():
        total(loss.loss(l, u, bank)).backward()


@every_loss
def test_one_cluster_is_refused(name):
    with pytest.raises(ValueError, match='num_clusters must be at least 2, got 1'):
        MODELS.build(dict(LOSSES[name], num_clusters=1))
