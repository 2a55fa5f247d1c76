"""An interrupted run that goes on equals one that was never interrupted, bit for bit."""
import copy
import json
import os
import shutil
from operator import attrgetter
from pathlib import Path

import pytest
import torch
from killed import Killed
from mmengine.hooks import Hook
from reduced import clusmatch_cfg, differences, load, propos_cfg, train, write_base, write_digits, write_recipe

from mmcluster.engine.extract import unwrap
from mmcluster.recipes import recipe
from mmcluster.registry import HOOKS

pytestmark = pytest.mark.usefixtures('engine')
EPOCHS, STEPS = 4, 3
# In the middle of the second epoch, before the gate opens, and of the last one: after it, between two E-steps.
KILLED = (STEPS + 1, 3 * STEPS + 1)
SCALARS = dict(ProPos=('psl_weight', 'sigma', 'teacher.decay'), Boost=('teacher.decay', 'pseudo_label_loss.decay'))


@HOOKS.register_module(force=True)
class Watch(Hook):
    """Notes at every step what moves with time, and which rows were drawn; a repeated step replaces its entry."""

    seen: dict = {}

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        model, loader = unwrap(runner.model), runner.train_dataloader
        scalars = [attrgetter(name)(model) for name in SCALARS[type(model).__name__]]
        rates = [group['lr'] for group in runner.optim_wrapper.param_groups]
        pools = {name: stream.rows.tolist() for name, stream in loader.sampler.streams.items()}
        drawn = {name: rows.index.tolist() for name, rows in data_batch.items()}
        losses = {name: value.item() for name, value in outputs.items()}
        self.seen[runner.iter] = [runner.epoch, scalars, rates, pools, drawn, losses]


@pytest.fixture
def built(monkeypatch):
    """Work dirs of all Runners that were built, in order."""
    names, original = [], recipe.build_runner

    def build_runner(cfg):
        names.append(os.path.basename(cfg.work_dir))
        return original(cfg)

    monkeypatch.setattr(recipe, 'build_runner', build_runner)
    return names


def outcome(path):
    """What must be equal: weights, bank, thresholds and queue, optimiser, schedules, counters."""
    form = load(path)
    meta = {key: form['meta'][key] for key in ('epoch', 'iter', 'seed')}
    return {**{key: form[key] for key in ('state_dict', 'optimizer', 'param_schedulers')}, 'meta': meta}


def stage_cfg(method, work_dir, data, base, **options):
    cfg = propos_cfg(work_dir, data, EPOCHS, **options) if method == 'propos' else clusmatch_cfg(
        work_dir, data, base, EPOCHS, **options)
    cfg.custom_hooks.append(dict(type='Watch', priority='LOWEST'))
    return cfg


@pytest.mark.parametrize('door', ['memory', 'worker'])
@pytest.mark.parametrize('method', ['propos', 'clusmatch'])
def test_interrupted_equals_uninterrupted(tmp_path, kill, method, door):
    data, base = write_digits(tmp_path), write_base(tmp_path / 'base.pth', write_digits(tmp_path))
    Watch.seen = {}
    whole = outcome(train(stage_cfg(method, tmp_path / 'whole', data, base, door=door))['train'])
    steps = Watch.seen
    assert list(steps) == list(range(EPOCHS * STEPS)) and whole['meta']['iter'] == EPOCHS * STEPS
    for num_workers in (0, 2):
        shutil.copy(base, tmp_path / 'gone.pth')
        cfg = stage_cfg(method, tmp_path / f'parts{num_workers}', data, str(tmp_path / 'gone.pth'), door=door,
                        num_workers=num_workers)
        Watch.seen = {}
        for i, iteration in enumerate(KILLED):
            kill(iteration)
            with pytest.raises(Killed):
                train(cfg, resume=bool(i))
            (tmp_path / 'gone.pth').unlink(missing_ok=True)  # the base is read once
        kill(None)
        parts = outcome(train(cfg, resume='auto')['train'])
        assert differences(whole, parts) == []
        assert differences(steps, dict(sorted(Watch.seen.items()))) == []


def test_the_runs_have_something_to_lose(tmp_path):
    """The comparison would be empty if labels, thresholds, queue or schedules stood still."""
    data = write_digits(tmp_path)
    for method, moving in (('propos', ['bank.label', 'queue', 'queue_pointer', 'teacher.neck.fc2.weight']),
                           ('clusmatch', ['bank.label', 'pseudo_label_loss.negative_thresholds', 'teacher.head.fc.weight'])):
        Watch.seen = {}
        cfg = stage_cfg(method, tmp_path / method, data, write_base(tmp_path / 'base.pth', data))
        folder = os.path.dirname(train(cfg)['train'])
        first, last = (load(os.path.join(folder, f'epoch_{n}.pth')) for n in (2, 4))
        assert set(moving) <= set(differences(first['state_dict'], last['state_dict']))
        assert differences(first['optimizer'], last['optimizer']) and first['param_schedulers']
        assert any(key.endswith(('exp_avg', 'momentum_buffer'))
                   for slot in last['optimizer']['state'].values() for key in slot)
        rates = [seen[2] for seen in Watch.seen.values()]
        assert rates[0] != rates[-1]
        if method == 'propos':
            gate, _, decay = zip(*[seen[1] for seen in Watch.seen.values()])
            assert gate == (0.,) * 6 + (0.1,) * 6 and len(set(decay)) == EPOCHS * STEPS
            assert any(len(set(seen[4]['batch'])) < 20 for seen in Watch.seen.values()), 'drawn with replacement'
        else:
            assert all(set(seen[4]['labelled']) <= set(seen[3]['labelled']) for seen in Watch.seen.values())
            assert len(Watch.seen[0][3]['labelled']) < 60


def test_a_resumed_run_forgets_nothing_that_is_planted(tmp_path, kill):
    data = write_digits(tmp_path)
    cfg = propos_cfg(tmp_path / 'whole', data, EPOCHS)
    cfg.custom_hooks.append(dict(type='Forgetful', priority='LOWEST'))
    whole = outcome(train(cfg)['train'])
    cfg.work_dir = str(tmp_path / 'parts')
    kill(KILLED[0])
    with pytest.raises(Killed):
        train(cfg)
    kill(None)
    parts = outcome(train(cfg, resume=True)['train'])
    assert 'state_dict.predictor.fc2.weight' in differences(whole, parts)


@HOOKS.register_module(force=True)
class Forgetful(Hook):
    """Counts its own steps, against the law, and lets the weights depend on it."""

    steps = 0

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        self.steps += 1
        with torch.no_grad():
            unwrap(runner.model).predictor.fc2.weight.mul_(1 - 1e-3 * self.steps)


def times(folder):
    return {path.name: path.stat().st_mtime_ns for path in Path(folder).glob('*') if path.is_file()}


def test_a_recipe_goes_on_in_the_stage_that_was_interrupted(tmp_path, kill, built):
    data = write_digits(tmp_path)
    stages = dict(propos=propos_cfg('', data, epochs=2, warmup=1), clusmatch=clusmatch_cfg('', data, epochs=3))
    cfg = write_recipe(tmp_path, stages)
    whole = {name: outcome(path) for name, path in train(cfg).items()}
    work = tmp_path / 'parts'
    cfg.work_dir = str(work)
    built.clear()
    kill(2 * STEPS + 1)  # the first stage has as many steps less one
    with pytest.raises(Killed):
        train(cfg)
    before = times(work / 'propos')
    assert built == ['propos', 'clusmatch'] and not (work / 'clusmatch' / 'done.json').exists()
    shutil.move(work / 'propos' / 'epoch_2.pth', tmp_path / 'elsewhere.pth')
    before.pop('epoch_2.pth')
    kill(None)
    train(cfg)
    shutil.move(tmp_path / 'elsewhere.pth', work / 'propos' / 'epoch_2.pth')
    assert built == ['propos', 'clusmatch', 'clusmatch']
    assert before.items() <= times(work / 'propos').items()
    last = times(work / 'clusmatch')
    paths = train(cfg)
    assert len(built) == 3 and times(work / 'clusmatch') == last, 'the third time nothing was trained'
    assert paths == {name: str(work / name / f'epoch_{n}.pth') for name, n in (('propos', 2), ('clusmatch', 3))}
    assert differences(whole, {name: outcome(path) for name, path in paths.items()}) == []


def test_a_checkpoint_takes_the_place_of_a_stage(tmp_path, built):
    data = write_digits(tmp_path)
    cfg = write_recipe(tmp_path, dict(propos=propos_cfg('', data), clusmatch=clusmatch_cfg('', data, epochs=1)))
    given = write_base(tmp_path / 'given.pth', data, seed=5)
    cfg.merge_from_dict({'stages.propos.checkpoint': given})
    paths = train(cfg)
    assert built == ['clusmatch'] and paths['propos'] == given
    chosen, label = (load(paths['clusmatch'])['state_dict'][f'bank.{name}'] for name in ('target', 'label'))
    assert (chosen >= 0).any() and (label >= 0).all()
    cfg.stages.propos.checkpoint = str(tmp_path / 'nothing.pth')
    with pytest.raises(FileNotFoundError, match=r'stages\.propos\.checkpoint.*nothing\.pth'):
        train(cfg)


def test_what_would_lose_a_run_is_refused(tmp_path, kill, built):
    data = write_digits(tmp_path)
    cfg = propos_cfg(tmp_path / 'work', data, epochs=2)
    kill(STEPS + 1)
    with pytest.raises(Killed):
        train(cfg)
    kill(None)
    longer = copy.deepcopy(cfg)
    longer.work_dir = str(shutil.copytree(tmp_path / 'work', tmp_path / 'longer'))
    longer.train_cfg.max_epochs = 3
    with pytest.raises(FileExistsError, match=r'unfinished run \(epoch_1.pth\).*--resume'):
        train(cfg)
    changed = cfg.copy()
    changed.merge_from_dict({'optim_wrapper.optimizer.lr': 0.01, 'model.temperature': 0.25})
    with pytest.raises(ValueError) as error:
        train(changed, resume=True)
    assert 'model.temperature: 0.5 -> 0.25' in str(error.value)
    assert 'optim_wrapper.optimizer.lr: 0.05 -> 0.01' in str(error.value)
    assert len(built) == 1, 'nothing was built'
    free = cfg.copy()
    free.merge_from_dict({'train_dataloader.num_workers': 2, 'log_level': 'ERROR'})
    finished = train(free, resume=True)['train']
    with pytest.raises(ValueError, match='model.temperature'):
        train(changed)  # a finished run of another config is not this run
    assert train(changed, allow_config_change=True)['train'] == finished and len(built) == 2
    again = train(changed, overwrite=True)['train']
    assert len(built) == 3 and load(again)['meta']['epoch'] == 2
    assert json.loads((tmp_path / 'work' / 'done.json').read_text())['config']['model']['temperature'] == 0.25
    with pytest.raises(ValueError, match='train_cfg.max_epochs: 2 -> 3'):
        train(longer, resume=True)
    assert load(train(longer, resume=True, allow_config_change=True)['train'])['meta']['epoch'] == 3


def test_a_work_dir_can_be_moved(tmp_path, kill):
    data = write_digits(tmp_path)
    cfg = write_recipe(tmp_path, dict(propos=propos_cfg('', data, epochs=1), clusmatch=clusmatch_cfg('', data)))
    kill(STEPS + 1)
    with pytest.raises(Killed):
        train(cfg)
    kill(None)
    shutil.move(tmp_path / 'work', tmp_path / 'moved')
    cfg.work_dir = str(tmp_path / 'moved')
    paths = train(cfg)
    assert paths['clusmatch'] == str(tmp_path / 'moved' / 'clusmatch' / 'epoch_4.pth')
