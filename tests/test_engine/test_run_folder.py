"""What stands in a work dir belongs together: one run at a time, one config, one base."""
import copy
import gc
import json
import os
import shutil
import signal
import socket
import time
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from killed import Killed
from mmengine.config import Config
from mmengine.hooks import CheckpointHook
from reduced import K, N, clusmatch_cfg, load, propos_cfg, read_stage, train, write_base, write_digits, write_recipe

from mmcluster.command_line import output_file
from mmcluster.engine import lock
from mmcluster.engine.hooks import ResultHook
from mmcluster.engine.launch import leave_environment
from mmcluster.engine.lock import end_with_parent, locked
from mmcluster.recipes import records
from mmcluster.recipes.progress import starting_point
from mmcluster.recipes.records import clear, read_record
from mmcluster.recipes.stages import in_order
from mmcluster.writing import whole_file

pytestmark = pytest.mark.usefixtures('engine')


def contents(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in Path(folder).rglob('*')
            if path.is_file() and path.suffix != '.log'}


@pytest.fixture(scope='module')
def trained(tmp_path_factory):
    """A recipe of two stages, trained once; tests work on copies."""
    folder = tmp_path_factory.mktemp('folder')
    data = write_digits(folder)
    cfg = write_recipe(folder, dict(propos=propos_cfg('', data, epochs=1), clusmatch=clusmatch_cfg('', data, epochs=1)))
    cfg.merge_from_dict(dict(train_cfg=dict(val_interval=1)))
    train(cfg)
    return cfg


@pytest.fixture
def two_stages(trained, tmp_path):
    """The recipe, done in a folder of its own."""
    cfg = copy.deepcopy(trained)
    cfg.work_dir = str(tmp_path / 'work')
    shutil.copytree(trained.work_dir, cfg.work_dir)
    for path in Path(cfg.work_dir).glob('*/*.json'):     # the path of the base is told from the work dir
        path.write_text(path.read_text().replace(trained.work_dir, cfg.work_dir))
    return cfg


# ---- a later stage and what it was built on

def test_a_stage_is_not_skipped_with_the_result_of_another_base(two_stages, kill):
    """Trained again, interrupted in the first stage, and gone on with: the second stage follows the first."""
    work = Path(two_stages.work_dir)
    old = load(work / 'clusmatch' / 'epoch_1.pth')['state_dict']
    two_stages.merge_from_dict({'stages.propos.options.optim_wrapper.optimizer.lr': 0.2})
    kill(1)
    with pytest.raises(Killed):
        train(two_stages, overwrite=True)
    assert not {*records.RESULTS[:4], records.STARTED} & {path.name for path in (work / 'clusmatch').iterdir()}
    kill(None)
    paths = train(two_stages)
    new = load(paths['clusmatch'])['state_dict']
    assert any(not torch.equal(old[name], new[name]) for name in old if name.startswith('backbone'))


def test_a_stage_built_on_another_checkpoint_is_named(two_stages):
    """The first stage was trained again by itself: what the second one made of the old one is not its result."""
    first = Config.fromfile(two_stages.stages.propos.config, lazy_import=False)
    first.work_dir = os.path.join(two_stages.work_dir, 'propos')
    first.train_cfg.val_interval = 1
    assert train(two_stages) and train(first)
    first.randomness = dict(seed=7)
    train(first, overwrite=True)
    two_stages.randomness = dict(seed=7)
    with pytest.raises(ValueError, match=r'clusmatch was started with another config:(.|\n)*  '
                                         r'built_on\.model\.base\.init_cfg\.checkpoint: '):
        train(two_stages)
    train(two_stages, allow_config_change=True)


def test_a_base_replaced_under_the_same_name(tmp_path, kill):
    data, base = write_digits(tmp_path), tmp_path / 'base.pth'
    write_base(base, data)
    cfg = clusmatch_cfg(tmp_path / 'work', data, str(base), epochs=2)
    kill(4)
    with pytest.raises(Killed):
        train(cfg)
    kill(None)
    write_base(base, data, seed=3)
    with pytest.raises(ValueError, match=r'built_on\.model\.base\.init_cfg\.checkpoint'):
        train(cfg, resume=True)
    base.unlink()       # a run that goes on does not need it
    train(cfg, resume=True)
    write_base(base, data)
    train(cfg)
    write_base(base, data, seed=3)
    with pytest.raises(ValueError, match='built_on'):
        train(cfg)


def test_labels_replaced_under_the_same_name(tmp_path):
    data, file = write_digits(tmp_path), tmp_path / 'labels.npy'
    np.save(file, np.arange(N) % K)
    cfg = clusmatch_cfg(tmp_path / 'work', data, write_base(tmp_path / 'base.pth', data), epochs=1)
    cfg.custom_hooks[0] = dict(type='SelectHook', selector=dict(type='GivenLabels', file=str(file)))
    train(cfg)
    train(cfg)
    np.save(file, (np.arange(N) + 1) % K)
    with pytest.raises(ValueError, match=r'built_on\.custom_hooks\.0\.selector\.file'):
        train(cfg)


def test_other_images_of_a_model_without_a_bank(tmp_path):
    data = write_digits(tmp_path)
    cfg = read_stage('simclr_cnn_digits')
    for name in ('train_dataloader', 'val_dataloader', 'test_dataloader'):
        cfg[name].dataset.source = dict(type='ArraySource', **data)
    cfg.merge_from_dict({'work_dir': str(tmp_path / 'work'), 'train_cfg.max_epochs': 1, 'val_evaluator.num_clusters': K,
                         'train_dataloader.sampler.streams.batch.size': 20, 'test_evaluator.num_clusters': K})
    assert cfg.model.get('bank') is None
    train(cfg)
    train(cfg)
    np.save(data['array'], 255 - np.load(data['array']))
    with pytest.raises(ValueError, match=r'built_on\.images'):
        train(cfg)


def test_a_record_from_before_digests_is_still_good(two_stages):
    for path in Path(two_stages.work_dir).glob('*/*.json'):
        value = json.loads(path.read_text())
        for part in (value, value.get('config', {})):
            part.pop('built_on', None)
        path.write_text(json.dumps(value))
    before = contents(two_stages.work_dir)
    train(two_stages)
    assert contents(two_stages.work_dir) == before


# ---- records change when training begins

@pytest.mark.parametrize('options', [dict(overwrite=True), dict(resume=True, allow_config_change=True)])
def test_a_failed_attempt_leaves_everything_as_it_was(tmp_path, options):
    """The loader meets other images than the checkpoint's, or a hook does not find its option."""
    cfg = propos_cfg(tmp_path / 'work', write_digits(tmp_path), epochs=1)
    train(cfg)
    if 'resume' in options:
        (tmp_path / 'work' / 'done.json').unlink()
        (tmp_path / 'other').mkdir()
        for name in ('train_dataloader', 'val_dataloader', 'test_dataloader'):
            cfg[name].dataset.source.update(write_digits(tmp_path / 'other', num_rows=50))
    else:
        cfg.custom_hooks[0].param = 'nothing'
    before = contents(tmp_path / 'work')
    with pytest.raises(Exception, match='does not fit|nothing'):
        train(cfg, **options)
    assert contents(tmp_path / 'work') == before


def test_what_is_trained_again_leaves_no_old_result(tmp_path, kill):
    cfg = propos_cfg(tmp_path / 'work', write_digits(tmp_path), epochs=2)
    cfg.train_cfg.val_interval = 1
    train(cfg)
    work = tmp_path / 'work'
    assert {'assignments.csv', 'summary.json', 'metrics.jsonl'} <= {path.name for path in work.iterdir()}
    (work / 'notes.txt').write_text('mine')
    cfg.load_from = str(work / 'epoch_1.pth')       # it starts from there, so that stays
    kill(0)
    with pytest.raises(Killed):
        train(cfg, overwrite=True)
    left = {path.name for path in work.iterdir() if path.is_file() and path.suffix != '.py'}
    assert left == {'config.json', 'notes.txt', 'epoch_1.pth', 'metrics.jsonl'} - (
        set() if (work / 'metrics.jsonl').exists() else {'metrics.jsonl'})


def test_only_checkpoints_of_a_run_are_cleared(tmp_path):
    names = ('done.json', 'epoch_3.pth', 'best_kmeans_acc_epoch_2.pth', 'round-4.pth', 'base.pth', 'labels.csv')
    for name in names:
        (tmp_path / name).touch()
    clear(str(tmp_path), (str(tmp_path / 'epoch_3.pth'),), (*records.CHECKPOINTS, 'round-*.pth'))
    assert sorted(path.name for path in tmp_path.iterdir()) == ['base.pth', 'epoch_3.pth', 'labels.csv']


def test_a_kill_while_a_run_is_cleared_leaves_no_checkpoint_for_another_config(tmp_path, monkeypatch):
    remove = os.remove
    for count in range(6):
        work = tmp_path / str(count)
        work.mkdir()
        (work / 'done.json').write_text(json.dumps(dict(checkpoint='epoch_2.pth', config=dict(lr=1))))
        (work / 'config.json').write_text(json.dumps(dict(lr=1)))
        (work / 'last_checkpoint').write_text('epoch_2.pth')
        (work / 'epoch_1.pth').touch()
        (work / 'epoch_2.pth').touch()
        left = [count]

        def dying(path):
            if not left[0]:
                raise Killed
            left[0] -= 1
            remove(path)

        with monkeypatch.context() as patch:
            patch.setattr(os, 'remove', dying)
            with suppress(Killed):
                clear(str(work))
        with suppress(ValueError, FileNotFoundError):     # refused, or a fresh start
            assert starting_point(str(work), dict(lr=2), resume=True) == (None, False)


@pytest.mark.parametrize('text', ['\xff\xfe}\n', '[1]}\n', '{"acc": 1}\n'])
def test_a_damaged_history_is_named(tmp_path, text):
    (tmp_path / 'metrics.jsonl').write_text(text, encoding='latin-1')
    with pytest.raises(ValueError, match=r'metrics\.jsonl is damaged .*put back a copy'):
        ResultHook._history(SimpleNamespace(work_dir=str(tmp_path)))


def test_a_damaged_pointer_names_no_file(tmp_path):
    (tmp_path / 'last_checkpoint').write_bytes(b'\xff\xfe')
    (tmp_path / 'epoch_1.pth').touch()
    with pytest.raises(FileNotFoundError, match='last_checkpoint names is gone'):
        starting_point(str(tmp_path), dict(lr=1), resume=True)


@pytest.mark.parametrize('name', ['done.json', 'config.json'])
@pytest.mark.parametrize('text', ['{"checkpoint": "epo', '', '[]', '\xff'])
def test_a_damaged_record_is_named(tmp_path, name, text):
    (tmp_path / name).write_text(text, encoding='latin-1')
    with pytest.raises(ValueError, match=rf'{name} is damaged .*(remove it.*|put back).*--overwrite'):
        read_record(str(tmp_path), name)


def test_a_lost_pointer_does_not_lose_the_run(tmp_path, kill):
    cfg = propos_cfg(tmp_path / 'work', write_digits(tmp_path), epochs=3)
    kill(7)
    with pytest.raises(Killed):
        train(cfg)
    kill(None)
    (tmp_path / 'work' / 'last_checkpoint').unlink()
    with pytest.raises(FileExistsError, match=r'unfinished run \(epoch_2\.pth\)'):
        train(cfg)
    stamp = (tmp_path / 'work' / 'epoch_1.pth').stat().st_mtime_ns
    train(cfg, resume=True)
    assert (tmp_path / 'work' / 'epoch_1.pth').stat().st_mtime_ns == stamp


# ---- one run at a time

def test_a_second_run_is_refused_and_the_first_gives_the_folder_back(two_stages):
    work = Path(two_stages.work_dir)
    before = contents(work)
    for folder in (work, work / 'propos'):
        with locked(str(folder)), pytest.raises(RuntimeError, match=rf'{folder} is in use: process {os.getpid()} on .*'
                                                                    r'is at work in it.*Wait for it or end it.*another folder'):
            train(two_stages, overwrite=True)
    assert contents(work) == before
    with locked(str(work / 'new')):
        assert (work / 'new' / '.lock').is_dir()
    assert not (work / 'new').exists() and not (work / '.lock').exists()


def written_lock(folder, **changes):
    held = lock.acquire(str(folder))
    Path(held).write_text(json.dumps({**json.loads(Path(held).read_text()), **changes}))
    return held


def test_the_lock_of_a_dead_process_is_taken_over(tmp_path, monkeypatch):
    told = []
    monkeypatch.setattr(lock, 'print_log', lambda text, **options: told.append(text))
    pid = os.fork()
    if not pid:
        lock.acquire(str(tmp_path))
        os._exit(0)
    while '\nState:\tZ' not in Path(f'/proc/{pid}/status').read_text():      # it has ended, and nobody has asked
        time.sleep(0.01)
    with locked(str(tmp_path)):
        assert f'process {pid}' in told[0] and 'taken over' in told[0]
    os.waitpid(pid, 0)
    for changes in (dict(pid=pid), dict(start='another boot 1'), dict(pid=pid, start=None)):
        held = written_lock(tmp_path, **changes)
        with locked(str(tmp_path)):
            assert not os.path.exists(held)
    assert list(tmp_path.iterdir()) == [] and len(told) == 4


def test_a_lock_is_not_waited_for_where_its_number_may_be_used_again(tmp_path):
    """macOS and Windows do not say when a process has started."""
    held = written_lock(tmp_path, start=None)
    with pytest.raises(RuntimeError, match=r'Wait for it or end it.*none of mmcluster, remove .*\.lock') as caught:
        lock.acquire(str(tmp_path))
    assert not isinstance(caught.value, lock.InUseError)
    lock.release(held)


def test_the_lock_of_another_host_is_left_alone(tmp_path):
    held = written_lock(tmp_path, host='elsewhere')
    with pytest.raises(RuntimeError, match=rf'on elsewhere .*if that process is gone, remove {tmp_path}/\.lock'):
        lock.acquire(str(tmp_path))
    Path(held).write_text('{"ho')
    with pytest.raises(RuntimeError, match=r'is damaged: another run may be under way'):
        lock.acquire(str(tmp_path))
    assert os.listdir(tmp_path) == ['.lock']


def test_a_job_of_slurm_that_starts_again_elsewhere_takes_its_own_lock_over(tmp_path, monkeypatch):
    monkeypatch.setenv('SLURM_JOB_ID', '7')
    held = written_lock(tmp_path, host='elsewhere')
    with pytest.raises(RuntimeError, match='on elsewhere'):     # another step of the same start
        lock.acquire(str(tmp_path))
    monkeypatch.setenv('SLURM_RESTART_COUNT', '1')
    monkeypatch.setenv('SLURM_JOB_ID', '8')
    with pytest.raises(RuntimeError, match='on elsewhere'):
        lock.acquire(str(tmp_path))
    monkeypatch.setenv('SLURM_JOB_ID', '7')
    with locked(str(tmp_path)):
        assert not os.path.exists(held)


def test_of_many_that_find_a_stale_lock_one_gets_it(tmp_path):
    """Six processes at once, three times: one holds the lock, five are refused."""
    for _ in range(3):
        written_lock(tmp_path, start='another boot 1')
        go, pids = tmp_path.parent / 'go', []
        for _ in range(6):
            pids.append(os.fork())
            if not pids[-1]:
                while not go.exists():
                    time.sleep(0.001)
                try:
                    held = lock.acquire(str(tmp_path))
                except RuntimeError:
                    os._exit(1)
                while go.exists():
                    time.sleep(0.01)
                lock.release(held)
                os._exit(0)
        go.touch()
        time.sleep(0.3)
        go.unlink()
        assert sorted(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in pids) == [0] + [1] * 5
        assert list(tmp_path.iterdir()) == []


def test_a_process_ends_with_its_launcher():
    reader, writer = os.pipe()
    launcher = os.fork()
    if not launcher:
        if not os.fork():
            os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
            end_with_parent(0.05)
            os.write(writer, b'begun')
            time.sleep(30)
            os.write(writer, b' and outlived')
            os._exit(0)
        time.sleep(30)
        os._exit(0)
    os.close(writer)
    assert os.read(reader, 100) == b'begun'
    os.kill(launcher, signal.SIGKILL)
    os.waitpid(launcher, 0)
    begun = time.time()
    assert os.read(reader, 100) == b'', 'the end of the file: nobody is left to write'
    assert time.time() - begun < 20
    os.close(reader)


def test_two_writers_of_one_file_do_not_meet(tmp_path):
    path = str(tmp_path / 'file')
    with whole_file(path) as first, whole_file(path) as second:
        first.write(b'first')
        second.write(b'second')
        assert len(os.listdir(tmp_path)) == 2
    assert Path(path).read_bytes() == b'first' and os.listdir(tmp_path) == ['file']
    with pytest.raises(FileNotFoundError, match='there is no folder .*none for a.json'), \
            whole_file(tmp_path / 'none' / 'a.json'):
        pass
    with pytest.raises(KeyError), whole_file(path) as file:
        file.write(b'half')
        raise KeyError
    assert Path(path).read_bytes() == b'first' and os.listdir(tmp_path) == ['file']


def test_an_output_file_is_checked_before_the_work(tmp_path):
    path = str(tmp_path / 'new' / 'folder' / 'out.csv')
    assert output_file(path) == path and os.listdir(os.path.dirname(path)) == []
    for wrong in (str(tmp_path), '/proc/no/folder/out.csv'):
        with pytest.raises(Exception, match='cannot be written'):
            output_file(wrong)


# ---- order of stages

def test_a_dumped_recipe_keeps_its_order(two_stages, tmp_path):
    two_stages.dump(tmp_path / 'dumped.py')
    dumped = Config.fromfile(tmp_path / 'dumped.py', lazy_import=False)
    assert list(dumped.stages) == ['clusmatch', 'propos'], 'it is sorted by name'
    assert list(train(dumped)) == ['propos', 'clusmatch']


def test_stages_follow_what_they_need():
    assert in_order(dict(c=set(), b=set(), a=set())) == ['c', 'b', 'a']
    assert in_order(dict(a={'c'}, b=set(), c={'b'}, d=set())) == ['b', 'c', 'a', 'd']
    with pytest.raises(ValueError, match=r"wait for .*\{'a': \['b'\], 'b': \['a'\]\}"):
        in_order(dict(a={'b'}, b={'a'}, c=set()))


# ---- the hub of a run

def test_two_runs_within_a_second_share_nothing(two_stages, monkeypatch):
    """A fixed clock, and a recipe that gives all its stages one name."""
    monkeypatch.setattr('mmengine.runner.runner.time', SimpleNamespace(
        time=lambda: 0., strftime=time.strftime, localtime=time.localtime))
    hubs = []
    monkeypatch.setattr(CheckpointHook, 'before_run', lambda self, runner: hubs.append(runner.message_hub),
                        raising=False)
    two_stages.experiment_name = 'mine'
    train(two_stages, overwrite=True)
    assert len(hubs) == 2 and hubs[0] is not hubs[1] and all(hub.instance_name.startswith('mine') for hub in hubs)


# ---- the end of a process

@pytest.mark.skipif(not os.path.isdir('/proc/self/task') or torch.cuda.is_available(), reason='counts gloo\'s threads')
def test_no_thread_of_the_process_group_outlives_it(tmp_path):
    """One that is left may free a tensor while the interpreter ends, and aborts the process."""
    def threads():
        return [name for name in (path.read_text() for path in Path('/proc/self/task').glob('*/comm'))
                if 'gloo' in name or 'tcpstore' in name]

    cfg = propos_cfg(tmp_path / 'work', write_digits(tmp_path), epochs=1)
    reader, writer = os.pipe()
    pid = os.fork()
    if not pid:
        with socket.socket() as free:
            free.bind(('127.0.0.1', 0))
            port = free.getsockname()[1]
        os.environ.update(RANK='0', WORLD_SIZE='1', LOCAL_RANK='0', MASTER_ADDR='127.0.0.1', MASTER_PORT=str(port))
        try:
            gc.disable()        # it may come by chance, and usually does
            train(cfg, launcher='pytorch')
            before = threads()
            leave_environment()
            os.write(writer, f'{len(before)} {threads()}'.encode())
        finally:
            os._exit(0)
    os.close(writer)
    os.waitpid(pid, 0)
    count, left = os.read(reader, 1000).decode().split(' ', 1)
    os.close(reader)
    assert int(count) > 1 and left == '[]'
