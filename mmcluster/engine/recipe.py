"""Runs a config: one stage, or a recipe of stages, each resumable and skipped when done."""
from __future__ import annotations

import copy
import os
from pathlib import Path
from typing import Any, Callable, Optional

from mmengine.config import Config
from mmengine.dist import barrier, is_main_process
from mmengine.evaluator import Evaluator
from mmengine.logging import print_log
from mmengine.runner import Runner

from mmcluster.evaluation.evaluator import PatientEvaluator
from mmcluster.evaluation.results import write_json
from mmcluster.registry import DATASETS, RUNNERS

from .changes import comparable
from .config_names import check_config
from .launch import init_environment, prepare
from .progress import DONE, KeepFinalHook, latest_checkpoint, read_json, record_start, starting_point
from .requirements import check_batch, check_hooks, check_labels, check_loop, check_metrics
from .stages import check_placeholders, check_stages, stage_config


def run(cfg: Config, launcher: str = 'none', resume: Any = False, overwrite: bool = False,
        allow_config_change: bool = False, edit: Optional[Callable[[Config], None]] = None) -> dict[str, str]:
    """Train a config, or every stage of a recipe that is not done yet.

    A recipe has ``stages = dict(name=dict(config=..., options=..., checkpoint=...))``; stages run in order in
    ``<work_dir>/<name>``. ``{name}`` in any string of a later stage's config stands for that stage's final
    checkpoint. A stage with ``checkpoint`` is replaced by that file. Every other setting of a recipe is merged into all
    of its stages; names that are no setting of a Runner or of the stage are the recipe's own helpers. Stages that were
    interrupted resume; a config without stages resumes when ``resume`` says so. All stages are checked before the first
    one trains. What is done stays as it is, unless its config became longer, see
    :func:`mmcluster.engine.progress.starting_point`.

    Args:
        cfg: Config with a ``work_dir``.
        launcher: ``'none'``, ``'pytorch'``, ``'slurm'`` or ``'mpi'``.
        resume: ``True`` or ``'auto'``: from the last checkpoint of the work dir; a path: from that file. Only for a
            config without stages.
        overwrite: Train again even if the work dir holds results.
        allow_config_change: Resume although the config differs from the one that started the run, or train a finished
            run on to the end of a longer config.
        edit: Called with every stage's config before it runs, and when all are checked (command-line switches).

    Returns:
        stage name -> final checkpoint; a config without stages is the stage ``'train'``.

    Raises:
        FileExistsError: If the work dir holds an unfinished run and ``resume`` is off, or a finished one and ``resume``
            is a path, unless that is its final checkpoint and the config became longer.
        FileNotFoundError: If a file that a stage or ``resume`` names does not exist.
        ValueError: If a run is resumed with a changed config, a placeholder has no stage, a stage has another key than
            the three, or ``resume`` is a path for a recipe.
    """
    init_environment(launcher, (cfg.get('env_cfg') or {}).get('dist_cfg', {}).get('backend'))
    options = dict(root=os.path.abspath(cfg.work_dir), launcher=launcher, overwrite=overwrite,
                   allow_config_change=allow_config_change, edit=edit)
    if 'stages' not in cfg:
        return dict(train=_train(copy.deepcopy(cfg), resume=resume, **options))
    if isinstance(resume, str) and resume != 'auto':
        raise ValueError(f'--resume {resume}: a recipe goes on by itself in the stage that was interrupted. Drop the '
                         f'file, or put it in the place of a stage by --cfg-options stages.NAME.checkpoint={resume}')
    check_stages(cfg, edit)
    checkpoints: dict[str, str] = {}
    for name, stage in cfg.stages.items():
        if stage.get('checkpoint'):
            checkpoints[name] = os.path.abspath(stage.checkpoint)
            continue
        print_log(f'stage {name} of {list(cfg.stages)}', logger='current')
        checkpoints[name] = _train(stage_config(cfg, name, checkpoints), resume=True, **options)
    return checkpoints


def bind_data(cfg: Config) -> None:
    """Write size and fingerprint of the training set into ``model.bank``, in place.

    Raises:
        ValueError: If the config states another size.
    """
    bank = cfg.model.get('bank')
    if bank is None or bank.get('fingerprint'):
        return
    dataset = DATASETS.build(cfg.train_dataloader.dataset)
    if bank.get('num_samples') not in (None, len(dataset)):
        raise ValueError(f'model.bank.num_samples is {bank.num_samples}, the training set has {len(dataset)} images; '
                         f'leave it None to take the size from the data')
    bank.num_samples = len(dataset)
    bank.fingerprint = dataset.fingerprint


def _train(cfg: Config, root: str, launcher: str, resume: Any, overwrite: bool, allow_config_change: bool,
           edit: Optional[Callable[[Config], None]]) -> str:
    """Train one stage unless it is done; returns its final checkpoint."""
    if edit is not None:
        edit(cfg)
    check_config(cfg)
    check_placeholders(cfg)
    work_dir = os.path.abspath(cfg.work_dir)
    bind_data(cfg)
    wanted = comparable(cfg, root)
    checkpoint, done = starting_point(work_dir, wanted, resume, overwrite, allow_config_change)
    if done:
        return checkpoint
    cfg.resume = checkpoint is not None
    if checkpoint is not None:
        cfg.load_from = checkpoint
    cfg = prepare(cfg, launcher)
    if is_main_process():
        os.makedirs(work_dir, exist_ok=True)
        if overwrite:
            for name in (DONE, 'last_checkpoint'):
                Path(work_dir, name).unlink(missing_ok=True)
        record_start(work_dir, wanted, checkpoint)
    barrier()
    runner = build_runner(cfg)
    before = read_json(os.path.join(work_dir, DONE))
    if before is not None:
        runner.register_hook(KeepFinalHook(before['checkpoint']))
    check_hooks(runner)
    check_loop(runner)
    check_batch(runner)
    check_labels(runner)
    check_metrics(runner)
    runner.train()
    barrier()
    checkpoint = latest_checkpoint(work_dir)
    close(runner)
    if checkpoint is None:
        raise RuntimeError(f'no checkpoint in {work_dir} after training; keep the CheckpointHook and save_last')
    if is_main_process():
        write_json(os.path.join(work_dir, DONE), dict(checkpoint=os.path.basename(checkpoint), config=wanted))
    barrier()
    return checkpoint


def build_runner(cfg: Config) -> Runner:
    """A Runner of the config's ``runner_type``, mmengine's by default.

    The text of the config goes unformatted into log and checkpoints: formatting nested lists of long paths can take
    many seconds, and mmengine does it at every save.
    """
    cfg = Config(cfg._cfg_dict, filename=cfg.filename, format_python_code=False)
    return _Runner.from_cfg(cfg) if 'runner_type' not in cfg else RUNNERS.build(cfg)


class _Runner(Runner):
    """mmengine's Runner, whose metrics do not stop each other."""

    def build_evaluator(self, evaluator: Any) -> Evaluator:
        """Evaluator of a list of metrics, or the one that a config asks for by its type."""
        built = super().build_evaluator(evaluator)
        return PatientEvaluator(built.metrics) if type(built) is Evaluator else built


def close(runner: Runner) -> None:
    """Stop the workers of a Runner, so that the next stage does not wait for them."""
    for loop in (runner._train_loop, runner._val_loop, runner._test_loop):
        loader = getattr(loop, 'dataloader', None)
        if loader is not None:
            getattr(loader, 'loader', loader)._iterator = None
    runner.visualizer.close()
