"""Runs a config: one stage, or a recipe of stages, each resumable and skipped when done."""
from __future__ import annotations

import copy
import inspect
import json
import logging
import os
import re
from pathlib import Path
from typing import Any, Callable, Optional

from mmengine.config import Config, ConfigDict
from mmengine.dist import barrier, is_main_process
from mmengine.logging import print_log
from mmengine.runner import Runner

from mmcluster.evaluation.results import write_json
from mmcluster.registry import DATASETS, RUNNERS

from .changes import check_unchanged, comparable
from .launch import init_environment, prepare
from .requirements import check_batch, check_hooks, check_labels, check_loop

DONE, STARTED = 'done.json', 'config.json'


def run(cfg: Config, launcher: str = 'none', resume: Any = False, overwrite: bool = False,
        allow_config_change: bool = False, edit: Optional[Callable[[Config], None]] = None) -> dict[str, str]:
    """Train a config, or every stage of a recipe that is not done yet.

    A recipe has ``stages = dict(name=dict(config=..., options=..., checkpoint=...))``; stages run in order in
    ``<work_dir>/<name>``. ``{name}`` in any string of a later stage's config stands for that stage's final
    checkpoint. A stage with ``checkpoint`` is replaced by that file. Every other setting of a recipe is merged into all
    of its stages; names that are no setting of a Runner or of the stage are the recipe's own helpers. Stages that were
    interrupted resume; a config without stages resumes when ``resume`` says so.

    Args:
        cfg: Config with a ``work_dir``.
        launcher: ``'none'``, ``'pytorch'``, ``'slurm'`` or ``'mpi'``.
        resume: ``True`` or ``'auto'``: from the last checkpoint of the work dir; a path: from that file. Only for a
            config without stages.
        overwrite: Train again even if the work dir holds results.
        allow_config_change: Resume although the config differs from the one that started the run.
        edit: Called with every stage's config before it runs (command-line switches).

    Returns:
        stage name -> final checkpoint; a config without stages is the stage ``'train'``.

    Raises:
        FileExistsError: If the work dir holds an unfinished run and ``resume`` is off.
        ValueError: If a run is resumed with a changed config, or a placeholder has no stage.
    """
    init_environment(launcher, (cfg.get('env_cfg') or {}).get('dist_cfg', {}).get('backend'))
    options = dict(root=os.path.abspath(cfg.work_dir), launcher=launcher, overwrite=overwrite,
                   allow_config_change=allow_config_change, edit=edit)
    if 'stages' not in cfg:
        return dict(train=_train(copy.deepcopy(cfg), resume=resume, **options))
    checkpoints: dict[str, str] = {}
    for name, stage in cfg.stages.items():
        if stage.get('checkpoint'):
            if not os.path.isfile(stage.checkpoint):
                raise FileNotFoundError(f'stages.{name}.checkpoint: no file {stage.checkpoint!r}')
            checkpoints[name] = os.path.abspath(stage.checkpoint)
            continue
        print_log(f'stage {name} of {list(cfg.stages)}', logger='current')
        checkpoints[name] = _train(stage_config(cfg, name, checkpoints), resume=True, **options)
    return checkpoints


def stage_config(cfg: Config, name: str, checkpoints: dict[str, str]) -> Config:
    """The config of one stage of a recipe.

    Args:
        cfg: The recipe, with ``work_dir``.
        name: Stage name.
        checkpoints: Final checkpoints of earlier stages, for ``{stage}`` in strings.

    Returns:
        An ordinary config with the stage's work dir.
    """
    stage = cfg.stages[name]
    path = stage.config
    if not os.path.isabs(path) and cfg.filename:
        path = os.path.join(os.path.dirname(cfg.filename), path)
    merged = Config.fromfile(path, lazy_import=False)
    known = set(merged) | set(inspect.signature(Runner).parameters)
    shared = {key: value for key, value in cfg.items() if key in known and key not in ('work_dir', 'default_scope')}
    merged.merge_from_dict(copy.deepcopy(shared))
    merged.merge_from_dict(copy.deepcopy(stage.get('options') or {}))
    merged = Config(_fill_placeholders(merged._cfg_dict, checkpoints), filename=merged.filename)
    merged.work_dir = os.path.join(cfg.work_dir, name)
    return merged


def _fill_placeholders(value: Any, checkpoints: dict[str, str]) -> Any:
    """Replace ``{stage}`` in every string of a nested config."""
    if isinstance(value, dict):
        return ConfigDict({key: _fill_placeholders(item, checkpoints) for key, item in value.items()})
    if isinstance(value, (list, tuple)):
        return type(value)(_fill_placeholders(item, checkpoints) for item in value)
    if isinstance(value, str):
        return re.sub(r'\{(\w+)\}', lambda match: checkpoints.get(match[1], match[0]), value)
    return value


def _placeholders(value: Any, where: str = '') -> list[str]:
    """Places of a nested config whose string still holds a ``{stage}``."""
    if isinstance(value, dict):
        return [place for key, item in value.items() for place in _placeholders(item, f'{where}.{key}'.lstrip('.'))]
    if isinstance(value, (list, tuple)):
        return [place for i, item in enumerate(value) for place in _placeholders(item, f'{where}.{i}')]
    return [f'{where}={value}'] if isinstance(value, str) and re.fullmatch(r'\{\w+\}', value) else []


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
    open_places = _placeholders(cfg._cfg_dict)
    if open_places:
        raise ValueError(f'{open_places} stand for the checkpoint of an earlier stage. Run the recipe that has this '
                         f'stage, or name a file, e.g. --cfg-options {open_places[0].split("=")[0]}=path.pth')
    work_dir = os.path.abspath(cfg.work_dir)
    bind_data(cfg)
    wanted = comparable(cfg, root)
    done = None if overwrite else _read(os.path.join(work_dir, DONE))
    if done is not None:
        check_unchanged(done['config'], wanted, work_dir, allow_config_change)
        checkpoint = os.path.join(work_dir, done['checkpoint'])
        print_log(f'{work_dir} is done: {done["checkpoint"]}', logger='current')
        if not os.path.isfile(checkpoint):  # a later stage that has begun does not need it
            print_log(f'{checkpoint} is gone; put it back, or train again with --overwrite', logger='current',
                      level=logging.WARNING)
        return checkpoint
    _set_resume(cfg, work_dir, resume, overwrite, allow_config_change, wanted)
    cfg = prepare(cfg, launcher)
    if is_main_process():
        os.makedirs(work_dir, exist_ok=True)
        if overwrite:
            for name in (DONE, 'last_checkpoint'):
                Path(work_dir, name).unlink(missing_ok=True)
        write_json(os.path.join(work_dir, STARTED), wanted)
    barrier()
    runner = build_runner(cfg)
    check_hooks(runner)
    check_loop(runner)
    check_batch(runner)
    check_labels(runner)
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
    return Runner.from_cfg(cfg) if 'runner_type' not in cfg else RUNNERS.build(cfg)


def close(runner: Runner) -> None:
    """Stop the workers of a Runner, so that the next stage does not wait for them."""
    for loop in (runner._train_loop, runner._val_loop, runner._test_loop):
        loader = getattr(loop, 'dataloader', None)
        if loader is not None:
            getattr(loader, 'loader', loader)._iterator = None
    runner.visualizer.close()


def _set_resume(cfg: Config, work_dir: str, resume: Any, overwrite: bool, allow_config_change: bool,
                wanted: dict) -> None:
    """Decide between a fresh start and a resume, and refuse what would lose a run."""
    path = resume if isinstance(resume, str) and resume != 'auto' else None
    latest = path or latest_checkpoint(work_dir)
    cfg.resume = False
    if overwrite:
        return
    if latest is None:
        if os.path.exists(os.path.join(work_dir, 'last_checkpoint')):
            raise FileNotFoundError(f'the checkpoint that {work_dir}/last_checkpoint names is gone. Put it back, or '
                                    f'start anew with --overwrite')
        return
    if not resume:
        raise FileExistsError(f'{work_dir} holds an unfinished run ({os.path.basename(latest)}). Go on with --resume, '
                              f'choose another --work-dir, or start anew with --overwrite')
    folder = work_dir if path is None else os.path.dirname(os.path.abspath(path))
    check_unchanged(_read(os.path.join(folder, STARTED)) or wanted, wanted, folder, allow_config_change)
    cfg.resume, cfg.load_from = True, latest


def latest_checkpoint(work_dir: str) -> Optional[str]:
    """The checkpoint that a work dir's ``last_checkpoint`` names, ``None`` without one. The dir may have moved."""
    record = os.path.join(work_dir, 'last_checkpoint')
    if not os.path.isfile(record):
        return None
    with open(record, encoding='utf-8') as file:
        path = os.path.join(work_dir, os.path.basename(file.read().strip()))
    return path if os.path.isfile(path) else None


def _read(path: str) -> Optional[dict]:
    if not os.path.exists(path):
        return None
    with open(path, encoding='utf-8') as file:
        return json.load(file)
