"""When thresholds move: delayed, thinned out, frozen, logged, and resumed to the bit."""
from types import SimpleNamespace

import pytest
import torch
from killed import Killed
from reduced import clusmatch_cfg, differences, load, train, write_base, write_digits
from ssl_rows import LOSSES, bank_of, make, rows

from mmcluster.engine.hooks import ThresholdHook
from mmcluster.models import ClusMatchLoss

from .fake import fake_runner, rowwise

MOVING = [name for name in LOSSES if not name.startswith(('fixmatch', 'mutexmatch'))]


def loss_of(name):
    return ClusMatchLoss(num_clusters=5, decay=0.5) if name == 'clusmatch' else make(name)


@pytest.mark.parametrize('name', ['clusmatch', *MOVING])
def test_every_loss_with_moving_thresholds_says_where_they_are_and_can_be_stopped(name):
    loss = loss_of(name)
    bank = bank_of(loss)
    bank.fill(**{field: torch.arange(40) % 5 for field in loss.fields})
    for seed, moving in enumerate((True, False, True)):
        before, state = loss.thresholds().clone(), {key: value.clone() for key, value in loss.state_dict().items()}
        loss.moving = moving
        loss.loss(*rows(seed), bank)
        after = loss.thresholds()
        assert after.shape in ((5,), (1,)) and bool(((after >= 0) & (after <= 1)).all())
        if moving:
            assert not torch.equal(before, after)
        else:
            assert torch.equal(before, after)
            assert all(torch.equal(state[key], value) for key, value in loss.state_dict().items())


def test_when():
    hook = ThresholdHook(begin=1, freeze=3, interval=2)
    assert [(epoch, i) for epoch in range(4) for i in range(4 * epoch, 4 * epoch + 4) if hook.due(epoch, i)] == [
        (1, 4), (1, 6), (2, 8), (2, 10)]
    assert all(ThresholdHook().due(epoch, i) for epoch in range(3) for i in range(5))


@pytest.mark.parametrize('options', [dict(begin=-1), dict(interval=0), dict(begin=2, freeze=1), dict(log_interval=0),
                                     dict(begin=0.5)])
def test_numbers_that_make_no_sense(options):
    with pytest.raises(ValueError, match='ThresholdHook: '):
        ThresholdHook(**options)


@pytest.mark.parametrize('name', [None, 'fixmatch'])
def test_it_refuses_what_does_not_move(name):
    model = rowwise() if name is None else SimpleNamespace(pseudo_label_loss=make(name))
    with pytest.raises(ValueError, match='drop the hook'):
        ThresholdHook().before_train(fake_runner(model))


def test_the_curve_is_logged():
    loss, logged = make('freematch'), {}
    loss.p_model.copy_(torch.tensor([0.5, 0.5, 0.25, 0.25, 0.25]))
    loss.time_p.fill_(0.8)
    hub = SimpleNamespace(update_scalar=lambda key, value: logged.setdefault(key, []).append(round(value, 4)))
    runner = fake_runner(SimpleNamespace(pseudo_label_loss=loss), message_hub=hub)
    for runner.iter in range(5):
        ThresholdHook(log_interval=3).after_train_iter(runner, 0)
    ThresholdHook().after_train_epoch(runner)
    expected = torch.tensor([0.8, 0.8, 0.4, 0.4, 0.4])
    assert logged == {'train/threshold_mean': 2 * [round(float(expected.mean()), 4)],
                      'train/threshold_spread': 2 * [round(float(expected.std(correction=0)), 4)]}


def outcome(work_dir):
    return load(work_dir / 'epoch_4.pth')['state_dict']


@pytest.fixture(scope='module')
def digits(tmp_path_factory):
    folder = tmp_path_factory.mktemp('digits')
    data = write_digits(folder)
    return data, write_base(folder / 'base.pth', data)


def cfg_of(work_dir, digits, **hook):
    cfg = clusmatch_cfg(work_dir, *digits)
    if hook:
        cfg.custom_hooks.append(dict(type='ThresholdHook', **hook))
    return cfg


def test_runs(tmp_path, digits, kill, engine):
    """The defaults change nothing; frozen thresholds stay; an interrupted run that goes on equals a whole one."""
    kill(None)
    options = dict(plain={}, default=dict(log_interval=2), frozen=dict(begin=1, freeze=2, interval=2))
    for name, hook in options.items():
        train(cfg_of(tmp_path / name, digits, **hook))
    assert differences(outcome(tmp_path / 'plain'), outcome(tmp_path / 'default')) == []
    states = [load(tmp_path / 'frozen' / f'epoch_{i}.pth')['state_dict'] for i in (1, 2, 4)]
    moved = [state['pseudo_label_loss.negative_thresholds'] for state in states]
    assert not torch.equal(moved[0], moved[1]) and torch.equal(moved[1], moved[2])
    kill(4)
    with pytest.raises(Killed):
        train(cfg_of(tmp_path / 'killed', digits, **options['frozen']))
    kill(None)
    train(cfg_of(tmp_path / 'killed', digits, **options['frozen']), resume=True)
    assert differences(outcome(tmp_path / 'frozen'), outcome(tmp_path / 'killed')) == []
