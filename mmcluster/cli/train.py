"""Train a config or a recipe."""
from __future__ import annotations

import argparse
import os
import os.path as osp
from contextlib import ExitStack
from typing import TYPE_CHECKING

from mmcluster.command_line import Settings

if TYPE_CHECKING:
    from mmengine.config import Config

USAGE = 'mmcluster train CONFIG [options]'
# MLflow writes no plain folders any more, which MMEngine would ask it for
BACKENDS = dict(
    tensorboard=dict(type='TensorboardVisBackend'), wandb=dict(type='WandbVisBackend'),
    mlflow=dict(type='MLflowVisBackend', tracking_uri=os.environ.get('MLFLOW_TRACKING_URI', 'sqlite:///mlflow.db')))


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument('config', help='a config with or without stages: a file, or the name of one that comes with '
                        'mmcluster')
    parser.add_argument('--work-dir', help='where logs, checkpoints and results go')
    parser.add_argument('--resume', nargs='?', const='auto', help='go on from the last checkpoint of the work dir, '
                        'or from the one given (recipes go on by themselves)')
    parser.add_argument('--overwrite', action='store_true', help='train again even if the work dir holds results')
    parser.add_argument('--allow-config-change', action='store_true', help='resume with another config, or train a '
                        'finished run on to the end of a longer one')
    parser.add_argument('--epochs', type=int, help='train for another number of epochs; of a recipe, each stage for at '
                        'most as many. Schedules move with it')
    parser.add_argument('--full-log', action='store_true', help='show long entries of the log in the console, too')
    parser.add_argument('--log-to', nargs='+', choices=list(BACKENDS), default=[], help='numbers, figures and '
                        'galleries go there, too; each must be installed')
    parser.add_argument('--amp', action='store_true', help='bfloat16 autocast')
    parser.add_argument('--compile', action='store_true', help='compile the networks; a CPU needs a C++ compiler')
    parser.add_argument('--no-validate', action='store_true', help='no evaluation during training')
    parser.add_argument('--auto-scale-lr', action='store_true', help='scale the learning rate with the batch size')
    parser.add_argument('--no-pin-memory', action='store_true', help='do not pin the memory of loaders')
    parser.add_argument('--no-persistent-workers', action='store_true', help='restart loader workers every epoch')
    parser.add_argument('--allow-pickle', action='store_true', help='read pretrained files that can run code')
    parser.add_argument('--cfg-options', nargs='+', action=Settings, help='override settings, key=value')
    parser.add_argument('--launcher', choices=['none', 'pytorch', 'slurm', 'mpi'], default='none')
    parser.add_argument('--local_rank', '--local-rank', type=int, default=0)


def edit_stage(cfg: Config, args: argparse.Namespace) -> None:
    """Apply the switches to the config of one stage, in place."""
    from mmcluster.engine.launch import scale_lr
    from mmcluster.recipes.length import set_epochs
    if args.epochs is not None:
        longest = args.epochs if args.single else cfg.get('train_cfg', {}).get('max_epochs', args.epochs)
        set_epochs(cfg, min(args.epochs, longest))
    if args.log_to:
        known = (cfg.get('visualizer') or {}).get('vis_backends', [dict(type='LocalVisBackend')])
        added = [BACKENDS[name] for name in args.log_to]
        cfg.merge_from_dict(dict(visualizer=dict(vis_backends=[
            *known, *(one for one in added if one['type'] not in [backend['type'] for backend in known])])))
    if args.amp:
        kind = cfg.optim_wrapper.get('type', 'OptimWrapper')
        if kind not in ('OptimWrapper', 'AutocastOptimWrapper'):
            raise ValueError(f'--amp cannot change an optimiser wrapper of type {kind}')
        cfg.optim_wrapper.type = 'AutocastOptimWrapper'
        cfg.optim_wrapper.dtype = 'bfloat16'
    if args.compile:
        cfg.compile = cfg.get('compile') or True
    if args.no_validate:
        cfg.val_cfg = cfg.val_dataloader = cfg.val_evaluator = None
    if args.auto_scale_lr:
        scale_lr(cfg)
    for name in ('train_dataloader', 'val_dataloader', 'test_dataloader'):
        loader = cfg.get(name)
        if not loader:
            continue
        if args.no_pin_memory:
            loader.pin_memory = False
        loader.persistent_workers = bool(loader.get('num_workers')) and not args.no_persistent_workers


def run(args: argparse.Namespace) -> None:
    """Train the config."""
    os.environ.setdefault('LOCAL_RANK', str(args.local_rank))
    # imported here, so that --help does not wait for torch
    from mmengine.dist import is_main_process

    from mmcluster.compat import allow_pickle
    from mmcluster.engine.launch import is_restart, leave_environment
    from mmcluster.engine.liveness import ends_group
    from mmcluster.evaluation.results import last_words
    from mmcluster.recipes import config_file, read_config, recipe
    from mmcluster.recipes.merging import merge_options
    from mmcluster.recipes.option_names import check_names
    if args.full_log:
        os.environ['MMCLUSTER_FULL_LOG'] = '1'
    file = str(config_file(args.config))
    cfg = read_config(file)
    if args.cfg_options:
        check_names(cfg, args.cfg_options)
        merge_options(cfg, args.cfg_options)
    args.single = len(cfg.get('stages', ['train'])) == 1
    cfg.work_dir = args.work_dir or cfg.get('work_dir') or osp.join(
        'work_dirs', osp.splitext(osp.basename(file))[0])
    # Slurm tells of a restart once there has been one, torch's launcher of all that it would do
    if args.overwrite and any(int(os.environ.get(name) or 0)
                              for name in ('TORCHELASTIC_MAX_RESTARTS', 'SLURM_RESTART_COUNT')):
        raise ValueError('--overwrite would throw away the run at every restart: remove the work dir, choose another '
                         'one, or drop --max-restarts (MAX_RESTARTS), or sbatch --requeue')
    if is_restart():
        args.resume = 'auto'
    with ExitStack() as stack:
        stack.enter_context(ends_group())
        if args.allow_pickle:
            stack.enter_context(allow_pickle())
        checkpoints = recipe.run(cfg, args.launcher, args.resume or False, args.overwrite, args.allow_config_change,
                                 lambda stage: edit_stage(stage, args))
    if is_main_process():
        print(last_words(checkpoints), flush=True)
    leave_environment()
