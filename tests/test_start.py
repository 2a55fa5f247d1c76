"""What a user is told at the start of a run, how to shorten one, and what importing costs."""
import logging
import re
import subprocess
import sys

import pytest
import torch
from mmengine.config import Config
from reduced import ROOT, propos_cfg, read_stage, train, write_digits

from mmcluster.recipes import length
from mmcluster.recipes.length import set_epochs
from mmcluster.registry import HOOKS, PARAM_SCHEDULERS

pytestmark = pytest.mark.usefixtures('engine')


def test_the_start_of_a_run(tmp_path, capfd):
    """What is trained on what, for how long; long entries are in the file only; a replaced number is named."""
    cfg = propos_cfg(tmp_path / 'work', write_digits(tmp_path), epochs=4)
    cfg.log_level = 'INFO'
    cfg.model.sigma, cfg.model.psl_weight, cfg.model.decay = 0.5, 0.1, 0.7
    cfg.custom_hooks.append(dict(type='ScheduleHook', param='teacher.decay', cosine=dict(start=0.9, end=1.)))
    train(cfg)
    file = next((tmp_path / 'work').glob('*/*.log')).read_text(encoding='utf-8')
    console = ''.join(capfd.readouterr())
    for text in (console, file):
        assert 'data: array: 60 images; 60 with ground truth, for metrics only, in 4 classes' in text
        assert re.search(r'model: ProPos with SmallCNN, [\d,]+ trained parameters, 4 clusters', text)
        assert 'float32' in text and 'length: 4 epochs of 3 steps, evaluated every' in text and 'batch 20' in text
        assert len(re.findall(r'about \d+ s to go: \d+ s of training at [\d.]+ s a step', text)) == 1
    before = console[:console.index('Epoch(train)')]
    assert len(before.splitlines()) < 25 and 'default_hooks' not in before
    assert re.search(r'Config: \d+ lines, in the log file', before) and 'in the log file' not in file
    assert 'default_hooks' in file
    assert '"FileClient" will be deprecated' in file and 'FileClient' not in console
    assert "model.sigma=0.5 has no effect: the ScheduleHook of 'sigma' in custom_hooks sets" in before
    assert "model.decay=0.7 has no effect: the ScheduleHook of 'teacher.decay' in custom_hooks sets [0.9, 1.0]" in before
    assert 'model.psl_weight' not in before


def test_an_error_stays_whole():
    from mmcluster.engine.console import ShortFormatter
    text = '\n'.join(['Something'] * 30)
    short = ShortFormatter(logging.Formatter('%(message)s'))
    for level, kept in ((logging.WARNING, text), (logging.INFO, 'Something: 30 lines, in the log file')):
        assert short.format(logging.LogRecord('x', level, 'x', 1, text, (), None)) == kept


# ---- length

def test_all_that_counts_epochs_is_shortened():
    cfg = read_stage('propos_r18_cifar10')
    old = cfg.train_cfg.max_epochs
    set_epochs(cfg, 20)
    assert cfg.train_cfg.max_epochs == cfg.param_scheduler.total_epochs == 20
    assert cfg.custom_hooks[0].steps == [(0, 0.), (round(50 * 20 / old), 0.1)]
    assert cfg.train_cfg.val_interval >= 1 and cfg.default_hooks.checkpoint.interval >= 1
    with pytest.raises(ValueError, match='at least 1'):
        set_epochs(cfg, 0)


def test_schedules_of_mmengine_move_or_are_named(monkeypatch):
    said = []
    monkeypatch.setattr(length, 'print_log', lambda text, **options: said.append(text))
    cfg = Config(dict(train_cfg=dict(max_epochs=10), param_scheduler=[
        dict(type='StepLR', step_size=4), dict(type='CosineRestartLR', periods=[4, 6]), dict(type='OneCycleLR', total_steps=10),
        dict(type='LinearLR', end=100, by_epoch=False)]))
    set_epochs(cfg, 5)
    assert [list(entry.values())[1] for entry in cfg.param_scheduler] == [2, [2, 3], 5, 100]
    assert 'LinearLR in param_scheduler counts iterations and stays as it is; give it end' in said[0] and len(said) == 1


@pytest.mark.parametrize('name', ['pici_vit_small_rsod', 'asd_ps_freematch_cnn_digits', 'scan_cnn_digits/scan_cluster',
                                  'gcc_cnn_digits', 'pcl_cnn_digits'])
def test_no_setting_is_left_beyond_the_end(name):
    cfg = read_stage(name)
    set_epochs(cfg, 2)
    for hook in cfg.custom_hooks:
        assert all(epoch <= 2 for epoch, _ in hook.get('steps', [])) and hook.get('begin', 0) < 2
    schedulers = cfg.get('param_scheduler') or []
    for entry in schedulers if isinstance(schedulers, list) else [schedulers]:
        assert all(entry.get(key, 0) <= 2 for key in ('total_epochs', 'T_max', 'end'))
    begins = {hook.begin for hook in cfg.custom_hooks if hook.get('begin')}
    streams = {stream.begin for stream in cfg.train_dataloader.sampler.streams.values() if stream.get('begin')}
    assert begins <= {1} and streams <= begins, 'what fills a field and what draws from it begin together'


@pytest.mark.parametrize('method', ['byol', 'cc', 'gcc', 'idfd', 'pcl', 'secu', 'simsiam', 'tcl'])
def test_what_the_command_trains_can_be_cut_to_one_epoch(method):
    """A graph that needs an epoch before it never begins, a rate does not rest for longer than it warms up."""
    cfg = read_stage(f'{method}_cnn_sign_digits')
    set_epochs(cfg, 1)
    begins = {HOOKS.build(hook).begin for hook in cfg.get('custom_hooks') or [] if 'begin' in hook}
    streams = cfg.train_dataloader.sampler.streams.values()
    assert {stream.begin for stream in streams if stream.get('begin')} <= begins
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.)
    schedulers = cfg.get('param_scheduler') or []
    for entry in schedulers if isinstance(schedulers, list) else [schedulers]:
        PARAM_SCHEDULERS.build(dict(entry, optimizer=optimizer, epoch_length=2))


def test_a_batch_that_is_too_large_names_its_option_and_a_size_that_works(tmp_path):
    cfg = propos_cfg(tmp_path / 'work', write_digits(tmp_path), epochs=1)
    cfg.train_dataloader.sampler.streams.batch.size = 256
    with pytest.raises(ValueError, match='batch larger than data set') as error:
        train(cfg)
    option, size = re.search(r'\](train_[\w.]+)=(\d+)', str(error.value)).groups()
    cfg.merge_from_dict({option: int(size), 'work_dir': str(tmp_path / 'again')})
    assert train(cfg)


# ---- imports

def test_help_and_the_package_do_not_wait_for_torch():
    code = ("import sys, runpy\nimport mmcluster\nassert mmcluster.__version__\nsys.argv = ['train.py', '--help']\n"
            "for tool in ('train', 'test'):\n    try:\n"
            "        runpy.run_path(f'tools/{tool}.py', run_name='__main__')\n"
            "    except SystemExit as end:\n        assert not end.code\n"
            "assert not {'torch', 'mmengine', 'mmpretrain'} & set(sys.modules)\n"
            "from mmengine.runner import CheckpointLoader\n"
            "assert CheckpointLoader._schemes[''].__module__ == 'mmcluster.compat' == mmcluster.compat.__name__\n")
    done = subprocess.run([sys.executable, '-c', code], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
