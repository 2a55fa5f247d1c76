"""What a work dir says about its run: which config trains in it, what that was built on, and whether it is done."""
from __future__ import annotations

import glob
import hashlib
import json
import os
from typing import Any, Iterator, Optional

from mmengine.dist import is_main_process
from mmengine.hooks import CheckpointHook, Hook
from mmengine.runner import Runner

from mmcluster.engine.hooks.result import HISTORY
from mmcluster.evaluation.results import write_json, write_text

DONE, STARTED, BUILT_ON = 'done.json', 'config.json', 'built_on'
RESULTS = (DONE, 'last_checkpoint', 'summary.json', 'assignments.csv', HISTORY)
IMAGES = 'images'       # place of the data's fingerprint beside those of files, for models without a bank
CHECKPOINTS = ('epoch_*.pth', 'iter_*.pth', 'best_*.pth')
TABLES, LEARNED_FROM = ('.npy', '.csv', '.tsv', '.txt', '.json'), ('model.', 'custom_hooks.')
WEIGHTS = ('.pth', '.pt', '.ckpt', '.bin', '.safetensors', '.pkl', '.npz')
REMEDY = {DONE: 'remove it to go on from the last checkpoint with --resume',
          STARTED: 'remove it to go on without a comparison of the settings'}


def read_record(work_dir: str, name: str) -> Optional[dict]:
    """Content of ``done.json`` or ``config.json``, ``None`` without one.

    Args:
        work_dir: Of one stage.
        name: :data:`DONE` or :data:`STARTED`.

    Raises:
        ValueError: If the file is damaged; the message says what to do.
    """
    path = os.path.join(work_dir, name)
    if not os.path.exists(path):
        return None
    try:
        with open(path, encoding='utf-8') as file:
            value = json.load(file)
        if not isinstance(value, dict) or (name == DONE and not (
                isinstance(value.get('checkpoint'), str) and isinstance(value.get('config'), dict))):
            raise ValueError('it is no record of a run')
    except ValueError as error:     # also of a text that is not UTF-8
        raise ValueError(f'{path} is damaged ({error}): put back a copy, {REMEDY[name]}, or start anew with '
                         f'--overwrite') from None
    return value


def same(old: Optional[dict], new: dict) -> bool:
    """Whether two configs are equal, see :func:`agreed`."""
    return old is not None and agreed(old, new) == agreed(new, old)


def agreed(value: dict, other: dict) -> dict:
    """A config without the digests that the other one has not: a file may be gone, or a record from before digests.

    Args:
        value: Made by :func:`mmcluster.recipes.changes.comparable`, with :data:`BUILT_ON`.
        other: The same.
    """
    known = other.get(BUILT_ON) or {}
    return {**value, BUILT_ON: {place: digest for place, digest in (value.get(BUILT_ON) or {}).items()
                                if place in known}}


def bases(value: Any, stages: tuple[str, ...] = (), where: str = '') -> Iterator[tuple[str, str]]:
    """Files with weights, labels and the like that a config names, as pairs of dotted place and path.

    Those of data sets and metrics are left out: the fingerprint of the images stands for the former, and nothing is
    learned from the latter.

    Args:
        value: Nested dicts, lists and tuples.
        stages: Checkpoints of earlier stages.
        where: Name of the value.
    """
    if isinstance(value, dict):
        for key, item in value.items():
            yield from bases(item, stages, f'{where}.{key}'.lstrip('.'))
    elif isinstance(value, (list, tuple)):
        for i, item in enumerate(value):
            yield from bases(item, stages, f'{where}.{i}')
    elif isinstance(value, str) and os.path.isfile(value) and (
            value in stages or value.endswith(WEIGHTS) or where.endswith('.checkpoint')
            or (where.startswith(LEARNED_FROM) and value.endswith(TABLES))):
        yield where, value


def stages_before(work_dir: str) -> list[str]:
    """Work dirs of the stages that a run was built on, and of those that these were, the first one first.

    Args:
        work_dir: Of one stage, in the folder of its recipe.
    """
    return _stages_before(work_dir, {os.path.realpath(work_dir)})


def _stages_before(work_dir: str, seen: set[str]) -> list[str]:
    """The same without the folders that were seen, which grow: records that name each other must come to an end."""
    try:
        record = _rooted(read_record(work_dir, STARTED), os.path.dirname(os.path.abspath(work_dir)))
    except ValueError:      # damaged: what it was built on is not known
        return []
    found = []
    for folder in [os.path.dirname(path) for _, path in bases(record)]:
        if os.path.realpath(folder) not in seen and os.path.isfile(os.path.join(folder, STARTED)):
            seen.add(os.path.realpath(folder))
            found += [*_stages_before(folder, seen), folder]
    return found


def _rooted(value: Any, root: str) -> Any:
    """The nested values of a record with the folder of the recipe in place of ``{work_dir}``."""
    if isinstance(value, dict):
        return {key: _rooted(item, root) for key, item in value.items()}
    if isinstance(value, list):
        return [_rooted(item, root) for item in value]
    return value.replace('{work_dir}/', os.path.join(root, ''), 1) if isinstance(value, str) else value


def digests(files: dict[str, str]) -> dict[str, str]:
    """Digest of the content of each file; one that several places name is read once.

    Args:
        files: Place -> path.
    """
    found = {}
    for path in set(files.values()):
        with open(path, 'rb') as file:
            state = hashlib.blake2b(digest_size=16)
            while block := file.read(1 << 20):
                state.update(block)
        found[path] = state.hexdigest()
    return {place: found[path] for place, path in files.items()}


def clear(work_dir: str, keep: tuple[str, ...] = (), checkpoints: tuple[str, ...] = CHECKPOINTS) -> None:
    """Remove records, results and checkpoints of a run that is trained again; logs stay.

    Args:
        work_dir: Of one stage.
        keep: Files that are needed, e.g. since the new run starts from them.
        checkpoints: Patterns of their names.
    """
    # The config goes last: a checkpoint without one, left by a kill in between, would be taken for any config's own.
    names = [*RESULTS, *(os.path.basename(path) for pattern in checkpoints
                         for path in glob.glob(os.path.join(glob.escape(work_dir), pattern))), STARTED]
    for name in names:
        path = os.path.join(work_dir, name)
        if os.path.isfile(path) and not any(os.path.samefile(path, other) for other in keep if os.path.exists(other)):
            os.remove(path)


class StartHook(Hook):
    """Writes down which config trains before its first step, when nothing can be refused any more: weights are loaded,
    and E-steps have found what they need.

    Args:
        work_dir: Of one stage.
        wanted: Its config, by :func:`mmcluster.recipes.changes.comparable`, with :data:`BUILT_ON`.
        checkpoint: What :func:`mmcluster.recipes.progress.starting_point` returned.
        outdated: Folders of a run that is trained again, this one and those of later stages, which would be taken for
            finished if this one were interrupted.
        keep: Files in them that the new run needs.
    """

    priority = 'LOWEST'

    def __init__(self, work_dir: str, wanted: dict, checkpoint: Optional[str] = None, outdated: tuple[str, ...] = (),
                 keep: tuple[str, ...] = ()):
        self.work_dir, self.wanted, self.checkpoint = work_dir, wanted, checkpoint
        self.outdated, self.keep = outdated, keep
        self.recorded = False

    def before_train_epoch(self, runner: Runner) -> None:
        """Record the start."""
        self._record(runner)

    def after_train(self, runner: Runner) -> None:
        """Record it if no epoch was left to train."""
        self._record(runner)

    def _record(self, runner: Runner) -> None:
        """Remove what is outdated, then write; once."""
        if self.recorded or not is_main_process():
            return
        self.recorded = True
        named = tuple(hook.filename_tmpl.format('*') for hook in runner.hooks if isinstance(hook, CheckpointHook))
        for folder in reversed(self.outdated):      # the last stage first: what is built on goes after what is built
            clear(folder, self.keep, (*CHECKPOINTS, *named))
        if self.checkpoint is not None and not same(read_record(self.work_dir, STARTED), self.wanted) and \
                read_record(self.work_dir, DONE) is not None:
            # no longer that of another longer run
            write_text(os.path.join(self.work_dir, 'last_checkpoint'), self.checkpoint)
        write_json(os.path.join(self.work_dir, STARTED), self.wanted)
        Runner.dump_config(runner)      # the whole config, for readers


class KeepFinalHook(Hook):
    """Keeps the final checkpoint of a run that is trained on, which would be deleted as outdated.

    Args:
        checkpoint: Its file name.
    """

    priority = 'VERY_HIGH'

    def __init__(self, checkpoint: str):
        self.checkpoint = checkpoint

    def before_train(self, runner: Runner) -> None:
        """Take it off the list from which the ``CheckpointHook`` deletes."""
        listed = runner.message_hub.runtime_info.get('keep_ckpt_ids') or []
        names = [hook.filename_tmpl for hook in runner.hooks if isinstance(hook, CheckpointHook)]
        runner.message_hub.update_info('keep_ckpt_ids', [
            step for step in listed if all(name.format(step) != self.checkpoint for name in names)])
