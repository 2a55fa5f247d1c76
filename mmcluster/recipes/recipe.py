"""Runs a config: one stage, or a recipe of stages, each resumable and skipped when done."""
from __future__ import annotations

import copy
import itertools
import os
from typing import Any, Callable, Optional, Sequence

from mmengine.config import Config
from mmengine.dist import barrier, broadcast_object_list, is_main_process
from mmengine.evaluator import Evaluator
from mmengine.logging import print_log
from mmengine.registry import init_default_scope
from mmengine.runner import BaseLoop, Runner

from mmcluster.engine.compiled import CompilingRunner
from mmcluster.engine.console import ShortLogRunner
from mmcluster.engine.hooks import AnnounceHook, CostHook
from mmcluster.engine.launch import group_options, init_environment, prepare
from mmcluster.engine.lock import locked
from mmcluster.engine.resume import latest_checkpoint
from mmcluster.evaluation.evaluator import PatientEvaluator
from mmcluster.evaluation.results import write_json
from mmcluster.registry import DATASETS, RUNNERS
from mmcluster.utils import on_main_process

from .binding import bind_data
from .changes import comparable
from .complete import check_complete
from .config_names import check_config
from .exact import check_exact
from .placeholders import check_placeholders
from .progress import starting_point
from .records import BUILT_ON, DONE, IMAGES, STARTED, KeepFinalHook, StartHook, bases, digests, read_record
from .rehearsal import rehearse
from .requirements import CHECKS
from .stages import check_stages, stage_config

_RUNNERS = itertools.count()


def run(cfg: Config, launcher: str = 'none', resume: Any = False, overwrite: bool = False,
        allow_config_change: bool = False, edit: Optional[Callable[[Config], None]] = None) -> dict[str, str]:
    """Train a config, or every stage of a recipe that is not done yet.

    A recipe has ``stages``, a dict by name, of which :data:`~mmcluster.recipes.known_names.STAGE_KEYS` lists what one
    may hold; each trains in ``<work_dir>/<name>``.
    ``{name}`` in any string of a stage's config stands for the final checkpoint of that stage, which runs before it;
    else they run in the order in which they stand. A stage with ``checkpoint`` is replaced by that file. Every other
    setting of a recipe is merged into all of its stages; names that are no setting of a Runner or of the stage are the
    recipe's own helpers. Stages that were interrupted resume; a config without stages resumes when ``resume`` says so.
    All stages are checked before the first one trains, and the work dir is locked meanwhile. What is done stays as it
    is, unless its config became longer, see :func:`mmcluster.recipes.progress.starting_point`.

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
        RuntimeError: If another run trains in the work dir.
        ValueError: If a run is resumed with a changed config or base, a placeholder has no stage, a stage has an
            unknown key, or ``resume`` is a path for a recipe.
    """
    init_default_scope('mmcluster')
    root = os.path.abspath(cfg.work_dir)
    options = dict(root=root, launcher=launcher, overwrite=overwrite, allow_config_change=allow_config_change,
                   edit=edit)
    if 'stages' not in cfg:
        init_environment(launcher, **group_options(cfg))
        return dict(train=_train(copy.deepcopy(cfg), resume=resume, **options))
    if isinstance(resume, str) and resume != 'auto':
        raise ValueError(f'--resume {resume}: a recipe goes on by itself in the stage that was interrupted. Drop the '
                         f'file, or put it in the place of a stage by --cfg-options stages.NAME.checkpoint={resume}')
    names = check_stages(cfg, edit)
    trained = [name for name in names if not cfg.stages[name].get('checkpoint')]
    init_environment(launcher, **group_options(*(stage_config(cfg, name, {}) for name in trained)))
    checkpoints: dict[str, str] = {}
    with locked(root):
        _rehearse(cfg, names, trained, root, overwrite, edit)
        for name in names:
            if name not in trained:
                checkpoints[name] = os.path.abspath(cfg.stages[name].checkpoint)
                continue
            print_log(f'stage {name} of {names}', logger='current')
            later = [os.path.join(root, other) for other in trained[trained.index(name) + 1:]]
            checkpoints[name] = _train(stage_config(cfg, name, checkpoints), resume=True, later=later,
                                       stages=tuple(checkpoints.values()), **options)
    return checkpoints


def _rehearse(cfg: Config, names: list[str], trained: list[str], root: str, overwrite: bool,
              edit: Optional[Callable[[Config], None]]) -> None:
    """Rehearse the stages that are to be trained, but not one that has begun: it comes next, and may do without what
    it needed at its start."""
    records = {name: None if overwrite else read_record(os.path.join(root, name), DONE) for name in trained}
    done = {name: os.path.join(root, name, record['checkpoint']) for name, record in records.items() if record}
    given = {name: os.path.abspath(cfg.stages[name].checkpoint) for name in names if name not in trained}
    for name in trained:
        begun = not overwrite and os.path.exists(os.path.join(root, name, STARTED))
        if name not in done and not begun:
            rehearse(cfg, name, names, edit, {**given, **done})


def run_stage(cfg: Config, name: str, checkpoints: dict[str, str], work_dir: str, root: str,
              edit: Optional[Callable[[Config], None]] = None) -> str:
    """Train one stage of a recipe in a folder of its own, unless it is done; it goes on where it was interrupted.

    Several recipes that begin alike can so share their first stages.

    Args:
        cfg: The recipe, which :func:`mmcluster.recipes.stages.check_stages` has accepted.
        name: The stage.
        checkpoints: Final checkpoints of the stages before it.
        work_dir: Of the stage.
        root: A folder above those of all stages: it may move, and they with it.
        edit: See :func:`run`.

    Returns:
        The final checkpoint.
    """
    init_default_scope('mmcluster')
    single = stage_config(cfg, name, checkpoints)
    single.work_dir = work_dir
    return _train(single, root=os.path.abspath(root), launcher='none', resume=True, overwrite=False,
                  allow_config_change=False, edit=edit, stages=tuple(checkpoints.values()))


def _images(cfg: Config) -> dict[str, int]:
    """Fingerprint of the training set by its place, if it has one and the model no bank that holds it."""
    if cfg.model.get('bank') is not None:
        return {}
    fingerprint = getattr(DATASETS.build(cfg.train_dataloader.dataset), 'fingerprint', None)
    return {} if fingerprint is None else {IMAGES: fingerprint}


def _train(cfg: Config, root: str, launcher: str, resume: Any, overwrite: bool, allow_config_change: bool,
           edit: Optional[Callable[[Config], None]], later: Sequence[str] = (), stages: tuple[str, ...] = ()) -> str:
    """Train one stage unless it is done; returns its final checkpoint.

    ``later`` are the work dirs of stages that come after it, ``stages`` the checkpoints of those before it.
    """
    check_complete(cfg)
    if edit is not None:
        edit(cfg)
    check_config(cfg)
    check_placeholders(cfg)
    check_exact(cfg)
    work_dir = os.path.abspath(cfg.work_dir)
    bind_data(cfg)
    with locked(work_dir):
        files = dict(bases(cfg.to_dict(), stages))
        wanted = comparable(cfg, root)
        wanted[BUILT_ON] = {**_shared(digests, files), **_images(cfg)}
        checkpoint, done = starting_point(work_dir, wanted, resume, overwrite, allow_config_change)
        if done:
            assert checkpoint is not None
            return checkpoint
        cfg.resume = checkpoint is not None
        if checkpoint is not None:
            cfg.load_from = checkpoint
            begun = read_record(work_dir, STARTED) or {}
            wanted[BUILT_ON] = {**begun.get(BUILT_ON, {}), **wanted[BUILT_ON]}    # the files may be gone by now
        runner = build_runner(prepare(cfg, launcher))
        before = None if overwrite else read_record(work_dir, DONE)
        if before is not None:
            runner.register_hook(KeepFinalHook(before['checkpoint']))
        runner.register_hook(StartHook(work_dir, wanted, checkpoint, (work_dir, *later) if overwrite else (),
                                       tuple(files.values())))
        for check in CHECKS:
            check(runner)
        runner.register_hook(AnnounceHook())
        runner.register_hook(CostHook())
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


def _shared(function: Callable, *args: Any) -> Any:
    """What a function returns on rank 0, on all ranks."""
    found = [on_main_process(function, *args)]
    broadcast_object_list(found)
    return found[0]


def build_runner(cfg: Config) -> Runner:
    """A Runner of the config's ``runner_type``, mmengine's by default.

    The text of the config goes unformatted into log and checkpoints: formatting nested lists of long paths can take
    many seconds, and mmengine does it at every save. Every Runner has a name, so a log and a message hub, of its own:
    mmengine tells them apart by the second.
    """
    cfg = Config(cfg._cfg_dict.copy(), filename=cfg.filename, format_python_code=False)
    name = cfg.get('experiment_name') or os.path.splitext(os.path.basename(cfg.filename or 'run'))[0]
    number = next(_RUNNERS)
    cfg.experiment_name = f'{name}_{number}' if number else name
    return _Runner.from_cfg(cfg) if 'runner_type' not in cfg else RUNNERS.build(cfg)


class _Runner(CompilingRunner, ShortLogRunner):
    """mmengine's Runner, whose console is short, and whose metrics do not stop each other."""

    def dump_config(self) -> None:
        """Nothing yet: a ``StartHook`` does it, as the attempt may still be refused and leave the old file."""

    def build_evaluator(self, evaluator: Any) -> Evaluator:
        """Evaluator of a list of metrics, or the one that a config asks for by its type."""
        built = super().build_evaluator(evaluator)
        return PatientEvaluator(built.metrics) if type(built) is Evaluator else built

    def build_val_loop(self, loop: Any) -> BaseLoop:
        """Loop of a config, by default one that shares its sweep with the E-step after it."""
        return super().build_val_loop({'type': 'SharedSweepLoop', **loop} if isinstance(loop, dict) else loop)


def close(runner: Runner) -> None:
    """Stop the workers of a Runner, so that the next stage does not wait for them."""
    for loop in (runner._train_loop, runner._val_loop, runner._test_loop):
        loader = getattr(loop, 'dataloader', None)
        if loader is not None:
            getattr(loader, 'loader', loader)._iterator = None
    runner.visualizer.close()
