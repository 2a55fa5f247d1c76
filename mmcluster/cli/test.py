"""Evaluate a checkpoint."""
from __future__ import annotations

import argparse
import os
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, Optional

from mmcluster.command_line import Settings, output_file

if TYPE_CHECKING:
    from mmengine.config import Config

USAGE = 'mmcluster test CONFIG [CHECKPOINT] [options]'


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument('config', help='a config, as mmcluster train takes it; of a recipe the stage is named '
                        'by --stage')
    parser.add_argument('checkpoint', nargs='?', help='a file; without it the weights of the zoo, for the name of a '
                        'config that has some')
    parser.add_argument('--stage', help='stage of a recipe that has several')
    parser.add_argument('--work-dir', help='where the log goes')
    parser.add_argument('--out', type=output_file,
                        help='write path or index, cluster, confidence and second choice to this CSV file')
    parser.add_argument('--out-features', type=output_file,
                        help='write the embedding (N, D) to this .npy file, in the order of --out')
    parser.add_argument('--refit', action='store_true', help='run k-means anew on these images, instead of giving them '
                        'to the clusters of the training')
    parser.add_argument('--out-item', type=output_file, help='write the metrics to this JSON file')
    parser.add_argument('--no-pin-memory', action='store_true', help='do not pin the memory of loaders')
    parser.add_argument('--allow-pickle', action='store_true', help='read a checkpoint that can run code')
    parser.add_argument('--cfg-options', nargs='+', action=Settings, help='override settings, key=value')
    parser.add_argument('--launcher', choices=['none', 'pytorch', 'slurm', 'mpi'], default='none')
    parser.add_argument('--local_rank', '--local-rank', type=int, default=0)


def _file_and_stage(args: argparse.Namespace) -> tuple[Path, Optional[str], str]:
    """The config, its stage and the checkpoint; those of the zoo if no checkpoint is given.

    Raises:
        ValueError: If another stage is asked for than the one whose weights the zoo has.
    """
    from mmcluster.recipes import config_file
    if args.checkpoint is not None:
        return config_file(args.config), args.stage, args.checkpoint
    from mmcluster.apis.zoo import last_stage, list_models, model_entry, zoo_checkpoint
    if Path(args.config).is_file():
        ready = ', '.join(list_models(pretrained=True))
        raise ValueError(f'mmcluster test {args.config}: give the checkpoint that should be evaluated, too; only these '
                         f'names have one in the zoo: {ready}')
    checkpoint, file = zoo_checkpoint(args.config), model_entry(args.config).config
    stage = last_stage(file)
    if args.stage not in (None, stage):
        of = f'the stage {stage} of {args.config}' if stage else f'{args.config}, which has no stages'
        raise ValueError(f'the zoo has weights of {of}: drop --stage {args.stage}, or give a checkpoint of that stage')
    return file, stage, checkpoint


def load_config(args: argparse.Namespace) -> Config:
    """The config to test, ready for a Runner."""
    from mmcluster.apis import open_config
    from mmcluster.engine.launch import prepare
    file, stage, checkpoint = _file_and_stage(args)
    cfg = open_config(str(file), stage, args.cfg_options, args.work_dir)
    cfg.load_from = checkpoint
    if args.no_pin_memory:
        cfg.test_dataloader.pin_memory = False
    metrics = cfg.test_evaluator if isinstance(cfg.test_evaluator, (list, tuple)) else [cfg.test_evaluator]
    if args.refit:
        metrics = [dict(metric, refit=True) if metric.get('type') == 'ClusteringMetric' else metric
                   for metric in metrics]
    if args.out_features:
        metrics = [*metrics, dict(type='FeatureFile', path=args.out_features)]
    cfg.test_evaluator = metrics
    return prepare(cfg, args.launcher)


def asked_group(args: argparse.Namespace) -> dict[str, Any]:
    """What the config says about the process group, before anything is built."""
    if args.launcher == 'none':
        return {}
    from mmcluster.engine.launch import group_options
    from mmcluster.recipes.stages import read_stage
    file, stage, _ = _file_and_stage(args)
    return group_options(read_stage(file, stage, args.cfg_options))


def evaluate(args: argparse.Namespace) -> None:
    """Load, evaluate, write.

    Raises:
        ValueError: If ``--out`` is given, and no metric of the config assigns clusters.
    """
    from mmengine.dist import is_main_process

    from mmcluster.evaluation import ClusteringMetric, write_assignments, write_json
    from mmcluster.recipes.recipe import build_runner, close
    runner = build_runner(load_config(args))
    metrics = runner.test_loop.evaluator.metrics
    metric = next((metric for metric in metrics if isinstance(metric, ClusteringMetric)), None)
    if args.out and metric is None:
        raise ValueError(f'--out writes the clusters of a ClusteringMetric, and test_evaluator has only '
                         f'{[type(metric).__name__ for metric in metrics]}: add one, or leave --out')
    result = runner.test()
    if is_main_process() and args.out_item:
        write_json(args.out_item, result)
    if is_main_process() and args.out and metric is not None:
        if metric.assignments is None:
            raise ValueError('--out has no clusters to write, as the ClusteringMetric was left out; its log line says '
                             'why')
        write_assignments(args.out, metric.assignments, runner.test_dataloader.dataset)
    close(runner)


def run(args: argparse.Namespace) -> None:
    """Evaluate in the process group of the launcher."""
    os.environ.setdefault('LOCAL_RANK', str(args.local_rank))
    # imported here and above, so that --help does not wait for torch
    from mmcluster.compat import allow_pickle
    from mmcluster.engine.launch import init_environment, leave_environment
    from mmcluster.engine.liveness import ends_group
    init_environment(args.launcher, **asked_group(args))
    with ExitStack() as stack:
        stack.enter_context(ends_group())
        if args.allow_pickle:
            stack.enter_context(allow_pickle())
        evaluate(args)
    leave_environment()
