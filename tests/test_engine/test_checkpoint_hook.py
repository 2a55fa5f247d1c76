"""A checkpoint is whole or absent, plain, and refused by a model that it does not fit."""
import os
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.evaluator import BaseMetric
from mmengine.fileio import LocalBackend
from mmengine.logging import HistoryBuffer

from mmcluster.compat import load_checkpoint_file
from mmcluster.engine.hooks import checkpoint as module
from mmcluster.engine.hooks.checkpoint import to_plain
from mmcluster.registry import METRICS

from .toy import ToyData, toy_cfg, toy_runner


def hooks(logger=3, **checkpoint):
    return dict(logger=dict(type='LoggerHook', interval=logger), seed=dict(type='SeedHook'),
                checkpoint=dict(type='CheckpointHook', **checkpoint))


def epochs(number):
    return dict(by_epoch=True, max_epochs=number)


def train(work_dir, number=2, resume=False, **kwargs):
    runner = toy_runner(work_dir, train_cfg=epochs(number), resume=resume, default_hooks=hooks(**kwargs))
    runner.train()
    return runner


def files(work_dir):
    return sorted(name for name in os.listdir(work_dir) if '.pth' in name or 'last' in name or name.endswith('.tmp'))


def last(work_dir):
    return Path(work_dir, 'last_checkpoint').read_text()


def leaves(value):
    if isinstance(value, dict):
        for key, item in value.items():
            yield from leaves(key)
            yield from leaves(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from leaves(item)
    else:
        yield value


def equal(a, b):
    a, b = list(leaves(a)), list(leaves(b))
    return len(a) == len(b) and all(torch.equal(x, y) if isinstance(x, torch.Tensor) else x == y for x, y in zip(a, b))


def test_files_hold_tensors_and_plain_python(tmp_path):
    ToyData.metainfo = dict(classes=('a', 'b'), mean=np.array([1., 2.]), scale=np.float32(0.5))
    try:
        train(tmp_path, interval=1)
    finally:
        del ToyData.metainfo
    checkpoint = torch.load(tmp_path / 'epoch_2.pth', weights_only=True)
    plain = (bool, int, float, str, type(None))
    assert all(type(leaf) in plain or isinstance(leaf, torch.Tensor) for leaf in leaves(checkpoint))
    assert set(checkpoint) == {'meta', 'state_dict', 'message_hub', 'optimizer'}
    assert checkpoint['meta']['dataset_meta'] == dict(classes=('a', 'b'), mean=[1., 2.], scale=0.5)
    assert len(checkpoint['message_hub']['log_scalars']['train/loss']['log']) == 16
    assert last(tmp_path) == str(tmp_path / 'epoch_2.pth')


def test_an_interrupted_run_continues_exactly(tmp_path):
    whole = train(tmp_path / 'whole', 4)
    train(tmp_path / 'parts', 2)
    resumed = train(tmp_path / 'parts', 4, resume=True)
    a, b = (torch.load(tmp_path / name / 'epoch_4.pth', weights_only=True) for name in ('whole', 'parts'))
    assert equal(a['state_dict'], b['state_dict']) and equal(a['optimizer'], b['optimizer'])
    for key in ('train/loss', 'train/lr', 'train/seen'):
        log, count = resumed.message_hub.get_scalar(key).data
        assert isinstance(resumed.message_hub.get_scalar(key), HistoryBuffer) and len(log) == 32
        np.testing.assert_array_equal(log, whole.message_hub.get_scalar(key).data[0])
        np.testing.assert_array_equal(count, np.ones(32))


@pytest.fixture
def disk(monkeypatch):
    """Lets writes fail: ``disk['error']`` is raised after half of a file is written."""
    state, put, move = dict(error=None, moves=None), LocalBackend.put, module._move_into_place

    def half(self, obj, filepath):
        if state['error'] is None:
            return put(self, obj, filepath)
        put(self, obj[:len(obj) // 2], filepath)
        raise state['error']

    def failing(final):
        if state['moves'] is not None and state['moves'] in final:
            raise OSError(28, 'No space left on device')
        move(final)

    monkeypatch.setattr(LocalBackend, 'put', half)
    monkeypatch.setattr(module, '_move_into_place', failing)
    return state


@pytest.mark.parametrize('what', ['write', 'interrupt', 'move', 'pointer'])
def test_a_failing_save_leaves_the_previous_checkpoint(tmp_path, disk, what):
    train(tmp_path, 1, max_keep_ckpts=1)
    before = (tmp_path / 'epoch_1.pth').read_bytes()
    full = OSError(28, 'No space left on device')
    disk.update(dict(write=dict(error=full), interrupt=dict(error=KeyboardInterrupt()), move=dict(moves='epoch_2'),
                     pointer=dict(moves='last_checkpoint'))[what])
    runner = toy_runner(tmp_path, train_cfg=epochs(2), resume=True, default_hooks=hooks(max_keep_ckpts=1))
    if what == 'interrupt':
        with pytest.raises(KeyboardInterrupt):
            runner.train()
    else:
        with pytest.raises(RuntimeError, match=r'epoch_2\.pth could not be saved .*No space left.*--resume'):
            runner.train()
    assert (tmp_path / 'epoch_1.pth').read_bytes() == before and last(tmp_path) == str(tmp_path / 'epoch_1.pth')
    assert [name for name in files(tmp_path) if name.endswith('.tmp')] == []
    assert runner.message_hub.get_info('last_ckpt') == str(tmp_path / 'epoch_1.pth')
    disk.update(error=None, moves=None)
    train(tmp_path, 2, resume=True, max_keep_ckpts=1)
    assert files(tmp_path) == ['epoch_2.pth', 'last_checkpoint']


def test_old_files_go_last(tmp_path, monkeypatch):
    seen = []
    monkeypatch.setattr(module.os, 'remove', lambda path, remove=os.remove: (
        seen.append((os.path.basename(path), os.path.basename(last(tmp_path)))), remove(path)))
    train(tmp_path, 3, interval=1, max_keep_ckpts=1)
    assert seen == [('epoch_1.pth', 'epoch_2.pth'), ('epoch_2.pth', 'epoch_3.pth')]
    assert files(tmp_path) == ['epoch_3.pth', 'last_checkpoint']


def test_what_a_killed_save_left_is_removed_at_the_next_start(tmp_path):
    train(tmp_path, 2, interval=1, max_keep_ckpts=2)
    (tmp_path / '.epoch_3.pth.tmp').write_bytes(b'half a file')
    (tmp_path / '.epoch_1.pth.host7-12.tmp').write_bytes(b'of a process that was killed')
    (tmp_path / '.epoch_3.pth.0a1b.part').write_bytes(b'of one that was killed as it added the final centres')
    (tmp_path / 'mine.tmp').write_bytes(b'not ours')
    checkpoint = torch.load(tmp_path / 'epoch_2.pth', weights_only=True)
    assert checkpoint['message_hub']['runtime_info']['keep_ckpt_ids'] == [1, 2]  # killed before epoch_1 was deleted
    train(tmp_path, 3, resume=True, interval=1, max_keep_ckpts=1)
    assert files(tmp_path) == ['epoch_3.pth', 'last_checkpoint', 'mine.tmp']


@METRICS.register_module(force=True)
class Falling(BaseMetric):
    """A score that falls at every evaluation."""

    score = 1.

    def process(self, data_batch, data_samples):
        self.results.append(0)

    def compute_metrics(self, results):
        Falling.score -= 0.1
        return dict(acc=np.float64(Falling.score), nmi=1 - Falling.score)


@pytest.mark.parametrize('save_best, expected', [
    ('toy/acc', ['best_toy_acc_epoch_1.pth']),
    (['toy/acc', 'toy/nmi'], ['best_toy_acc_epoch_1.pth', 'best_toy_nmi_epoch_3.pth'])])
def test_a_best_checkpoint_stands_beside_the_others(tmp_path, save_best, expected):
    Falling.score = 1.
    loader = dict(dataset=ToyData(), batch_size=4, num_workers=0, sampler=dict(type='DefaultSampler', shuffle=False))
    runner = toy_runner(tmp_path, train_cfg=dict(by_epoch=True, max_epochs=3, val_interval=1), val_cfg={},
                        val_dataloader=loader, val_evaluator=dict(type='Falling', prefix='toy'),
                        default_hooks=hooks(interval=2, save_best=save_best))
    runner.train()
    assert files(tmp_path) == expected + ['epoch_2.pth', 'epoch_3.pth', 'last_checkpoint']
    assert last(tmp_path) == str(tmp_path / 'epoch_3.pth')
    assert load_checkpoint_file(str(tmp_path / expected[0]))['meta']['epoch'] == 1


@pytest.mark.parametrize('save_best', ['toy/acc', ['toy/acc', 'toy/nmi']])
def test_files_of_another_run_are_never_deleted(tmp_path, save_best):
    """A fork keeps the files that it started from, and a checkpoint cannot name what shall be deleted."""
    loader = dict(dataset=ToyData(), batch_size=4, num_workers=0, sampler=dict(type='DefaultSampler', shuffle=False))
    cfg = dict(val_cfg={}, val_dataloader=loader, val_evaluator=dict(type='Falling', prefix='toy'),
               default_hooks=hooks(interval=1, max_keep_ckpts=2, save_best=save_best))
    Falling.score = 1.
    toy_runner(tmp_path / 'orig', train_cfg=dict(by_epoch=True, max_epochs=2, val_interval=1), **cfg).train()
    (tmp_path / 'keep').mkdir()
    (tmp_path / 'keep' / 'diary').write_text('dear')
    (tmp_path / 'fork').mkdir()
    (tmp_path / 'fork' / 'config.json').write_text('{}')
    path = tmp_path / 'orig' / 'epoch_2.pth'
    checkpoint = torch.load(path, weights_only=True)
    info = checkpoint['message_hub']['runtime_info']
    assert any(key.startswith('best_ckpt') for key in info)
    if len(save_best) == 2:
        info.update({'best_ckpt_toy/nmi': str(tmp_path / 'fork' / 'config.json'), 'best_score_toy/nmi': -9.})
    info.update(keep_ckpt_ids=['../keep/diary', [], '/../../keep', True, 1, 2])
    torch.save(checkpoint, path)
    before = {file: file.read_bytes() for folder in ('orig', 'keep') for file in (tmp_path / folder).rglob('*.*')
              if file.is_file()}
    Falling.score = 2.
    toy_runner(tmp_path / 'fork', train_cfg=dict(by_epoch=True, max_epochs=4, val_interval=1), resume=True,
               load_from=str(path), **cfg).train()
    assert {file: file.read_bytes() for file in before} == before and (tmp_path / 'keep' / 'diary').exists()
    best = ['best_toy_acc_epoch_3.pth', 'best_toy_nmi_epoch_4.pth'][:2 if len(save_best) == 2 else 1]
    assert files(tmp_path / 'fork') == best + ['epoch_3.pth', 'epoch_4.pth', 'last_checkpoint']
    assert (tmp_path / 'fork' / 'config.json').exists()


def test_unknown_options_are_refused_at_once(tmp_path):
    with pytest.raises(TypeError, match=r"no option 'intervall' \(did you mean 'interval'\?\)"):
        toy_runner(tmp_path, default_hooks=hooks(intervall=1))


def test_a_metric_to_save_by_that_is_not_there_is_named(tmp_path):
    loader = dict(dataset=ToyData(), batch_size=4, num_workers=0, sampler=dict(type='DefaultSampler', shuffle=False))
    runner = toy_runner(tmp_path, train_cfg=epochs(1), val_cfg={}, val_dataloader=loader,
                        val_evaluator=dict(type='Falling', prefix='toy'), default_hooks=hooks(save_best='toys/acc'))
    with pytest.raises(ValueError, match=r"save_best='toys/acc' is no metric.*did you mean 'toy/acc'"):
        runner.train()


def test_disk_space_is_advised_only_where_it_helps(tmp_path, disk):
    disk['error'] = OSError(5, 'Input/output error')
    with pytest.raises(RuntimeError, match=r'Input/output error.*: remove the cause, and go on') as error:
        train(tmp_path, 1)
    assert 'disk space' not in str(error.value)


def test_saving_by_iteration_writes_the_whole_history(tmp_path):
    runner = toy_runner(tmp_path, train_cfg=dict(by_epoch=False, max_iters=10),
                        default_hooks=hooks(logger=50, interval=4, by_epoch=False),
                        log_processor=dict(by_epoch=False))
    runner.train()
    assert files(tmp_path) == ['iter_10.pth', 'iter_4.pth', 'iter_8.pth', 'last_checkpoint']
    for number in (4, 8, 10):
        hub = load_checkpoint_file(str(tmp_path / f'iter_{number}.pth'))['message_hub']
        assert len(hub['log_scalars']['train/loss']['log']) == number


@pytest.mark.parametrize('how', ['resume', 'load_from'])
def test_a_file_of_another_model_is_refused(tmp_path, how):
    train(tmp_path)
    cfg = toy_cfg(tmp_path, model=dict(type='ToyModel', width=5), resume=how == 'resume',
                  load_from=str(tmp_path / 'epoch_2.pth'), train_cfg=epochs(3))
    with pytest.raises(ValueError, match=r'does not fit the model(.|\n)*body.weight \(3, 4\) instead of \(5, 4\)'):
        toy_runner(**cfg).train()
    if how == 'load_from':
        toy_runner(**{**cfg, 'default_hooks': hooks(strict=False), 'experiment_name': 'lenient'}).train()


def test_load_from_takes_the_weights_alone(tmp_path):
    train(tmp_path / 'a')
    runner = toy_runner(tmp_path / 'b', load_from=str(tmp_path / 'a' / 'epoch_2.pth'), train_cfg=epochs(1))
    runner.load_or_resume()
    assert equal(runner.model.state_dict(), torch.load(tmp_path / 'a' / 'epoch_2.pth', weights_only=True)['state_dict'])
    assert runner.epoch == 0


def test_only_local_folders(tmp_path):
    with pytest.raises(ValueError, match='local folder'):
        train(tmp_path, file_client_args=dict(backend='disk'))


def test_to_plain():
    value = to_plain(dict(a=[np.int64(3), (np.bool_(True), None)], b=np.arange(2), c=torch.ones(1), d=np.str_('x')))
    assert value['a'] == [3, (True, None)] and type(value['a'][0]) is int and value['b'] == [0, 1]
    assert type(value['d']) is str and isinstance(value['c'], torch.Tensor)
    with pytest.raises(TypeError, match=r'meta\.path is a \w*Path; checkpoints hold'):
        to_plain(dict(path=Path('x')), 'meta')


def test_two_processes_write_two_files(monkeypatch):
    mine = module._temporary('folder/epoch_1.pth')
    monkeypatch.setattr(module.os, 'getpid', lambda: 1)
    other = module._temporary('folder/epoch_1.pth')
    monkeypatch.setattr(module.socket, 'gethostname', lambda: 'elsewhere')
    assert len({mine, other, module._temporary('folder/epoch_1.pth')}) == 3
