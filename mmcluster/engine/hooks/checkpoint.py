"""Checkpoints that are whole or absent, and that hold tensors and plain Python only."""
from __future__ import annotations

import errno
import glob
import inspect
import os
import re
import socket
from collections import deque
from typing import Any, Optional

from mmengine.dist import is_main_process
from mmengine.fileio import LocalBackend
from mmengine.hooks import CheckpointHook as _CheckpointHook
from mmengine.runner import Runner

from mmcluster.checks import near, require_interval
from mmcluster.registry import HOOKS
from mmcluster.strict import BANK, state_dict_of, state_dict_problems, with_own_bank
from mmcluster.writing import sync_folder

from ..extract import unwrap
from ..finite import check_finite
from ..plain import history_from_tensors, history_to_tensors, to_plain
from ..resume import check_resumable, warn_of_old_settings
from .runtime import RuntimeInfoHook

POINTER = 'last_checkpoint'
_DISK_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@HOOKS.register_module()
class CheckpointHook(_CheckpointHook):
    """mmengine's hook, made safe.

    A checkpoint is written to a temporary file and moved into place, then ``last_checkpoint`` is, and only then old
    files are deleted: a full disk leaves the previous checkpoint intact, and so does a network that diverged. Files
    can be read with ``weights_only=True``. ``load_from``, resume and test refuse files that do not fit the model.
    ``save_best`` writes a file of its own beside the others; nothing goes on from it, and it never becomes
    ``last_checkpoint``. Only files of its own folder and naming are ever deleted, whatever a checkpoint says: it may
    come from another run.

    Args:
        args: See ``mmengine.hooks.CheckpointHook``.
        strict: Refuse a file with missing, unexpected or misshapen keys.
        kwargs: See ``mmengine.hooks.CheckpointHook``; files go to a local folder.

    Raises:
        TypeError: If an option is unknown.
        ValueError: If ``interval`` is no number of epochs.
    """

    _default_greater_keys = [*_CheckpointHook._default_greater_keys, 'nmi', 'nmi_geometric', 'ari', 'ami', 'purity']

    def __init__(self, *args: Any, strict: bool = True, **kwargs: Any):
        super().__init__(*args, **kwargs)
        require_interval('CheckpointHook', interval=self.interval)
        if self.args:   # what mmengine does not know, and would choke on at the first save
            known = [*inspect.signature(_CheckpointHook).parameters][:-1] + ['strict']
            name = next(iter(self.args))
            raise TypeError(f'CheckpointHook has no option {name!r}{near(name, known)}; its options are {known}')
        self.strict = strict

    def before_train(self, runner: Runner) -> None:
        """Find the folder and remove what an interrupted save left in it.

        Raises:
            ValueError: If the folder is not local.
        """
        hub = runner.message_hub
        listed = hub.get_info('keep_ckpt_ids') or ()
        hub.update_info('keep_ckpt_ids', [])    # mmengine would delete what it finds here, also whole folders
        super().before_train(runner)
        if not isinstance(self.file_backend, LocalBackend):
            raise ValueError(f'checkpoints can only be moved into place in a local folder, not in {self.out_dir!r}; '
                             f'leave out_dir, backend_args and file_client_args unset')
        if is_main_process():
            for folder, name in ((self.out_dir, re.sub(r'\{.*?\}', '*', self.filename_tmpl)), (self.out_dir, 'best_*'),
                                 (runner.work_dir, POINTER)):
                for end in ('tmp', 'part'):     # of a save, or of what is added to the last one
                    for leftover in glob.glob(os.path.join(glob.escape(folder), f'.{name}*.{end}')):
                        os.remove(leftover)
        if self.max_keep_ckpts > 0:
            self._keep(runner, [step for step in listed if type(step) is int])
        for key in self.key_indicators if self.save_best else ():
            path_key = self._best_keys(key)[1]
            if hub.get_info(path_key):
                own = os.path.join(self.out_dir, os.path.basename(str(hub.get_info(path_key))))
                self._note_best(runner, key, own if os.path.isfile(own) else None)

    def is_last_train_epoch(self, runner: Runner) -> bool:
        """Also where a hook has ended the training: the last checkpoint is the result."""
        return super().is_last_train_epoch(runner) or getattr(runner.train_loop, 'stop_training', False)

    def _keep(self, runner: Runner, steps: list[int]) -> None:
        """Delete all but the newest files of these steps."""
        for outdated in steps[:-self.max_keep_ckpts]:
            self._remove(os.path.join(self.out_dir, self.filename_tmpl.format(outdated)))
        self.keep_ckpt_ids = deque(steps, self.max_keep_ckpts)
        runner.message_hub.update_info('keep_ckpt_ids', list(self.keep_ckpt_ids))

    def _best_keys(self, key: str) -> tuple[str, str]:
        """Names of the best score and its file in the message hub."""
        end = '' if len(self.key_indicators) == 1 else f'_{key}'
        return f'best_score{end}', f'best_ckpt{end}'

    def _note_best(self, runner: Runner, key: str, path: Optional[str]) -> None:
        """Remember the file with the best score of a metric."""
        runner.message_hub.update_info(self._best_keys(key)[1], path)
        if len(self.key_indicators) == 1:
            self.best_ckpt_path = path
        else:
            self.best_ckpt_path_dict[key] = path

    def _save_checkpoint_with_step(self, runner: Runner, step: int, meta: dict) -> None:
        name = self.filename_tmpl.format(step)
        path = os.path.join(self.out_dir, name)
        info = dict(last_ckpt=path)
        before = list(getattr(self, 'keep_ckpt_ids', ()))
        kept = [other for other in before if other != step] + [step]
        if self.max_keep_ckpts > 0:  # outdated files stay listed until they are gone, so a resumed run deletes them
            info['keep_ckpt_ids'] = kept
        self._write(runner, name, info, True, save_optimizer=self.save_optimizer,
                    save_param_scheduler=self.save_param_scheduler, meta=meta, by_epoch=self.by_epoch)
        self.last_ckpt = path
        if self.max_keep_ckpts > 0:
            self._keep(runner, kept)

    def _save_best_checkpoint(self, runner: Runner, metrics: dict) -> None:
        if not self.save_best:
            return
        if 'auto' in self.key_indicators:
            self._init_rule(self.rules, [next(iter(metrics))])
        hub = runner.message_hub
        count = runner.epoch if self.by_epoch else runner.iter
        for key, rule in zip(self.key_indicators, self.rules):
            if key not in metrics:
                raise ValueError(f'save_best={key!r} is no metric of the evaluation{near(key, metrics)}; it has '
                                 f'{list(metrics)}')
            score, (score_key, path_key) = metrics[key], self._best_keys(key)
            best = hub.get_info(score_key, self.init_value_map[rule])
            if score is None or not self.is_better_than[key](score, best):
                continue
            start = f'best_{key}_'.replace('/', '_')
            name = start + self.filename_tmpl.format(count)
            path = os.path.join(self.out_dir, name)
            self._write(runner, name, {score_key: score, path_key: path}, False, save_optimizer=False,
                        save_param_scheduler=False, meta=dict(epoch=runner.epoch, iter=runner.iter), by_epoch=False)
            for other in self._numbered(start):
                if other != path:
                    self._remove(other)
            self._note_best(runner, key, path)
            runner.logger.info(f'{name} has the best {key} so far, {score:.4f}')

    def _numbered(self, start: str) -> list[str]:
        """Files of the folder that this hook could have written, named ``start`` and a step."""
        number = re.sub(r'\\{.*?\\}', r'\\d+', re.escape(start + self.filename_tmpl))
        return [os.path.join(self.out_dir, name) for name in os.listdir(self.out_dir) if re.fullmatch(number, name)]

    def _write(self, runner: Runner, name: str, info: dict[str, Any], is_last: bool, **options: Any) -> None:
        """Write a checkpoint whole or not at all; ``info`` goes into it and, if that succeeds, stays in the hub."""
        check_finite(unwrap(runner.model), name)
        for hook in runner.hooks:
            if isinstance(hook, RuntimeInfoHook):
                hook.flush(runner)
        hub = runner.message_hub
        before = {key: hub.get_info(key) for key in info}
        hub.update_info_dict(info)
        final = os.path.join(self.out_dir, name)
        pointer = os.path.join(runner.work_dir, POINTER)
        try:
            runner.save_checkpoint(self.out_dir, os.path.basename(_temporary(final)), **options)
            if is_main_process():
                _move_into_place(final)
                if is_last:
                    with open(_temporary(pointer), 'w', encoding='utf-8') as file:
                        file.write(final)
                    _move_into_place(pointer)
        except BaseException as error:
            hub.update_info_dict(before)
            self._remove(_temporary(final))
            self._remove(_temporary(pointer))
            if not isinstance(error, Exception):
                raise
            cure = 'free disk space or choose another work dir' if getattr(error, 'errno', None) in _DISK_FULL else \
                'remove the cause'
            raise RuntimeError(f'{final} could not be saved ({error}). The previous checkpoint and last_checkpoint are '
                               f'as they were: {cure}, and go on with --resume.') from error

    @staticmethod
    def _remove(path: str) -> None:
        if is_main_process() and os.path.isfile(path):
            os.remove(path)

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Turn the message hub's buffers into tensors and all numpy values into Python's.

        Args:
            runner: The Runner.
            checkpoint: What will be saved, changed in place.

        Raises:
            TypeError: If something remains that a safe checkpoint cannot hold.
        """
        hub = checkpoint['message_hub']
        hub['log_scalars'] = {name: history_to_tensors(buffer) for name, buffer in hub['log_scalars'].items()}
        for key in checkpoint:
            if key != 'state_dict':
                checkpoint[key] = to_plain(checkpoint[key], key)

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Rebuild the message hub's buffers; refuse a file that does not fit the model, or cannot be resumed from.

        Args:
            runner: The Runner.
            checkpoint: What was loaded, changed in place.

        Raises:
            ValueError: If ``strict`` and a key is missing, unexpected or of another shape, or if a run that is resumed
                would forget something.
        """
        hub = checkpoint.get('message_hub')
        if hub:
            hub['log_scalars'] = {name: history_from_tensors(value) for name, value in hub['log_scalars'].items()}
        model, state = unwrap(runner.model), state_dict_of(checkpoint)
        if not runner._resume and not any(key.startswith(BANK) for key in state):
            checkpoint['state_dict'] = state = with_own_bank(model, state)      # published weights hold no image
        problems = state_dict_problems(model, state) if self.strict else []
        if problems:
            raise ValueError('the checkpoint does not fit the model of this config:\n  ' + '\n  '.join(problems) +
                             '\nUse the config that it was made with (data set, number of clusters, architecture)')
        if runner._resume:
            check_resumable(runner, checkpoint)
            warn_of_old_settings(runner, checkpoint)


def _temporary(final: str) -> str:
    """Name of the file that is written before it becomes ``final``; no other process takes it."""
    return os.path.join(os.path.dirname(final),
                        f'.{os.path.basename(final)}.{socket.gethostname()}-{os.getpid()}.tmp')


def _move_into_place(final: str) -> None:
    """Replace ``final`` by its temporary file, so that even a power cut leaves the old or the new one."""
    with open(_temporary(final), 'rb') as file:
        os.fsync(file.fileno())
    os.replace(_temporary(final), final)
    sync_folder(os.path.dirname(final))
