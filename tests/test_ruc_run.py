"""Whole runs of RUC: turns, resume in either turn, labels that grow, and labels of ASD."""
import shutil

import pytest
import torch
from killed import Killed
from mmengine.hooks import Hook
from reduced import K, differences, load, train, write_digits, write_recipe
from reduced_ruc import LABELLED, ruc_asd_cfg, ruc_cfg
from reduced_scan import scan_cfg, selflabel_cfg, simclr_cfg

from mmcluster.engine.hooks import SeedHook, SelectHook
from mmcluster.registry import HOOKS

pytestmark = pytest.mark.usefixtures('engine')
STAGES = dict(simclr=simclr_cfg, scan_cluster=scan_cfg, scan_selflabel=selflabel_cfg)
STEPS = 3


@HOOKS.register_module(force=True)
class WatchTurns(Hook):
    """Notes every step: turn, losses, what moved, and momenta. A repeated step replaces its entry."""

    priority = 'LOWEST'
    seen: dict = {}
    before: dict = {}

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        WatchTurns.before = {name: value.clone() for name, value in runner.model.state_dict().items()}
        WatchTurns.before['momenta'] = momenta(runner)

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        state = dict(runner.model.state_dict(), momenta=momenta(runner))
        moved = {name for name in state if differences(state[name], self.before[name])}
        self.seen[runner.iter] = [runner.model.turn, moved, {name: value.item() for name, value in outputs.items()}]


def momenta(runner):
    """Name -> momentum of the parameters that have one."""
    names = {param: name for name, param in runner.model.named_parameters()}
    state = runner.optim_wrapper.optimizer.state
    return {names[param]: entry['momentum_buffer'].clone() for param, entry in state.items()}


@pytest.fixture(scope='module')
def bases(tmp_path_factory):
    """Data, and checkpoints of the self-labelled SCAN and of SimCLR."""
    folder = tmp_path_factory.mktemp('bases')
    data = write_digits(folder)
    trained = train(write_recipe(folder, {name: make('', data) for name, make in STAGES.items()}))
    return data, (trained['scan_selflabel'], trained['simclr'])


def watched(cfg):
    cfg.custom_hooks.append(dict(type='WatchTurns'))
    WatchTurns.seen = {}
    return cfg


def outcome(path):
    return {key: load(path)[key] for key in ('state_dict', 'optimizer', 'param_schedulers')}


def network_of(name):
    """Which network a weight belongs to; ``None``: neither."""
    part = name.split('.')[0]
    return 1 if part == 'twin' else 0 if part in ('backbone', 'head') else None


@pytest.fixture(scope='module')
def whole(bases, tmp_path_factory):
    """Steps and outcome of a run, and its folder."""
    data, given = bases
    folder = tmp_path_factory.mktemp('whole')
    path = train(watched(ruc_cfg(folder, data, given)))['train']
    return dict(WatchTurns.seen), outcome(path), folder


def test_networks_train_in_turns(whole):
    """The one that rests keeps weights and momentum, without decay, and moves its statistics."""
    steps, _, _ = whole
    assert [turn for turn, _, _ in steps.values()] == [0] * STEPS + [1] * STEPS + [0] * STEPS + [1] * STEPS
    for turn, moved, _ in steps.values():
        weights = {name for name in moved if not name.startswith(('bank', 'momenta')) and 'running' not in name
                   and 'tracked' not in name}
        assert {network_of(name) for name in weights} == {turn}
        assert {network_of(name) for name in moved if 'running_mean' in name} == {0, 1}
        assert all(network_of(name[len('momenta.'):]) == turn for name in moved if name.startswith('momenta.'))
    assert all({'loss_sup', 'loss_unsup', 'loss_smooth'} <= set(losses) for _, _, losses in steps.values())


def test_the_clean_rows_grow(whole):
    """The first turn ends with confidences of the first network, the second with both."""
    _, final, folder = whole
    states = [load(str(folder / f'epoch_{i}.pth'))['state_dict'] for i in range(1, 5)]
    counts = [int((state['bank.target'] >= 0).sum()) for state in states]
    assert counts[0] > 0 and counts == sorted(counts) and counts[-1] > counts[0]
    for first, second in zip(states, states[1:]):
        known = first['bank.target'] >= 0
        assert torch.equal(first['bank.target'][known], second['bank.target'][known]), 'a label never changes'
    assert (states[0]['bank.confidence'][:, 1] == -1).all() and (states[0]['bank.confidence'][:, 0] > 0).any()
    assert not torch.equal(states[1]['bank.confidence'], states[2]['bank.confidence'])
    assert torch.equal(states[1]['bank.confidence'][:, 1], states[2]['bank.confidence'][:, 1])
    assert 'bank.weight' not in states[0] and final['state_dict']['bank.target'].max() < K


@pytest.mark.parametrize('epoch', [1, 2], ids=['twin', 'first'])
def test_an_interrupted_run_goes_on_bit_for_bit(whole, bases, tmp_path, monkeypatch, epoch):
    """Also when the networks of earlier stages are gone."""
    steps, expected, _ = whole
    given = [shutil.copy(path, tmp_path / f'{i}.pth') for i, path in enumerate(bases[1])]
    cfg, original = watched(ruc_cfg(tmp_path / 'cut', bases[0], tuple(map(str, given)))), SeedHook.before_train_iter

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        if runner.iter == epoch * STEPS + 1:
            raise Killed
        original(self, runner, batch_idx, data_batch)

    monkeypatch.setattr(SeedHook, 'before_train_iter', before_train_iter)
    with pytest.raises(Killed):
        train(cfg)
    monkeypatch.undo()
    for path in given:
        path.unlink()
    monkeypatch.setattr(SelectHook, 'estimate', lambda *args: pytest.fail('rows were chosen again'))
    assert differences(expected, outcome(train(cfg, resume=True)['train'])) == []
    assert WatchTurns.seen == steps


def test_half_precision(bases, tmp_path):
    """Casts made without gradient do not serve the passes with one."""
    cfg = watched(ruc_cfg(tmp_path / 'work', *bases, epochs=2))
    cfg.optim_wrapper.type = 'AutocastOptimWrapper'
    train(cfg)
    for turn, moved, losses in WatchTurns.seen.values():
        assert ['backbone.stages.0.0.conv.weight', 'twin.backbone.stages.0.0.conv.weight'][turn] in moved
        assert all(value == value for value in losses.values())


def test_labels_leave_the_weights_bit_identical(whole, bases, tmp_path):
    data = write_digits(tmp_path, permute=1)
    assert differences(whole[1], outcome(train(ruc_cfg(tmp_path / 'work', data, bases[1]))['train'])) == []


@pytest.mark.parametrize('kind, problem', [
    ('TurnHook', r"RUC needs dict\(type='TurnHook'\)"), ('SelectHook', 'Let a SelectHook with HybridClean')])
def test_a_missing_hook_is_named(bases, tmp_path, kind, problem):
    cfg = ruc_cfg(tmp_path / 'work', *bases, epochs=1)
    cfg.custom_hooks = [hook for hook in cfg.custom_hooks if hook.type != kind]
    with pytest.raises(ValueError, match=problem):
        train(cfg)


def test_a_turn_hook_without_a_twin(bases, tmp_path):
    cfg = selflabel_cfg(tmp_path / 'work', bases[0], epochs=1)
    cfg.model.base.pop('init_cfg')
    cfg.custom_hooks = [dict(type='TurnHook')]
    with pytest.raises(ValueError, match='TurnHook: Boost has no twin'):
        train(cfg)


# ---- with ASD's labels

@pytest.mark.parametrize('options', [{}, dict(teacher=dict(decay=0.9))], ids=['network', 'teacher'])
def test_asd_labels_the_clean_part(bases, tmp_path, options):
    """Before the first map the first network keeps its turn and learns instance classes."""
    data, given = bases
    cfg = watched(ruc_asd_cfg(tmp_path / 'work', data, given[0], **options))
    cfg.custom_hooks[1].interval = 2 * STEPS
    cfg.custom_hooks += [dict(type='TeacherHook')] * bool(options)
    state = outcome(train(cfg)['train'])['state_dict']
    steps = WatchTurns.seen
    assert [turn for turn, _, _ in steps.values()] == [0] * 2 * STEPS + [0] * STEPS + [1] * STEPS + [0] * STEPS + \
        [1] * STEPS
    for i, (turn, moved, losses) in steps.items():
        terms = {name for name in losses if name.startswith('loss_')}
        known = i >= 2 * STEPS
        assert terms == {*['loss_ins'] * (turn == 0), *['loss_sup', 'loss_unsup', 'loss_smooth'] * known}
        assert ('labeller.head.weight' in moved) is (turn == 0)
        assert ('head.fc.weight' in moved) is (turn == 0 and known) and ('twin.head.fc.weight' in moved) is (turn == 1)
    assert (state['labeller.class_map'] >= 0).all() and state['taught'].all()
    assert int((state['bank.anchor'] >= 0).sum()) == LABELLED and 'bank.target' not in state


def test_an_interrupted_run_with_asd_goes_on_bit_for_bit(bases, tmp_path, monkeypatch):
    data, given = bases
    expected = outcome(train(watched(ruc_asd_cfg(tmp_path / 'whole', data, given[0])))['train'])
    steps = dict(WatchTurns.seen)
    cfg, original = watched(ruc_asd_cfg(tmp_path / 'cut', data, given[0])), SeedHook.before_train_iter
    for at in (STEPS + 1, 4 * STEPS + 1):
        def before_train_iter(self, runner, batch_idx, data_batch=None):
            if runner.iter == at:
                raise Killed
            original(self, runner, batch_idx, data_batch)

        monkeypatch.setattr(SeedHook, 'before_train_iter', before_train_iter)
        with pytest.raises(Killed):
            train(cfg, resume=at > STEPS + 1)
    monkeypatch.undo()
    assert differences(expected, outcome(train(cfg, resume=True)['train'])) == [] and WatchTurns.seen == steps
    assert {turn for turn, _, _ in steps.values()} == {0, 1}


def test_labels_leave_the_weights_bit_identical_with_asd(bases, tmp_path):
    found = [outcome(train(ruc_asd_cfg(tmp_path / f'{permute}', write_digits(tmp_path / 'data', permute), bases[1][0],
                                       epochs=3))['train']) for permute in (None, 1)]
    assert differences(*found) == []
