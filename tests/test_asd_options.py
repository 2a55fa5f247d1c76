"""Whole runs of ASD under other options, on odd data and with odd checkpoints."""
import numpy as np
import pytest
import torch
from reduced import K, N, differences
from reduced import train as trained
from reduced import write_digits
from reduced_asd import LABELLED, UNLABELLED, asd_cfg
from test_asd_run import EPOCHS, STEPS, Killed, WatchASD, outcome, watched

from mmcluster.engine.hooks import transition
from mmcluster.models.watch import ClusterWatch

pytestmark = pytest.mark.usefixtures('engine')


def drawn():
    """Labelled rows of every step, as sets."""
    return [frozenset(rows['labelled']) for _, (rows, _) in sorted(WatchASD.seen.items())]


def prototypes(work_dir, data, **select):
    """ASD_PS with other options of its SelectHook."""
    cfg = watched(work_dir, data, prototypes=True)
    cfg.custom_hooks[0].merge(select)
    return cfg


# ---- when prototypes are chosen, and from what

def test_without_refresh_the_first_prototypes_stay(tmp_path):
    state = outcome(trained(prototypes(tmp_path / 'work', write_digits(tmp_path), interval=-1))['train'])['state_dict']
    assert len(set(drawn())) == 1 and len(drawn()) == EPOCHS * STEPS
    assert drawn()[0] == set((state['bank.prototypes'] >= 0).nonzero().flatten().tolist())
    assert drawn()[0] == set((state['bank.anchor'] >= 0).nonzero().flatten().tolist())


def test_a_refresh_every_so_many_iterations(tmp_path, kill):
    """Every second epoch; an interrupted run refreshes when the whole one does."""
    data = write_digits(tmp_path)
    whole = outcome(trained(prototypes(tmp_path / 'whole', data, interval=2 * STEPS, by_epoch=False))['train'])
    rows = drawn()
    assert rows[:6] == rows[:1] * 6 and rows[6:] == rows[6:7] * 6 and rows[0] != rows[6]
    cfg = prototypes(tmp_path / 'parts', data, interval=2 * STEPS, by_epoch=False)
    kill(STEPS + 1)
    with pytest.raises(Killed):
        trained(cfg)
    kill(None)
    assert differences(whole, outcome(trained(cfg, resume='auto')['train'])) == []


def test_a_refresh_within_an_epoch_is_refused(tmp_path):
    cfg = prototypes(tmp_path / 'work', write_digits(tmp_path), interval=2, by_epoch=False)
    with pytest.raises(ValueError, match=f'SelectHook: interval=2 iterations end within an epoch, which has {STEPS}'):
        trained(cfg)


def test_prototypes_from_random_centres_train(tmp_path):
    data, found = write_digits(tmp_path), []
    for init in ('k-means++', 'random'):
        trained(prototypes(tmp_path / init, data, selector=dict(init=init)))
        found.append(drawn())
        assert all(len(rows) == LABELLED for rows in found[-1])
    assert found[0] != found[1]


# ---- bad input

def test_labelled_rows_that_clusters_cannot_share(tmp_path):
    """Ten rows for four clusters: neither two nor three of each."""
    for per_cluster, rows in ((2, 8), (3, 12)):
        cfg = prototypes(tmp_path / f'{rows}', write_digits(tmp_path), selector=dict(per_cluster=per_cluster))
        cfg.model.labeller.num_labelled = 10
        cfg.train_dataloader.sampler.streams.labelled.size = cfg.train_dataloader.sampler.streams.reference.size = 10
        with pytest.raises(ValueError, match=f'{rows} rows for 10 instance classes.* per_cluster times num_clusters'):
            trained(cfg)


@pytest.mark.parametrize('prototype', [False, True], ids=['plain', 'ps'])
def test_identical_images(tmp_path, prototype, monkeypatch):
    """Nothing tells them apart: no image moves between instance classes for long, and no figure is NaN."""
    data = write_digits(tmp_path)
    np.save(data['array'], np.full((N, 8, 8), 99, dtype=np.uint8))
    looks, perplexity = [], transition.mean_perplexity
    monkeypatch.setattr(transition, 'LOG_INTERVAL', 1)
    monkeypatch.setattr(transition, 'mean_perplexity', lambda label: looks.append(float(perplexity(label))) or looks[-1])
    cfg = watched(tmp_path / 'work', data, epochs=2, prototypes=prototype)
    cfg.model.data_preprocessor.views = dict(labelled=[[]], unlabelled=[[], []], reference=[[]])
    state = outcome(trained(cfg)['train'])['state_dict']
    assert all(torch.isfinite(value).all() for value in state.values() if value.is_floating_point())
    assert all(np.isfinite(list(losses.values())).all() for _, losses in WatchASD.seen.values())
    assert looks[1:] == [pytest.approx(LABELLED, rel=1e-4)] * (len(WatchASD.seen) - 1)
    assert (state['labeller.class_map'] == -1).all(), 'one instance class moves at a time: the map is postponed'


def test_anchors_of_another_data_set(tmp_path):
    cfg = asd_cfg(tmp_path / 'work', write_digits(tmp_path / 'one'), epochs=1)
    path = trained(cfg)['train']
    other = write_digits(tmp_path / 'two')
    np.save(other['array'], 255 - np.load(other['array']))
    cfg = asd_cfg(tmp_path / 'work2', other, epochs=2)
    with pytest.raises(ValueError, match="checkpoint's sample bank belongs to another data set"):
        trained(cfg, resume=path, allow_config_change=True)


# ---- the alarm

def test_the_alarm_changes_nothing_but_the_log(tmp_path, monkeypatch):
    data, looks = write_digits(tmp_path), []
    plain = watched(tmp_path / 'plain', data)
    plain.custom_hooks = [hook for hook in plain.custom_hooks if hook['type'] != 'CollapseHook']
    take = ClusterWatch.pop_counts
    monkeypatch.setattr(ClusterWatch, 'pop_counts', lambda self: looks.append(take(self)) or looks[-1])
    without = outcome(trained(plain)['train'])
    assert looks == []
    plain.work_dir = str(tmp_path / 'watched')
    plain.custom_hooks.append(dict(type='CollapseHook', interval=2))
    assert differences(without, outcome(trained(plain)['train'])) == []
    labelled = [step for step, (_, losses) in WatchASD.seen.items() if 'loss_sup' in losses]
    assert len(looks) == EPOCHS * STEPS // 2 + EPOCHS and 0 < len(labelled) < EPOCHS * STEPS
    predicted, given = (torch.stack(counts).sum(0) for counts in zip(*looks))
    assert predicted.sum() == UNLABELLED * len(labelled) and given.sum() == LABELLED * len(labelled)
    assert len(predicted) == K
