"""Anchors that are chosen once, and maps of instance classes: when, from what, under which names."""
import logging

import pytest
import torch
from sklearn.metrics import silhouette_score

from mmcluster.datasets import StreamSampler
from mmcluster.engine.hooks import AnchorHook, TransitionHook, transition
from mmcluster.engine.hooks.transition import LOG_INTERVAL
from mmcluster.functional.clustering.kmeans import kmeans
from mmcluster.functional.labels.instance import InstanceLabels
from mmcluster.functional.labels.select import accompanied_prototypes
from mmcluster.functional.labels.transition import dissimilarity, transition_similarity
from mmcluster.models import ASDLabels
from mmcluster.registry import LABEL_SELECTORS

from .fake import D, K, N, blobs, fake_runner, rowwise, scalar

M, U = 8, 10
GROUPS = torch.tensor([2, 0, 1, 3, 0, 2, 3, 1])


def runner_with(counts=None, streams=None, **options):
    """A Runner whose labeller saw transitions."""
    model = rowwise(fields=('pred', 'anchor', 'prototypes'), **options)
    model.labeller = ASDLabels(D, K, M, U, window=5)
    if counts is not None:
        model.labeller.counts.copy_(counts)
    runner = fake_runner(model)
    runner.train_dataloader.sampler = StreamSampler(range(N), streams or dict(labelled=dict(size=M)), length=5)
    return runner


def inside(groups=GROUPS, weight=5):
    """Transitions (M, M) inside groups; one strays."""
    counts = weight * (groups[:, None] == groups).long()
    counts[0, 1] = 1
    return counts.fill_diagonal_(0)


def run(hook, runner, iterations):
    """Iterations, counted from 1, after which the map was set."""
    found, labeller = [], runner.model.labeller
    original = labeller.set_map
    for done in iterations:
        runner.iter = done - 1
        labeller.set_map = lambda new: found.append(done) or original(new)
        hook.after_train_iter(runner, 0)
    del labeller.set_map
    return found


def same_partition(one, other):
    return torch.equal(one[:, None] == one, other[:, None] == other)


# ---- anchors

def test_the_rows_of_the_first_iteration():
    runner = runner_with()
    AnchorHook().before_train_epoch(runner)
    rows = runner.train_dataloader.sampler.chunk('labelled', 0).sort().values
    anchor = runner.model.bank.anchor
    assert torch.equal((anchor >= 0).nonzero().flatten(), rows) and torch.equal(anchor[rows], torch.arange(M))


def test_the_log_says_how_rows_are_aligned(monkeypatch):
    runner = runner_with()
    labeller = runner.model.labeller
    labeller.seen['labels'] = InstanceLabels(torch.eye(M), torch.arange(M) // 2, None, None, None)
    labeller.ring[labeller.pointer - 1, :3] = 5
    for runner.iter in range(LOG_INTERVAL):
        AnchorHook().after_train_iter(runner, 0)
    logged = [scalar(runner, name) for name in ('label_perplexity', 'instance_classes', 'transitions')]
    assert logged == [1, (M + 1) // 2, 3]


def test_the_rows_of_a_pool():
    runner = runner_with(streams=dict(labelled=dict(size=M, pool='prototypes')))
    rows = torch.arange(M) * 7
    runner.model.bank.fill(index=rows, prototypes=torch.arange(M) // 2)
    AnchorHook().before_train_epoch(runner)
    assert torch.equal(runner.model.bank.anchor[rows], torch.arange(M))


def test_given_labels_may_be_more_than_a_batch_of_rows():
    runner = runner_with(streams=dict(labelled=dict(size=M, pool='target')))
    runner.model.labeller = ASDLabels(D, K, M, U, window=5, given='target')
    runner.model.bank.add_field('target')
    runner.model.bank.fill(index=torch.arange(M + 4) * 3, target=torch.arange(M + 4) % K)
    AnchorHook().before_train_epoch(runner)
    first = runner.train_dataloader.sampler.chunk('labelled', 0).sort().values
    assert torch.equal((runner.model.bank.anchor >= 0).nonzero().flatten(), first)


def test_rows_without_a_given_label_are_refused():
    runner = runner_with(streams=dict(labelled=dict(size=M, pool='prototypes')))
    runner.model.labeller = ASDLabels(D, K, M, U, window=5, given='target')
    with pytest.raises(ValueError, match="must draw from it.*set its pool to 'target', not 'prototypes'"):
        AnchorHook().before_train_epoch(runner)


def test_too_few_given_labels():
    runner = runner_with(streams=dict(labelled=dict(size=M, pool='target')))
    runner.model.labeller = ASDLabels(D, K, M, U, window=5, given='target')
    runner.model.bank.add_field('target')
    runner.model.bank.fill(index=torch.arange(M - 3), target=torch.arange(M - 3) % K)
    with pytest.raises(ValueError, match=f'{M - 3} rows for {M} instance classes'):
        AnchorHook().before_train_epoch(runner)


def test_anchors_stay():
    runner = runner_with()
    hook = AnchorHook()
    hook.before_train_epoch(runner)
    before = runner.model.bank.anchor.clone()
    runner.epoch, runner.train_dataloader.sampler = 1, StreamSampler(range(N), dict(labelled=dict(size=M)), seed=9)
    hook.before_train_epoch(runner)
    resumed = runner_with()
    resumed.model.load_state_dict(runner.model.state_dict())
    resumed.train_dataloader.sampler = runner.train_dataloader.sampler
    hook.before_train_epoch(resumed)
    assert torch.equal(runner.model.bank.anchor, before) and torch.equal(resumed.model.bank.anchor, before)


@pytest.mark.parametrize('streams, filled, found', [
    (dict(labelled=dict(size=M + 1)), 0, M + 1), (dict(labelled=dict(size=M, pool='prototypes')), M - 2, M - 2),
    (dict(labelled=dict(size=M, pool='prototypes')), 0, 0)])
def test_another_number_of_rows(streams, filled, found):
    runner = runner_with(streams=streams)
    runner.model.bank.fill(index=torch.arange(filled), prototypes=torch.zeros(filled, dtype=torch.long))
    with pytest.raises(ValueError, match=f"{found} rows for {M} instance classes.*stream 'labelled'"):
        AnchorHook().before_train_epoch(runner)


# ---- when

@pytest.mark.parametrize('options, expected', [
    (dict(interval=4), [4, 8, 12]), (dict(interval=4, first=2), [2, 4, 8, 12]), (dict(interval=4, first=6), [6, 8, 12]),
    (dict(interval=20), [])])
def test_when_a_map_is_made(options, expected):
    assert run(TransitionHook(**options), runner_with(inside()), range(1, 13)) == expected


@pytest.mark.parametrize('first, warned', [(101, True), (100, False)])
def test_a_run_without_a_map_says_so(caplog, first, warned):
    runner, hook = runner_with(inside()), TransitionHook(interval=50, first=first)
    with caplog.at_level(logging.WARNING, 'fake'):
        hook.before_train(runner)
    assert ('due at iteration 101 and the run has 100' in caplog.text) is warned
    with caplog.at_level(logging.WARNING, 'fake'):
        hook.after_train(runner)
    assert 'there never was a map' in caplog.text
    caplog.clear()
    for labelled in (lambda labeller: labeller.set_map(torch.arange(M) % K),
                     lambda labeller: setattr(labeller, 'given', 'target')):
        runner = runner_with(inside())
        labelled(runner.model.labeller)
        with caplog.at_level(logging.WARNING, 'fake'):
            hook.before_train(runner)
            hook.after_train(runner)
        assert caplog.text == ''


def test_pam_begins_as_often_as_it_is_told(monkeypatch):
    seen = []
    monkeypatch.setattr(transition, 'cluster_classes', lambda *args: seen.append(args[2:]) or torch.arange(M) % K)
    for options in ({}, dict(starts=1)):
        TransitionHook(**options).make_map(runner_with(inside()))
    assert seen == [('pam', 4), ('pam', 1)]


def test_a_map_waits_for_transitions(caplog):
    runner, hook = runner_with(torch.zeros(M, M, dtype=torch.long)), TransitionHook(interval=2)
    with caplog.at_level(logging.WARNING, 'fake'):
        assert run(hook, runner, range(1, 6)) == []
    assert caplog.text.count('0 of 8 instance classes have a transition, too few for 4 clusters; the map is postp') == 2
    assert not runner.model.labeller.mapped and (runner.model.labeller.class_map == -1).all()
    runner.model.labeller.counts[1, 2] = 9
    assert run(hook, runner, [6]) == [], 'two classes move, four clusters are wanted'
    runner.model.labeller.counts.copy_(inside())
    assert run(hook, runner, range(7, 11)) == [8, 10] and runner.model.labeller.mapped


# ---- what

@pytest.mark.parametrize('options', [{}, dict(norm='sym_degree'), dict(norm='jaccard'),
                                     dict(method='average'), dict(method='spectral')])
def test_groups_that_exchange_images_are_clusters(options):
    runner = runner_with(inside())
    run(TransitionHook(interval=1, **options), runner, [1])
    found = runner.model.labeller.class_map
    assert same_partition(found, GROUPS) and set(found.tolist()) == set(range(K))
    assert scalar(runner, 'map_churn') == 1 and scalar(runner, 'silent_share') == 0
    total = inside().sum()
    assert scalar(runner, 'inside_share') == pytest.approx(float((total - 1) / total))
    similarity = transition_similarity(inside(), 5, options.get('norm', 'minmax'))
    far = dissimilarity(similarity)
    nearest = sum(min(sum(float(far[i, m]) for i in range(M) if found[i] == c) for m in range(M) if found[m] == c)
                  for c in range(K))
    assert scalar(runner, 'medoid_objective') == pytest.approx(nearest / M)
    assert scalar(runner, 'silhouette') == pytest.approx(silhouette_score(far.numpy(), found, metric='precomputed'))


def test_names_stay():
    runner = runner_with(inside())
    names = torch.tensor([3, 2, 0, 1])
    runner.model.labeller.set_map(names[GROUPS])
    runner.model.labeller.counts.copy_(inside(GROUPS.clone().index_fill_(0, torch.tensor([7]), 0)))
    run(TransitionHook(interval=1), runner, [1])
    assert runner.model.labeller.class_map[:7].tolist() == names[GROUPS][:7].tolist()
    assert scalar(runner, 'map_churn') == 1 / M


def test_the_first_map_takes_the_names_of_the_head():
    head = dict(type='LinearClusterHead', in_channels=D, num_clusters=K)
    runner = runner_with(inside(), head=head)
    order = torch.tensor([1, 3, 0, 2])
    with torch.no_grad():
        runner.model.head.fc.weight.copy_(torch.eye(K, D)[order])
        runner.model.head.fc.bias.zero_()
    blob = blobs()[1]
    members = [(group == GROUPS).nonzero().flatten() for group in range(K)]
    runner.model.bank.fill(pred=torch.stack([members[b][i % 2] for i, b in enumerate(blob.tolist())]))
    hook = TransitionHook(interval=1, align_first='head')
    run(hook, runner, [1])
    named = runner.model.labeller.class_map
    assert torch.equal(named[runner.model.bank.pred], torch.argsort(order)[blob])
    hook.features = lambda runner: pytest.fail('only the first map asks the head')
    run(hook, runner, [2])
    assert torch.equal(runner.model.labeller.class_map, named)


@pytest.mark.parametrize('options, problem', [(dict(align_first='yes'), "one of .*'head', None.*got 'yes'"),
                                              (dict(interval=0), 'interval must be at least 1, got 0'),
                                              (dict(starts=0), 'starts must be at least 1, got 0'),
                                              (dict(norm='other'), "one of .*'minmax'.*got 'other'"),
                                              (dict(method='other'), "one of .*'pam'.*got 'other'")])
def test_wrong_options(options, problem):
    with pytest.raises(ValueError, match=problem):
        TransitionHook(**options)


# ---- prototypes

def select(embed, **options):
    return LABEL_SELECTORS.build(dict(type='AccompaniedPrototypes', num_clusters=K, **options))(embed)


def test_prototypes_are_balanced_and_near_their_centres():
    rows, blob = torch.from_numpy(blobs()[0]), blobs()[1]
    target = select(rows, per_cluster=3)
    chosen = (target >= 0).nonzero().flatten()
    assert torch.bincount(target[chosen]).tolist() == [3] * K
    assert same_partition(target[chosen], blob[chosen])
    unit = torch.nn.functional.normalize(rows.double(), dim=1)
    for c in range(K):
        mine = blob == blob[target == c][0]
        centre = torch.nn.functional.normalize(unit[mine].mean(0), dim=0)
        expected = (unit @ centre).masked_fill(~mine, -1).topk(3).indices
        assert set(expected.tolist()) == set((target == c).nonzero().flatten().tolist())


def test_prototypes_from_random_centres():
    rows = torch.randn(N, D, generator=torch.Generator().manual_seed(5))
    unit, found = torch.nn.functional.normalize(rows, dim=1), []
    for init in ('k-means++', 'random'):
        centres = kmeans(unit, K, n_init=2, seed=3, init='random' if init == 'random' else None).centers
        expected = accompanied_prototypes(unit, centres, 3)
        found.append(select(rows, per_cluster=3, n_init=2, seed=3, init=init))
        assert torch.equal((found[-1] >= 0).nonzero().flatten(), expected.index)
        assert torch.equal(found[-1][expected.index], expected.target)
    assert not torch.equal(*found)


def test_prototypes_of_identical_images():
    """No image stands for a cluster more than another; there are as many as asked for nevertheless."""
    for init in ('k-means++', 'random'):
        target = select(torch.ones(30, 5), per_cluster=2, init=init)
        assert torch.bincount(target[target >= 0], minlength=K).tolist() == [2] * K
    with pytest.raises(ValueError, match='7 images cannot give each of 4 clusters per_cluster=2 of its own; lower it'):
        select(torch.ones(7, 5), per_cluster=2)


def test_wrong_prototypes():
    with pytest.raises(ValueError, match=r"init must be one of \('k-means\+\+', 'random'\), got 'rand'"):
        select(None, init='rand')
    with pytest.raises(ValueError, match='per_cluster must be at least 1, got 0'):
        select(None, per_cluster=0)
    with pytest.raises(ValueError, match="use a SelectHook with output='embed'"):
        select(None)
