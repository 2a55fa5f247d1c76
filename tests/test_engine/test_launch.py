"""Configs fit the machine they run on, and two processes without an accelerator train one model."""
import copy
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from mmengine.config import Config

from mmcluster.engine import launch
from mmcluster.engine.launch import init_environment, prepare, scale_lr, without_pretrained

ROOT = Path(__file__).parents[2]
PRETRAINED = dict(type='Pretrained', checkpoint='base.pth')
KAIMING = dict(type='Kaiming', layer='Conv2d')


def test_pretrained_is_dropped_at_any_depth_and_nothing_else():
    model = dict(type='Boost', init_cfg=PRETRAINED, backbone=dict(type='CNN', init_cfg=[KAIMING, PRETRAINED]),
                 base=dict(neck=dict(init_cfg=dict(PRETRAINED, type='mmcluster.Pretrained')), head=[dict(a=(1, 2))]),
                 teacher=dict(init_cfg=KAIMING))
    before = copy.deepcopy(model)
    assert without_pretrained(model) == dict(
        type='Boost', backbone=dict(type='CNN', init_cfg=[KAIMING]),
        base=dict(neck={}, head=[dict(a=(1, 2))]), teacher=dict(init_cfg=KAIMING))
    assert model == before
    kept = without_pretrained(Config(dict(model=model)).model)
    assert kept.backbone.init_cfg[0].type == 'Kaiming' and 'init_cfg' not in kept


def config(work_dir, **changes):
    return Config(dict(model=dict(type='Toy', init_cfg=PRETRAINED), work_dir=str(work_dir), **changes))


def test_prepare_fills_scope_seed_and_no_wrapper_for_one_process(tmp_path):
    cfg = prepare(config(tmp_path))
    assert (cfg.default_scope, cfg.launcher, cfg.randomness.seed) == ('mmcluster', 'none', 0)
    assert 'model_wrapper_cfg' not in cfg
    assert prepare(config(tmp_path, randomness=dict(seed=7, deterministic=True))).randomness == dict(
        seed=7, deterministic=True)
    assert prepare(config(tmp_path, randomness=dict(seed=None))).randomness.seed == 0


def test_prepare_wraps_for_gloo_without_an_accelerator(tmp_path, monkeypatch):
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: False)
    cfg = prepare(config(tmp_path, sync_bn='torch', find_unused_parameters=True), 'pytorch')
    assert cfg.model_wrapper_cfg == dict(type='MMDistributedDataParallel', device_ids=None, broadcast_buffers=False,
                                         find_unused_parameters=True)
    assert cfg.sync_bn is None
    given = dict(find_unused_parameters=True, detect_anomalous_params=True)
    wrapper = prepare(config(tmp_path, model_wrapper_cfg=given), 'pytorch').model_wrapper_cfg
    assert wrapper == dict(given, type='MMDistributedDataParallel', device_ids=None, broadcast_buffers=False)
    other = dict(type='MMFullyShardedDataParallel')
    assert prepare(config(tmp_path, model_wrapper_cfg=other), 'pytorch').model_wrapper_cfg == other


def test_prepare_keeps_sync_bn_and_names_the_device_with_an_accelerator(tmp_path, monkeypatch):
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: True)
    monkeypatch.setattr(torch.cuda, 'current_device', lambda: 3)
    cfg = prepare(config(tmp_path, sync_bn='torch'), 'pytorch')
    assert cfg.sync_bn == 'torch' and cfg.model_wrapper_cfg.device_ids == [3]


def test_the_base_is_dropped_only_if_a_checkpoint_takes_its_place(tmp_path):
    assert 'init_cfg' in prepare(config(tmp_path)).model
    assert 'init_cfg' in prepare(config(tmp_path, resume=True)).model, 'nothing to resume from: the base is needed'
    assert 'init_cfg' not in prepare(config(tmp_path, resume=True, load_from='epoch_1.pth')).model
    assert 'init_cfg' in prepare(config(tmp_path, load_from='epoch_1.pth')).model
    (tmp_path / 'last_checkpoint').write_text(str(tmp_path / 'epoch_1.pth'))
    assert 'init_cfg' not in prepare(config(tmp_path, resume=True)).model


def test_the_learning_rate_scales_with_the_first_streams_size():
    cfg = Config(dict(auto_scale_lr=dict(base_batch_size=256), optim_wrapper=dict(optimizer=dict(lr=0.1)),
                      train_dataloader=dict(sampler=dict(streams=dict(a=dict(size=512), b=dict(size=1024))))))
    scale_lr(cfg)
    assert cfg.optim_wrapper.optimizer.lr == 0.2 and cfg.auto_scale_lr is None
    with pytest.raises(ValueError, match='base_batch_size'):
        scale_lr(cfg)


@pytest.mark.parametrize('launcher, names', [
    ('mpi', ('OMPI_COMM_WORLD_RANK', 'OMPI_COMM_WORLD_SIZE', 'OMPI_COMM_WORLD_LOCAL_RANK')),
    ('slurm', ('SLURM_PROCID', 'SLURM_NTASKS', 'SLURM_LOCALID'))])
def test_other_launchers_meet_without_an_accelerator(launcher, names, tmp_path, monkeypatch):
    groups = []
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: False)
    monkeypatch.setattr(launch.dist, 'init_process_group', groups.append)
    for name in ('RANK', 'WORLD_SIZE', 'LOCAL_RANK', 'MASTER_ADDR', 'MASTER_PORT', *names):
        monkeypatch.setenv(name, 'unset')  # restores what the call below writes
        monkeypatch.delenv(name)
    with pytest.raises(RuntimeError, match=names[0]):
        init_environment(launcher)
    for name, value in zip(names, '351'):
        monkeypatch.setenv(name, value)
    if launcher == 'mpi':
        with pytest.raises(RuntimeError, match='MASTER_ADDR'):
            init_environment(launcher)
        monkeypatch.setenv('MASTER_ADDR', 'host7')
    else:
        scontrol = tmp_path / 'scontrol'
        scontrol.write_text('#!/bin/sh\n[ "$3" = "host[7-9]" ] && printf "host7\\nhost8\\n"\n')
        scontrol.chmod(0o755)
        monkeypatch.setenv('PATH', f'{tmp_path}{os.pathsep}{os.environ["PATH"]}')
        monkeypatch.setenv('SLURM_NODELIST', 'host[7-9]')
    init_environment(launcher)
    assert groups == ['gloo']
    assert [os.environ[name] for name in ('RANK', 'WORLD_SIZE', 'LOCAL_RANK', 'MASTER_ADDR', 'MASTER_PORT')] == [
        '3', '5', '1', 'host7', '29500']


TWO_PROCESSES = '''
import sys
import torch
import torch.distributed as dist
from mmengine.config import Config
from mmengine.runner import Runner
from mmcluster.engine.launch import init_environment, prepare
from test_engine.toy import toy_cfg

torch.set_num_threads(1)
init_environment('pytorch')
init_environment('pytorch')
assert dist.get_backend() == 'gloo' and dist.get_world_size() == 2
for epochs, resume in ((1, False), (2, True)):
    hooks = dict(seed=dict(type='SeedHook'), checkpoint=dict(type='CheckpointHook', interval=1, max_keep_ckpts=1))
    machine = prepare(Config(dict(model=dict(), work_dir=sys.argv[1])), 'pytorch')
    runner = Runner(launcher='pytorch', cfg=machine, **toy_cfg(
        sys.argv[1], resume=resume, default_hooks=hooks, train_cfg=dict(by_epoch=True, max_epochs=epochs)))
    runner.train()
model = runner.model.module
assert runner.epoch == 2 and runner.iter == 8 and int(model.seen) == 4 * 8, (runner.iter, model.seen)

def on_both(tensor):
    parts = [torch.empty_like(tensor) for _ in range(2)]
    dist.all_gather(parts, tensor.detach().contiguous())
    return parts

for name, value in model.named_parameters():
    assert torch.equal(*on_both(value)), name
assert not torch.equal(*on_both(model.norm.running_mean)), 'buffers must not be sent behind the back of hooks'
dist.barrier()
dist.destroy_process_group()
'''


@pytest.mark.slow
def test_two_processes_train_and_resume(tmp_path):
    script = tmp_path / 'two.py'
    script.write_text(TWO_PROCESSES)
    work_dir = tmp_path / 'run'
    environment = dict(os.environ, OMP_NUM_THREADS='1', PYTHONPATH=os.pathsep.join([str(ROOT), str(ROOT / 'tests')]))
    command = [sys.executable, '-m', 'torch.distributed.run', '--standalone', '--nproc_per_node=2', str(script)]
    done = subprocess.run([*command, str(work_dir)], env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-3000:]
    assert [path.name for path in work_dir.glob('*.pth')] == ['epoch_2.pth']
    assert not list(work_dir.glob('.*.tmp'))
