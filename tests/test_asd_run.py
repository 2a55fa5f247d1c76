"""Whole runs of ASD: an interrupted one equals one that was not, and labels never reach it."""
import pytest
import torch
from killed import Killed
from mmengine.hooks import Hook
from reduced import differences, load, train, write_digits
from reduced_asd import LABELLED, asd_cfg

from mmcluster.registry import HOOKS

pytestmark = pytest.mark.usefixtures('engine')
EPOCHS, STEPS = 4, 3


@HOOKS.register_module(force=True)
class WatchASD(Hook):
    """Notes the rows and losses of every step; a repeated step replaces its entry."""

    priority = 'LOWEST'
    seen: dict = {}

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        drawn = {name: rows.index.tolist() for name, rows in data_batch.items()}
        self.seen[runner.iter] = [drawn, {name: value.item() for name, value in outputs.items()}]


def watched(*args, **options):
    cfg = asd_cfg(*args, **options)
    cfg.custom_hooks.append(dict(type='WatchASD'))
    WatchASD.seen = {}
    return cfg


def outcome(path):
    form = load(path)
    return {key: form[key] for key in ('state_dict', 'optimizer')}


@pytest.mark.parametrize('options', [{}, dict(prototypes=True), dict(anchor_mode='frozen')], ids=['plain', 'ps', 'frozen'])
def test_interrupted_equals_uninterrupted(tmp_path, kill, options):
    data = write_digits(tmp_path)
    whole = outcome(train(watched(tmp_path / 'whole', data, **options))['train'])
    steps = dict(WatchASD.seen)
    cfg = watched(tmp_path / 'parts', data, **options)
    for i, iteration in enumerate((STEPS + 1, 3 * STEPS + 1)):
        kill(iteration)
        with pytest.raises(Killed):
            train(cfg, resume=bool(i))
    kill(None)
    assert differences(whole, outcome(train(cfg, resume='auto')['train'])) == []
    assert differences(steps, dict(sorted(WatchASD.seen.items()))) == []
    state = whole['state_dict']
    assert (state['labeller.class_map'] >= 0).all() and state['labeller.counts'].sum() > 0
    anchors = (state['bank.anchor'] >= 0).nonzero().flatten().tolist()
    assert sorted(steps[0][0]['labelled']) == anchors and len(anchors) == LABELLED
    assert all(drawn['reference'] == anchors for drawn, _ in steps.values())
    assert 'loss_sup' not in steps[1][1] and all('loss_sup' in steps[i][1] for i in range(2 * STEPS, EPOCHS * STEPS))
    distinct = {tuple(sorted(drawn['labelled'])) for drawn, _ in steps.values()}
    assert len(distinct) == EPOCHS if 'prototypes' in options else len(distinct) > EPOCHS


def test_labels_leave_the_weights_bit_identical(tmp_path):
    found = [outcome(train(asd_cfg(tmp_path / f'{permute}', write_digits(tmp_path / 'data', permute), epochs=2))['train'])
             for permute in (None, 1)]
    assert differences(*found) == []
    assert torch.isfinite(found[0]['state_dict']['labeller.head.weight']).all()


@pytest.mark.parametrize('kind', ['AnchorHook', 'TransitionHook', 'TeacherHook'])
def test_a_missing_hook_is_named(tmp_path, kind):
    cfg = asd_cfg(tmp_path / 'work', write_digits(tmp_path), epochs=1)
    cfg.custom_hooks = [hook for hook in cfg.custom_hooks if hook.type != kind]
    with pytest.raises(ValueError, match=rf"Boost needs dict\(type='{kind}'\)"):
        train(cfg)


def test_a_number_of_labelled_rows_that_does_not_fit_the_prototypes(tmp_path):
    cfg = asd_cfg(tmp_path / 'work', write_digits(tmp_path), epochs=1, prototypes=True)
    cfg.custom_hooks[0].selector.per_cluster = 3
    with pytest.raises(ValueError, match='AnchorHook: 12 rows for 8 instance classes'):
        train(cfg)


@pytest.mark.parametrize('loss', [dict(type='FixMatchLoss', threshold=0.5), dict(type='MixMatchLoss'),
                                  dict(type='MutexMatchLoss', in_channels=8, threshold=0.5)])
def test_other_losses_train(tmp_path, loss):
    cfg = watched(tmp_path / 'work', write_digits(tmp_path), epochs=2)
    cfg.model.pseudo_label_loss = dict(num_clusters=4, **loss)
    state = outcome(train(cfg)['train'])['state_dict']
    assert all(torch.isfinite(value).all() for value in state.values() if value.is_floating_point())
    assert 'loss_sup' in WatchASD.seen[5][1] and 'loss_sup' not in WatchASD.seen[1][1]
