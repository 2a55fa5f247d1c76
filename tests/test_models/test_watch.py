"""Counts of predicted clusters and given labels, against loops over the rows of each step."""
from collections import Counter

import pytest
import torch
from small_models import K, N
from sync_guard import SyncGuard
from test_asd import MAP, booster, streams

from mmcluster.models import Boost
from mmcluster.models.watch import ClusterWatch

pytestmark = pytest.mark.usefixtures('engine')


def selected(loss='FixMatchLoss', labeller=True, **options):
    """A booster with labels in its bank, of which row 0 has none."""
    torch.manual_seed(0)
    model = Boost(
        backbone=dict(type='FlatNet'), head=dict(type='LinearClusterHead', in_channels=6, num_clusters=K),
        bank=dict(num_samples=N), labeller=dict(type='SelectedLabels') if labeller else None,
        pseudo_label_loss=dict(type=loss, num_clusters=K, **options))
    if labeller:
        model.bank.fill(target=torch.arange(N) % K - (torch.arange(N) == 0).long())
    return model.train()


def of(step, *names):
    """Some streams of a step."""
    return {name: streams(step)[name] for name in names or ('unlabelled', 'labelled')}


def slow(model, steps, *names):
    """Losses of some steps; predictions and labels as the loss received them, counted row by row."""
    predicted, labels = Counter(), Counter()
    forward_streams = model.forward_streams

    def noted(*args, **kwargs):
        l, u, losses = forward_streams(*args, **kwargs)
        if l is None or l.target is not None:
            predicted.update(row.argmax().item() for row in u.logits_weak)
            if l is not None:
                labels.update(int(t if l.target.dim() == 1 else t.argmax()) for t in l.target)
        return l, u, losses

    model.forward_streams = noted
    for step in range(steps):
        model.loss(**of(step, *names))
    del model.forward_streams
    return [[counts[c] for c in range(K)] for counts in (predicted, labels)]


@pytest.mark.parametrize('loss', ['FixMatchLoss', 'MixMatchLoss'])
def test_counts_by_hand(loss):
    model = selected(loss)
    model.watch.start()
    assert [model.watch.predicted.tolist(), model.watch.given.tolist()] == [[0] * K] * 2
    predicted, given = slow(model, 3)
    assert model.watch.predicted.tolist() == predicted and sum(predicted) == 3 * 12
    assert model.watch.given.tolist() == given and 0 < sum(given) <= 3 * 8
    assert [counts.tolist() for counts in model.watch.pop_counts()] == [predicted, given]
    assert not model.watch.predicted.any() and not model.watch.given.any()


def test_without_a_labelled_stream():
    model = selected('ConfidenceLoss', labeller=False)
    model.watch.start()
    predicted, given = slow(model, 2, 'unlabelled')
    assert model.watch.predicted.tolist() == predicted and sum(predicted) == 24 and sum(given) == 0
    assert not model.watch.given.any()


@pytest.mark.parametrize('soft', [False, True])
def test_asd_counts_from_its_first_map_on(soft):
    model = booster(soft=soft)
    model.watch.start()
    model.loss(**streams(0))
    assert not model.watch.predicted.any()
    model.labeller.set_map(MAP)
    predicted, given = slow(model, 2, 'unlabelled', 'labelled', 'reference')
    assert model.watch.predicted.tolist() == predicted and model.watch.given.tolist() == given
    assert sum(predicted) == 24 and sum(given) == 16


def test_rows_without_a_label_and_several_heads():
    watch = ClusterWatch(3).train()
    watch.start()
    logits = torch.eye(3)[torch.tensor([[0, 1, 1, 1], [2, 2, 2, 1]])]
    watch(logits, torch.tensor([-1, 2, 2]))
    assert watch.predicted.tolist() == [1, 4, 3] and watch.given.tolist() == [0, 0, 2]
    watch(logits[0], torch.tensor([[0.2, 0.8, 0.], [-1., -1, -1], [0., 0, 0]]))
    assert watch.predicted.tolist() == [2, 7, 3] and watch.given.tolist() == [0, 1, 2]


def test_only_training_that_is_watched_counts():
    model = selected()
    model.loss(**of(0))
    assert not model.watch.predicted.any()
    model.watch.start()
    model.eval()
    model.loss(**of(0))
    assert not model.watch.predicted.any()


def test_checkpoints_do_not_change():
    """Checkpoints of runs without a hook fit, and the other way round."""
    model = selected()
    names = set(model.state_dict())
    model.watch.start()
    slow(model, 1)
    assert set(model.state_dict()) == names and not any('watch' in name for name in names)


def test_no_step_waits_for_the_device():
    for model in (selected(), selected('MixMatchLoss')):
        model.watch.start()
        with SyncGuard():
            model.loss(**of(1))
        assert model.watch.predicted.sum() == 12


def test_a_head_that_does_not_tell():
    with pytest.raises(ValueError, match='no attribute num_clusters'):
        ClusterWatch(None).start()
    watch = ClusterWatch(None).train()
    watch(torch.zeros(2, 3), None)      # as long as nobody asks, it does not matter
