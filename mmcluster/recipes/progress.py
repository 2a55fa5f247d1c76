"""How far the run of a work dir has come, and where the next call starts."""
from __future__ import annotations

import logging
import os
from typing import Any, Optional

from mmengine.logging import print_log

from mmcluster.engine.resume import latest_checkpoint

from .changes import check_unchanged, trains_longer
from .records import DONE, STARTED, agreed, read_record, same


def starting_point(work_dir: str, wanted: dict, resume: Any = False, overwrite: bool = False,
                   allow_config_change: bool = False) -> tuple[Optional[str], bool]:
    """Where a run starts; what would lose a run, or leave a switch without effect, is refused.

    A run that is done goes on only if the config became longer, that is allowed, and ``resume`` asks for it. It counts
    as done with its old config until it has reached the new end, and can be interrupted as any other; with yet another
    config it starts from its final checkpoint again.

    Args:
        work_dir: Absolute work dir of one stage.
        wanted: Its config, by :func:`mmcluster.recipes.changes.comparable`, with the digests of what it is built on.
        resume: See :func:`mmcluster.recipes.recipe.run`; true for a stage of a recipe.
        overwrite: Train again even if the work dir holds results.
        allow_config_change: Go on although the config differs from the one that started the run.

    Returns:
        The checkpoint to go on from (``None``: a fresh start) and ``False``, or the final checkpoint and ``True``.

    Raises:
        FileExistsError: If the work dir holds a run, and the call would train over it.
        FileNotFoundError: If the checkpoint to go on from is gone.
        ValueError: If the config or a file that it is built on has changed, a record is damaged, or the switches
            contradict each other.
    """
    path = resume if isinstance(resume, str) and resume != 'auto' else None
    if overwrite:
        if path is not None:
            raise ValueError(f'--resume {path} goes on with a run, --overwrite starts anew: give one of them')
        return None, False
    if path is not None and not os.path.isfile(path):
        raise FileNotFoundError(f'--resume: no file {path!r}')
    done = read_record(work_dir, DONE)
    if done is not None and not _goes_on(done, work_dir, wanted, resume, path, allow_config_change):
        return os.path.join(work_dir, done['checkpoint']), True
    latest = path or _newest(done, work_dir, wanted)
    if latest is None:
        if done is not None or os.path.exists(os.path.join(work_dir, 'last_checkpoint')):
            raise FileNotFoundError(f'the checkpoint that {work_dir}/last_checkpoint names is gone. Put it back, or '
                                    f'start anew with --overwrite')
        return None, False
    if not resume:
        raise FileExistsError(f'{work_dir} holds an unfinished run ({os.path.basename(latest)}). Go on with --resume, '
                              f'choose another --work-dir, or start anew with --overwrite')
    if done is None:
        folder = work_dir if path is None else os.path.dirname(os.path.abspath(path))
        _check(read_record(folder, STARTED) or wanted, wanted, folder, allow_config_change)
    return latest, False


def _goes_on(done: dict, work_dir: str, wanted: dict, resume: Any, path: Optional[str], allowed: bool) -> bool:
    """Whether a run that is done is trained on, to the end of a longer config."""
    longer = trains_longer(done['config'], wanted)
    begun = longer and _begun(work_dir, wanted)
    changed = False
    if not begun:
        flags = '--allow-config-change' if resume else '--resume --allow-config-change'
        changed = _check(done['config'], wanted, work_dir, allowed,
                         f'train on from {done["checkpoint"]} to the new end with {flags}' if longer else
                         'keep its result as it is with --allow-config-change')
    if path is not None and not (longer and _same(path, _newest(done, work_dir, wanted))):
        raise FileExistsError(f'{work_dir} is done ({done["checkpoint"]}), and --resume {path} would train over its '
                              f'results. Choose another --work-dir, leave the file out, or start anew with --overwrite')
    if begun or (longer and resume):
        print_log(f'{work_dir} was done ({done["checkpoint"]}) and is trained on to the end of a longer config',
                  logger='current')
        return True
    kept = '; it was trained with its own config and stays as it is' if changed else ''
    more = ', add --resume to train on to the new end' if longer else ''
    print_log(f'{work_dir} is done: {done["checkpoint"]}{kept}{more}', logger='current')
    if not os.path.isfile(os.path.join(work_dir, done['checkpoint'])):  # a later stage that has begun does without it
        print_log(f'{os.path.join(work_dir, done["checkpoint"])} is gone; put it back, or train again with '
                  f'--overwrite', logger='current', level=logging.WARNING)
    return False


def _begun(work_dir: str, wanted: dict) -> bool:
    """Whether the last run of the work dir, which may have been interrupted, had this config."""
    return same(read_record(work_dir, STARTED), wanted)


def _check(old: dict, wanted: dict, *args: Any) -> bool:
    """:func:`check_unchanged`, of what both know about the files that the run is built on."""
    return check_unchanged(agreed(old, wanted), agreed(wanted, old), *args)


def _newest(done: Optional[dict], work_dir: str, wanted: dict) -> Optional[str]:
    """The last checkpoint; of a run that is done its final one, unless a longer run of this config has begun."""
    if done is None or _begun(work_dir, wanted):
        return latest_checkpoint(work_dir)
    final = os.path.join(work_dir, done['checkpoint'])
    return final if os.path.isfile(final) else None


def _same(path: str, other: Optional[str]) -> bool:
    return other is not None and os.path.samefile(path, other)
