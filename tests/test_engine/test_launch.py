"""What depends on the machine: process groups, wrappers, what a resumed run leaves out, command-line switches."""
import argparse
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
import torch.distributed as dist
from mmengine.config import Config
from mmengine.model.weight_init import PretrainedInit
from mmengine.optim import DefaultOptimWrapperConstructor
from mmengine.runner import Runner

from mmcluster.cli import train
from mmcluster.engine import launch
from mmcluster.engine.launch import init_environment, prepare, scale_lr, without_pretrained
from mmcluster.engine.optim import GroupedOptimWrapperConstructor

from .toy import toy_cfg

ROOT = Path(__file__).parents[2]
CPU = pytest.mark.skipif(torch.cuda.is_available(), reason='describes machines without an accelerator')


def config(**changes):
    return Config({**dict(
        model=dict(type='ToyModel'), work_dir='nowhere',
        optim_wrapper=dict(type='OptimWrapper', optimizer=dict(lr=0.2)),
        train_dataloader=dict(num_workers=2, pin_memory=True,
                              sampler=dict(streams=dict(batch=dict(size=512), other=dict(size=7)))),
        val_cfg=dict(), val_dataloader=dict(num_workers=0), val_evaluator=dict()), **changes})


def test_one_process_needs_no_group():
    init_environment('none')
    assert not dist.is_initialized()
    cfg = prepare(config(default_scope='other', sync_bn='torch'))
    assert cfg.default_scope == 'mmcluster' and cfg.launcher == 'none' and cfg.randomness.seed == 0
    assert 'model_wrapper_cfg' not in cfg and cfg.sync_bn == 'torch'


@CPU
def test_processes_without_an_accelerator():
    cfg = config(sync_bn='torch', find_unused_parameters=True, randomness=dict(seed=5))
    assert prepare(cfg, 'pytorch') is cfg
    expected = dict(type='MMDistributedDataParallel', device_ids=None, broadcast_buffers=False,
                    find_unused_parameters=True)
    assert cfg.model_wrapper_cfg == expected and cfg.sync_bn is None and cfg.randomness.seed == 5
    once = cfg.pretty_text
    assert prepare(cfg, 'pytorch').pretty_text == once
    assert prepare(config(model_wrapper_cfg=dict(static_graph=True)), 'pytorch').model_wrapper_cfg == dict(
        expected, find_unused_parameters=False, static_graph=True)
    other = dict(type='MMFullyShardedDataParallel')
    assert prepare(config(model_wrapper_cfg=other), 'pytorch').model_wrapper_cfg == other


def test_processes_with_an_accelerator(monkeypatch):
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: True)
    monkeypatch.setattr(torch.cuda, 'current_device', lambda: 3)
    cfg = prepare(config(sync_bn='torch'), 'slurm')
    assert cfg.model_wrapper_cfg.device_ids == [3] and cfg.sync_bn == 'torch'
    joined = []
    monkeypatch.setattr(launch, 'init_dist', lambda *args, **kwargs: joined.append((args, kwargs['timeout'])))
    init_environment('slurm')
    init_environment('mpi', 'gloo', timeout=60)
    assert joined == [(('slurm', 'nccl'), 7200), (('mpi', 'gloo'), 60)]


@CPU
@pytest.mark.parametrize('launcher, names', [
    ('slurm', ('SLURM_PROCID', 'SLURM_NTASKS', 'SLURM_LOCALID')),
    ('mpi', ('OMPI_COMM_WORLD_RANK', 'OMPI_COMM_WORLD_SIZE', 'OMPI_COMM_WORLD_LOCAL_RANK'))])
def test_other_launchers_meet_without_an_accelerator(monkeypatch, tmp_path, launcher, names):
    groups = []
    monkeypatch.setattr(dist, 'init_process_group', lambda backend, timeout: groups.append((backend, timeout.seconds)))
    for name in ('RANK', 'WORLD_SIZE', 'LOCAL_RANK', 'MASTER_ADDR', 'MASTER_PORT'):
        monkeypatch.setenv(name, 'unset')  # restores what the call below writes
        monkeypatch.delenv(name)
    for name, value in zip(names, '351'):
        monkeypatch.setenv(name, value)
    if launcher == 'mpi':
        with pytest.raises(RuntimeError, match='MASTER_ADDR'):
            init_environment(launcher)
        monkeypatch.setenv('MASTER_ADDR', 'host7')
    else:
        (tmp_path / 'scontrol').write_text('#!/bin/sh\n[ "$3" = "host[7-9]" ] && printf "host7\\nhost8\\n"\n')
        (tmp_path / 'scontrol').chmod(0o755)
        monkeypatch.setenv('PATH', f'{tmp_path}{os.pathsep}{os.environ["PATH"]}')
        monkeypatch.setenv('SLURM_NODELIST', 'host[7-9]')
    init_environment(launcher, 'nccl', timeout=60)
    assert groups == [('gloo', 60)]
    assert [os.environ[name] for name in ('RANK', 'WORLD_SIZE', 'LOCAL_RANK', 'MASTER_ADDR', 'MASTER_PORT')] == [
        '3', '5', '1', 'host7', '29500']


@CPU
@pytest.mark.parametrize('launcher, command', [('pytorch', 'torch.distributed.run'), ('slurm', 'srun'),
                                               ('mpi', 'mpirun'), ('ssh', "'none'")])
def test_a_process_that_no_launcher_started_is_told_so(launcher, command):
    with pytest.raises(RuntimeError, match=command):
        init_environment(launcher)


@pytest.mark.parametrize('name, places', [
    ('train', r'train_dataloader\.sampler\.streams\.batch\.size and train_dataloader\.sampler\.streams\.other\.size'),
    ('val', r'val_dataloader\.sampler\.batch_size')])
def test_a_batch_size_that_no_loader_reads(name, places):
    cfg = config(val_dataloader=dict(batch_size=None, sampler=dict(type='SweepSampler', batch_size=512)))
    prepare(cfg)
    cfg[f'{name}_dataloader'].batch_size = 64
    with pytest.raises(ValueError, match=rf'{name}_dataloader\.batch_size=64 must stay None.*set {places}'):
        prepare(cfg)
    prepare(config(train_dataloader=dict(batch_size=4, sampler=dict(type='DefaultSampler', shuffle=True))))


class OwnConstructor(GroupedOptimWrapperConstructor):
    """A constructor that reads the same keys."""


@pytest.mark.parametrize('paramwise', [dict(lr_mult=dict(body=0.)), dict(no_decay='norm'), dict(layer_decay=0.5)])
@pytest.mark.parametrize('constructor', ['DefaultOptimWrapperConstructor', DefaultOptimWrapperConstructor])
def test_our_keys_of_paramwise_cfg_name_their_constructor(paramwise, constructor):
    cfg = config()
    cfg.optim_wrapper.paramwise_cfg = paramwise
    assert prepare(cfg).optim_wrapper.constructor == 'GroupedOptimWrapperConstructor'
    assert prepare(cfg).optim_wrapper.constructor == 'GroupedOptimWrapperConstructor'
    cfg.optim_wrapper.constructor = OwnConstructor
    assert prepare(cfg).optim_wrapper.constructor is OwnConstructor
    cfg.optim_wrapper.constructor = constructor
    with pytest.raises(ValueError, match=rf"has \['{next(iter(paramwise))}'\], which .* does not read: drop"):
        prepare(cfg)


def test_our_keys_of_paramwise_cfg_take_effect(tmp_path):
    for paramwise, rates in ((dict(lr_mult=dict(body=0.5)), {0.05, 0.1}), (dict(bias_lr_mult=2.), {0.1, 0.2})):
        cfg = Config(toy_cfg(tmp_path))
        cfg.optim_wrapper.paramwise_cfg = paramwise
        runner = Runner.from_cfg(prepare(cfg))
        runner.optim_wrapper = runner.build_optim_wrapper(runner.optim_wrapper)
        assert {group['lr'] for group in runner.optim_wrapper.param_groups} == rates


@pytest.mark.parametrize('paramwise', [None, dict(), dict(bias_lr_mult=2., custom_keys=dict(body=dict(lr_mult=0.5)))])
def test_the_keys_of_mmengine_keep_its_constructor(paramwise):
    cfg = config()
    cfg.optim_wrapper.paramwise_cfg = paramwise
    assert 'constructor' not in prepare(cfg).optim_wrapper
    assert prepare(config(optim_wrapper=None)).optim_wrapper is None


def model_with_pretrained():
    pretrained = dict(type='Pretrained', checkpoint='a.pth')
    return dict(type='Boost', base=dict(type='ProPos', init_cfg=pretrained, neck=dict(init_cfg=dict(type='Xavier'))),
                parts=[dict(init_cfg=[dict(type='Normal'), pretrained])], own=dict(init_cfg=dict(type=PretrainedInit)))


def test_pretrained_is_dropped_at_any_depth():
    model = model_with_pretrained()
    assert without_pretrained(model) == dict(
        type='Boost', base=dict(type='ProPos', neck=dict(init_cfg=dict(type='Xavier'))),
        parts=[dict(init_cfg=[dict(type='Normal')])], own={})
    assert model == model_with_pretrained()


def test_pretrained_is_dropped_only_if_there_is_something_to_resume(tmp_path):
    resumed = without_pretrained(model_with_pretrained())
    cases = [(dict(resume=True, load_from='b.pth'), resumed), (dict(resume=True), model_with_pretrained()),
             (dict(load_from='b.pth'), model_with_pretrained())]
    for changes, expected in cases:
        assert prepare(config(model=model_with_pretrained(), work_dir=str(tmp_path), **changes)).model == expected


def test_the_rate_scales_with_the_first_streams_rows():
    cfg = config(auto_scale_lr=dict(base_batch_size=128))
    scale_lr(cfg)
    assert cfg.optim_wrapper.optimizer.lr == 0.8 and cfg.auto_scale_lr is None
    with pytest.raises(ValueError, match='base_batch_size'):
        scale_lr(config())
    cfg = config(auto_scale_lr=dict(base_batch_size=128))
    cfg.train_dataloader.sampler.streams.batch.size = 'all'
    with pytest.raises(ValueError, match="'batch', got 'all'"):
        scale_lr(cfg)


def test_switches_of_train():
    parser = argparse.ArgumentParser()
    train.add_arguments(parser)

    def edited(*switches):
        cfg = config(auto_scale_lr=dict(base_batch_size=256))
        train.edit_stage(cfg, parser.parse_args(['x.py', *switches]))
        return cfg

    cfg = edited()
    assert cfg.train_dataloader.persistent_workers and not cfg.val_dataloader.persistent_workers
    assert cfg.train_dataloader.pin_memory and cfg.optim_wrapper == dict(type='OptimWrapper', optimizer=dict(lr=0.2))
    cfg = edited('--amp', '--no-validate', '--auto-scale-lr', '--no-pin-memory', '--no-persistent-workers',
                 '--local-rank', '1')
    assert cfg.optim_wrapper == dict(type='AutocastOptimWrapper', dtype='bfloat16', optimizer=dict(lr=0.4))
    assert cfg.val_cfg is cfg.val_dataloader is cfg.val_evaluator is None
    assert not cfg.train_dataloader.pin_memory and not cfg.train_dataloader.persistent_workers


TWO_PROCESSES = '''
import sys, torch
torch.set_num_threads(1)
import mmcluster
from mmengine.config import Config
from mmengine.dist import all_gather, get_rank
from mmengine.runner import Runner
from mmcluster.engine.launch import init_environment, leave_environment, prepare
from test_engine.toy import toy_cfg


def main():
    for epochs in (1, 2):
        cfg = toy_cfg(sys.argv[1], sync_bn='torch', train_cfg=dict(by_epoch=True, max_epochs=epochs),
                      resume=epochs == 2, default_hooks=dict(
                          checkpoint=dict(type='CheckpointHook', max_keep_ckpts=1), seed=dict(type='SeedHook')))
        runner = Runner.from_cfg(prepare(Config(cfg), 'pytorch'))
        runner.train()
    model = runner.model.module
    assert runner.epoch == 2 and runner.iter == 8 and int(model.seen) == 4 * 8 and type(runner.model) is not type(model)
    for name, value in model.named_parameters():
        assert torch.equal(*all_gather(value.detach())), name
    assert not torch.equal(*all_gather(model.norm.running_mean)), 'buffers must not be sent behind the back of hooks'
    open(f'{sys.argv[1]}/rank{get_rank()}', 'w').close()


init_environment('pytorch', 'nccl')
init_environment('pytorch')
main()      # as the tools do, models are gone when the process group ends
leave_environment()
leave_environment()
'''


@CPU
@pytest.mark.slow
def test_two_processes_train_and_resume_on_cpu(tmp_path):
    (tmp_path / 'script.py').write_text(TWO_PROCESSES)
    done = subprocess.run([sys.executable, '-m', 'torch.distributed.run', '--nproc_per_node=2', '--rdzv-backend=c10d',
                           '--rdzv-endpoint=localhost:0', str(tmp_path / 'script.py'), str(tmp_path / 'work')],
                          env={**os.environ, 'PYTHONPATH': f'{ROOT}:{ROOT / "tests"}',
                               'OMP_NUM_THREADS': '1'}, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout[-1000:] + done.stderr[-6000:]
    names = {path.name for path in (tmp_path / 'work').iterdir()}
    assert {'rank0', 'rank1', 'epoch_2.pth'} <= names and 'epoch_1.pth' not in names
