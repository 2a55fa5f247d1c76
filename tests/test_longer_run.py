"""A run that is done can be trained on to the end of a longer config, and loses nothing before it is there."""
import copy
import json
import logging
from pathlib import Path

import pytest
from killed import Killed
from reduced import clusmatch_cfg, differences, load, propos_cfg, train, write_base, write_digits, write_recipe

from mmcluster.recipes import progress, recipe
from mmcluster.recipes.changes import trains_longer

pytestmark = pytest.mark.usefixtures('engine')
STEPS = 3


@pytest.fixture
def told(monkeypatch):
    """What the run says about its work dir, in lines."""
    lines = []
    monkeypatch.setattr(progress, 'print_log', lambda text, logger=None, level=logging.INFO: lines.append(text))
    return lines


def constant(cfg, keep=1):
    """No schedule depends on the length, so that the longer run is a continuation of the shorter one."""
    cfg.pop('param_scheduler')
    cfg.custom_hooks = [hook for hook in cfg.custom_hooks if 'cosine' not in hook]
    cfg.default_hooks.checkpoint.max_keep_ckpts = keep
    return cfg


def longer(cfg, epochs, **changes):
    cfg = copy.deepcopy(cfg)
    cfg.train_cfg.max_epochs = epochs
    cfg.merge_from_dict(changes)
    return cfg


def done(folder):
    return json.loads((Path(folder) / 'done.json').read_text())


def test_trained_on_to_a_later_end(tmp_path, kill, told):
    data = write_digits(tmp_path)
    whole = load(train(constant(propos_cfg(tmp_path / 'whole', data, epochs=4)))['train'])
    cfg, work = constant(propos_cfg(tmp_path / 'work', data, epochs=2)), tmp_path / 'work'
    first = train(cfg)['train']
    more = longer(cfg, 4)
    with pytest.raises(ValueError, match='max_epochs: 2 -> 4(.|\n)*train on from epoch_2.pth to the new end with '
                                         '--resume --allow-config-change'):
        train(more)
    told.clear()
    assert train(more, allow_config_change=True)['train'] == first and done(work)['checkpoint'] == 'epoch_2.pth'
    assert told == [f'{work} is done: epoch_2.pth; it was trained with its own config and stays as it is, add '
                    f'--resume to train on to the new end']
    summary = (work / 'summary.json').read_text()
    kill(3 * STEPS + 1)
    with pytest.raises(Killed):
        train(more, resume=True, allow_config_change=True)
    assert done(work)['checkpoint'] == 'epoch_2.pth' and (work / 'summary.json').read_text() == summary
    assert (work / 'epoch_2.pth').is_file() and (work / 'epoch_3.pth').is_file()
    assert train(cfg)['train'] == first and told[-1] == f'{work} is done: epoch_2.pth'
    with pytest.raises(FileExistsError, match=r'unfinished run \(epoch_3.pth\).*--resume'):
        train(more)
    kill(None)
    last = train(more, resume=True)['train']
    assert last == str(work / 'epoch_4.pth') and done(work)['config']['train_cfg']['max_epochs'] == 4
    assert (work / 'epoch_2.pth').is_file() and not (work / 'epoch_3.pth').exists()
    found = load(last)
    assert differences({key: whole[key] for key in ('state_dict', 'optimizer')},
                       {key: found[key] for key in ('state_dict', 'optimizer')}) == []
    assert json.loads((work / 'summary.json').read_text())['epochs'] == 4
    assert train(more, resume=True)['train'] == last


def test_a_done_run_that_does_not_get_longer_stays_as_it_is(tmp_path, told):
    cfg = constant(propos_cfg(tmp_path / 'work', write_digits(tmp_path), epochs=2))
    first = train(cfg)['train']
    for changed in (longer(cfg, 1), longer(cfg, 2, **{'model.temperature': 0.25})):
        with pytest.raises(ValueError, match='keep its result as it is with --allow-config-change'):
            train(changed, resume=True)
        told.clear()
        assert train(changed, resume=True, allow_config_change=True)['train'] == first
        assert told == [f'{tmp_path / "work"} is done: epoch_2.pth; it was trained with its own config and stays as it '
                        f'is']
    assert load(first)['meta']['epoch'] == 2


def test_a_run_that_was_cut_off_is_not_taken_for_a_shorter_one(tmp_path, kill):
    cfg = constant(propos_cfg(tmp_path / 'work', write_digits(tmp_path), epochs=4))
    kill(2 * STEPS + 1)
    with pytest.raises(Killed):
        train(cfg)
    kill(None)
    with pytest.raises(ValueError, match=r'epoch_2\.pth was trained for 2 epochs, the config asks for 1: .*--overwrite'):
        train(longer(cfg, 1), resume=True, allow_config_change=True)
    train(longer(cfg, 2), resume=True, allow_config_change=True)


def test_a_file_to_resume_from_is_not_ignored(tmp_path):
    cfg = constant(propos_cfg(tmp_path / 'work', write_digits(tmp_path), epochs=2), keep=-1)
    last = train(cfg)['train']
    early = str(tmp_path / 'work' / 'epoch_1.pth')
    for file, config in ((early, cfg), (last, cfg), (early, longer(cfg, 3))):
        with pytest.raises(FileExistsError, match='is done .*--resume .* would train over its results'):
            train(config, resume=file, allow_config_change=True)
    with pytest.raises(FileNotFoundError, match='no file .*gone.pth'):
        train(cfg, resume=str(tmp_path / 'gone.pth'))
    with pytest.raises(ValueError, match='--overwrite starts anew'):
        train(cfg, resume=last, overwrite=True)
    assert train(longer(cfg, 3), resume=last, allow_config_change=True)['train'].endswith('epoch_3.pth')


def test_another_longer_config_starts_from_the_final_checkpoint_again(tmp_path, kill):
    """What an interrupted one has trained is not taken for its own, even if it comes no further than that one."""
    data = write_digits(tmp_path)
    cfg, work = constant(propos_cfg(tmp_path / 'work', data, epochs=2)), tmp_path / 'work'
    train(cfg)
    kill(4 * STEPS + 1)
    with pytest.raises(Killed):
        train(longer(cfg, 6, **{'model.temperature': 0.25}), resume=True, allow_config_change=True)
    assert (work / 'epoch_4.pth').is_file()
    kill(2 * STEPS + 1)
    other = longer(cfg, 3)
    with pytest.raises(Killed):
        train(other, resume=True, allow_config_change=True)
    kill(None)
    found = load(train(other, resume=True)['train'])
    whole = load(train(constant(propos_cfg(tmp_path / 'whole', data, epochs=3)))['train'])
    assert differences({key: whole[key] for key in ('state_dict', 'optimizer')},
                       {key: found[key] for key in ('state_dict', 'optimizer')}) == []
    assert done(work)['checkpoint'] == 'epoch_3.pth' and done(work)['config']['model']['temperature'] != 0.25


def test_a_stage_is_trained_on_without_being_asked_to(tmp_path, monkeypatch):
    data = write_digits(tmp_path)
    cfg = write_recipe(tmp_path, dict(propos=constant(propos_cfg('', data, epochs=1)),
                                      clusmatch=constant(clusmatch_cfg('', data, epochs=1))))
    cfg.stages.propos.checkpoint = write_base(tmp_path / 'base.pth', data)
    first = train(cfg)['clusmatch']
    cfg.merge_from_dict({'stages.clusmatch.options.train_cfg.max_epochs': 2})
    with pytest.raises(ValueError, match='train on from epoch_1.pth to the new end with --allow-config-change'):
        train(cfg)
    second = train(cfg, allow_config_change=True)['clusmatch']
    assert load(second)['meta']['epoch'] == 2 and Path(first).is_file()
    monkeypatch.setattr(recipe, 'build_runner', None)
    assert train(cfg)['clusmatch'] == second


def test_a_done_run_whose_checkpoint_is_gone_cannot_go_on(tmp_path):
    (tmp_path / 'done.json').write_text('{"checkpoint": "epoch_1.pth", "config": {"train_cfg": {"max_epochs": 1}}}')
    with pytest.raises(FileNotFoundError, match='--overwrite'):
        progress.starting_point(str(tmp_path), dict(train_cfg=dict(max_epochs=2)), True, False, True)


@pytest.mark.parametrize('old, new, expected', [
    (dict(max_epochs=2), dict(max_epochs=3), True), (dict(max_epochs=3), dict(max_epochs=2), False),
    (dict(max_epochs=2), dict(max_epochs=2), False), (dict(max_iters=5), dict(max_iters=9), True),
    (dict(max_epochs=2), dict(max_iters=9), False), (None, dict(max_epochs=2), False)])
def test_longer(old, new, expected):
    assert trains_longer(dict(train_cfg=old), dict(train_cfg=new)) is bool(expected)
