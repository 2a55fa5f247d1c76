"""What goes wrong while a run is under way costs at most the work since the last checkpoint."""
import json
import os
import re
import signal
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch
from mmengine.hooks import Hook
from reduced import K, clusmatch_cfg, differences, load, propos_cfg, train, write_base, write_digits
from torch.utils.data import get_worker_info

from mmcluster.engine.extract import unwrap
from mmcluster.registry import HOOKS, TRANSFORMS

resource = pytest.importorskip('resource')
pytestmark = pytest.mark.usefixtures('engine')


def contents(folder):
    """Everything that a resume or a reader needs, byte by byte."""
    return {path.name: path.read_bytes() for path in Path(folder).iterdir()
            if path.is_file() and not path.name.startswith('events')}


def weights(path):
    form = load(path)
    return {part: form[part] for part in ('state_dict', 'optimizer', 'param_schedulers')}


@HOOKS.register_module(force=True)
class TroubleHook(Hook):
    """Calls ``what(runner)`` in the second epoch, before or after its E-step, or before its last step."""

    what = None
    seen = None

    def __init__(self, when, priority='LOWEST'):
        self.when, self.priority = when, priority

    def before_train_epoch(self, runner):
        if self.when == 'epoch':
            self._make(runner)

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        if self.when == 'step' and batch_idx == 1:
            self._make(runner)

    def _make(self, runner):
        if runner.epoch == 1 and TroubleHook.what is not None:
            TroubleHook.seen = contents(runner.work_dir)
            TroubleHook.what(runner)


@contextmanager
def trouble(what):
    """Lets runs go wrong."""
    TroubleHook.what, TroubleHook.seen = staticmethod(what), None
    try:
        yield
    finally:
        TroubleHook.what = None


def with_trouble(cfg, when, priority='LOWEST'):
    cfg.custom_hooks = [*cfg.custom_hooks, dict(type='TroubleHook', when=when, priority=priority)]
    cfg.default_hooks.checkpoint.max_keep_ckpts = 1
    return cfg


# ---- loader workers

@TRANSFORMS.register_module(force=True)
class DeadlyTransform:
    """Kills its worker process while the file ``flag`` is there."""

    def __init__(self, flag):
        self.flag = flag

    def __call__(self, results):
        if os.path.exists(self.flag) and get_worker_info() is not None:
            os.kill(os.getpid(), signal.SIGKILL)
        return results


@pytest.mark.parametrize('method', ['propos', 'clusmatch'])
def test_a_killed_worker(tmp_path, method):
    data, flag = write_digits(tmp_path), tmp_path / 'flag'
    if method == 'propos':
        cfg = propos_cfg(tmp_path / 'work', data, epochs=3, door='worker', num_workers=1)
    else:
        cfg = clusmatch_cfg(tmp_path / 'work', data, write_base(tmp_path / 'base.pth', data), 3, 'worker', 1)
    for views in cfg.train_dataloader.dataset.pipelines.values():
        for view in views:
            view.insert(0, dict(type='DeadlyTransform', flag=str(flag)))
    cfg = with_trouble(cfg, 'epoch')
    whole = weights(train(cfg)['train'])
    cfg.work_dir = str(tmp_path / 'parts')
    with trouble(lambda runner: flag.touch()):
        with pytest.raises(RuntimeError, match=r'DataLoader worker .*(killed by signal|exited unexpectedly)'):
            train(cfg)
        before = TroubleHook.seen
    assert (tmp_path / 'parts' / 'last_checkpoint').read_text().endswith('epoch_1.pth')
    after = contents(tmp_path / 'parts')
    assert all(after[name] == before[name] for name in ('epoch_1.pth', 'last_checkpoint', 'config.json'))
    assert not {'done.json', 'summary.json', 'epoch_2.pth'} & set(after)
    flag.unlink()
    assert differences(whole, weights(train(cfg, resume=True)['train'])) == []


# ---- divergence

def test_features_that_are_not_finite(tmp_path):
    """The E-step stops the run before it writes anything."""
    cfg = propos_cfg(tmp_path / 'work', write_digits(tmp_path), epochs=3)
    cfg.custom_hooks[-1].interval = 1
    cfg = with_trouble(cfg, 'epoch', 'VERY_HIGH')
    banks = []

    def poison(runner):
        model = unwrap(runner.model)
        banks.append(model.bank)
        model.teacher.neck.fc2.bias.data[3] = float('nan')

    with trouble(poison), pytest.raises(FloatingPointError, match=r'features of epoch 1 are not finite.*lower the'):
        train(cfg)
    assert contents(tmp_path / 'work') == TroubleHook.seen
    assert torch.equal(banks[0].label, load(tmp_path / 'work' / 'epoch_1.pth')['state_dict']['bank.label'])
    assert load(train(cfg, resume=True)['train'])['meta']['epoch'] == 3


@pytest.mark.parametrize('method', ['propos', 'clusmatch'])
def test_a_network_that_diverges_does_not_replace_a_good_checkpoint(tmp_path, method):
    """One checkpoint is kept; the epoch that ends in NaN must not be it, though no E-step has noticed."""
    data = write_digits(tmp_path)
    cfg = propos_cfg(tmp_path / 'work', data, epochs=3) if method == 'propos' else clusmatch_cfg(
        tmp_path / 'work', data, write_base(tmp_path / 'base.pth', data), epochs=3)
    cfg = with_trouble(cfg, 'step')

    def explode(runner):
        for group in runner.optim_wrapper.param_groups:
            group['lr'] = float('inf')

    with trouble(explode), pytest.raises(FloatingPointError, match=r'the loss is not finite: .* at iteration .*lower'):
        train(cfg)
    after = contents(tmp_path / 'work')
    assert after == TroubleHook.seen and {'epoch_1.pth', 'last_checkpoint'} <= set(after)
    assert all(value.isfinite().all() for value in load(tmp_path / 'work' / 'epoch_1.pth')['state_dict'].values())
    train(cfg, resume=True)


# ---- disk

def test_a_full_disk(tmp_path):
    """Files may not grow beyond a limit that logs keep and checkpoints do not."""
    cfg = with_trouble(propos_cfg(tmp_path / 'work', write_digits(tmp_path), epochs=3), 'step')
    whole = weights(train(cfg)['train'])
    cfg.work_dir = str(tmp_path / 'parts')
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    previous = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        with trouble(lambda runner: resource.setrlimit(resource.RLIMIT_FSIZE, (15_000, hard))):
            with pytest.raises(RuntimeError, match=r'epoch_2\.pth could not be saved .*too large.*free disk space'):
                train(cfg)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, previous)
    after = contents(tmp_path / 'parts')
    assert after == TroubleHook.seen and len(after['epoch_1.pth']) > 15_000
    assert differences(whole, weights(train(cfg, resume=True)['train'])) == []


# ---- work dirs

def test_what_a_changed_key_is_called(tmp_path):
    """A finished run says which keys differ, a loader's workers are no difference, and nothing is touched."""
    cfg = propos_cfg(tmp_path / 'work', write_digits(tmp_path), epochs=1)
    train(cfg)
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / 'work').glob('*.*')}
    cfg.optim_wrapper.optimizer.lr = 0.5
    cfg.custom_hooks[0].steps = [(0, 0.3)]
    with pytest.raises(ValueError) as error:
        train(cfg)
    lines = re.findall(r'^  (\S+): (.*)$', str(error.value), re.M)
    assert lines == [('custom_hooks', lines[0][1]), ('optim_wrapper.optimizer.lr', '0.05 -> 0.5')]
    assert '0.3' in lines[0][1]
    cfg = propos_cfg(tmp_path / 'work', write_digits(tmp_path), epochs=1, num_workers=1)
    cfg.log_level = 'WARNING'
    train(cfg)
    assert before == {path: path.stat().st_mtime_ns for path in before}


def test_an_unfinished_work_dir(tmp_path):
    cfg = propos_cfg(tmp_path / 'work', write_digits(tmp_path), epochs=1)
    path = train(cfg)['train']
    (tmp_path / 'work' / 'done.json').unlink()
    before = Path(path).read_bytes()
    with pytest.raises(FileExistsError, match=r'unfinished run \(epoch_1\.pth\).*--resume.*--work-dir.*--overwrite'):
        train(cfg)
    assert Path(path).read_bytes() == before
    started = json.loads((tmp_path / 'work' / 'config.json').read_text())
    assert started['model']['num_clusters'] == K
    cfg.randomness.seed = 3
    train(cfg, overwrite=True)
    assert Path(path).read_bytes() != before
