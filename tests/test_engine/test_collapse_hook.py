"""The alarm over what a booster predicts: when it looks, what it says, and that training does not notice."""
import logging

import pytest
import torch

from mmcluster.engine.hooks import CollapseHook
from mmcluster.models.watch import ClusterWatch

from .fake import fake_runner, rowwise, scalar

K = 4
EVEN = torch.tensor([25, 25, 25, 25])


def watched(num_clusters=K):
    """A Runner whose model counts."""
    model = rowwise()
    model.watch = ClusterWatch(num_clusters)
    runner = fake_runner(model)
    CollapseHook().before_train(runner)
    return runner


def count(runner, predicted, given=None):
    runner.model.watch.predicted += torch.as_tensor(predicted)
    if given is not None:
        runner.model.watch.given += torch.as_tensor(given)


def look(hook, runner, caplog):
    """Warnings of the end of an epoch."""
    caplog.clear()
    with caplog.at_level(logging.INFO, 'fake'):
        hook.after_train_epoch(runner)
    return [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]


# ---- when

def test_it_looks_at_the_end_of_an_epoch_and_begins_anew(caplog):
    runner, hook = watched(), CollapseHook()
    for i in range(6):
        runner.iter = i
        count(runner, [1, 2, 3, 4])
        hook.after_train_iter(runner, i)
    assert runner.model.watch.predicted.sum() == 60
    runner.iter = 6
    assert look(hook, runner, caplog) == []
    assert 'iteration 6: predictions of each cluster [6, 12, 18, 24]' in caplog.text
    assert not runner.model.watch.predicted.any()
    assert look(hook, runner, caplog) == [] and caplog.text == '', 'nothing was counted, as before a first map'


def test_it_looks_between_epochs_too(caplog):
    runner, hook, found = watched(), CollapseHook(interval=2), []
    with caplog.at_level(logging.INFO, 'fake'):
        for i in range(5):
            runner.iter = i
            count(runner, [1, 1, 1, 1], [1, 0, 1, 1])
            hook.after_train_iter(runner, i)
        runner.iter = 5
        hook.after_train_epoch(runner)
    found = [record.getMessage() for record in caplog.records]
    assert [text.split(':')[0] for text in found] == ['iteration 2', 'iteration 4', 'iteration 5']
    assert found[2].endswith('[1, 1, 1, 1], labels [1, 0, 1, 1]')


# ---- what

def test_figures():
    runner = watched()
    count(runner, [50, 0, 25, 25], [10, 0, 0, 0])
    CollapseHook().after_train_epoch(runner)
    assert scalar(runner, 'cluster_share') == 0.5 and scalar(runner, 'clusters_empty') == 1
    assert scalar(runner, 'cluster_balance') == pytest.approx(0.75)      # 1.5 bit of 2
    assert scalar(runner, 'label_share') == 1 and scalar(runner, 'label_balance') == 0


@pytest.mark.parametrize('predicted, options, problems', [
    (EVEN, {}, []),
    ([61, 13, 13, 13], {}, []), ([63, 13, 12, 12], {}, ['cluster 0 has 63% of them']),
    ([61, 13, 13, 13], dict(max_share=0.6), ['cluster 0 has 61% of them']),
    ([0, 50, 50, 0], {}, ['2 of 4 clusters are empty']),
    ([0, 50, 50, 0], dict(min_balance=0.51), ['their entropy is 0.50 of the largest']),
    ([0, 0, 9, 0], {}, ['cluster 2 has 100% of them; their entropy is 0.00 of', '3 of 4 clusters are empty'])])
def test_alarm(caplog, predicted, options, problems):
    runner = watched()
    count(runner, predicted)
    found = look(CollapseHook(**options), runner, caplog)
    assert len(found) == bool(problems) and all(problem in found[0] for problem in problems)


def test_what_helps_depends_on_the_labels(caplog):
    runner, hook = watched(), CollapseHook()
    count(runner, [97, 1, 1, 1], EVEN)
    assert 'fairness_weight' in look(hook, runner, caplog)[0]
    count(runner, [97, 1, 1, 1], [38, 0, 1, 1])
    text = look(hook, runner, caplog)[0]
    assert 'So do the labels (cluster 0 has 95% of them' in text and 'coverage.py' in text
    assert 'fairness_weight' not in text


def test_two_clusters_may_be_uneven(caplog):
    runner = watched(2)
    count(runner, [70, 30])
    assert look(CollapseHook(), runner, caplog) == []
    count(runner, [95, 5])
    assert len(look(CollapseHook(), runner, caplog)) == 1


def test_many_clusters_are_not_all_listed(caplog):
    runner = watched(30)
    count(runner, torch.arange(30))
    look(CollapseHook(), runner, caplog)
    assert '[29, 28, 27' in caplog.text and 'and 10 smaller ones' in caplog.text


# ---- bad input

@pytest.mark.parametrize('options, problem', [
    (dict(interval=0), 'interval must be at least 1, got 0'),
    (dict(max_share=1.5), r'max_share must be a share in \[0, 1\], got 1.5'), (dict(min_balance=-1), 'min_balance must be a share')])
def test_wrong_options(options, problem):
    with pytest.raises(ValueError, match=problem):
        CollapseHook(**options)


def test_models_that_cannot_count():
    with pytest.raises(ValueError, match='CollapseHook watches a booster, and Rowwise is none'):
        CollapseHook().before_train(fake_runner())
    with pytest.raises(ValueError, match='the head has no attribute num_clusters'):
        watched(None)
