"""Checkpoints that are whole or absent, and that hold tensors and plain Python only."""
from __future__ import annotations

import glob
import os
from collections import deque
from typing import Any

import numpy as np
import torch
from mmengine.dist import is_main_process
from mmengine.fileio import LocalBackend
from mmengine.hooks import CheckpointHook as _CheckpointHook
from mmengine.logging import HistoryBuffer
from mmengine.runner import Runner

from mmcluster.registry import HOOKS
from mmcluster.strict import state_dict_of, state_dict_problems

from ..extract import unwrap
from ..finite import check_finite
from .runtime import RuntimeInfoHook


@HOOKS.register_module()
class CheckpointHook(_CheckpointHook):
    """mmengine's hook, made safe.

    A checkpoint is written to a temporary file and moved into place, then ``last_checkpoint`` is, and only then old
    files are deleted: a full disk leaves the previous checkpoint intact, and so does a network that diverged. Files
    can be read with ``weights_only=True``. ``load_from``, resume and test refuse files that do not fit the model.
    ``save_best`` writes a file of its own beside the others; nothing goes on from it, and it never becomes
    ``last_checkpoint``.

    Args:
        args: See ``mmengine.hooks.CheckpointHook``.
        strict: Refuse a file with missing, unexpected or misshapen keys.
        kwargs: See ``mmengine.hooks.CheckpointHook``; files go to a local folder.
    """

    _default_greater_keys = [*_CheckpointHook._default_greater_keys, 'nmi', 'nmi_geometric', 'ari', 'ami', 'purity']

    def __init__(self, *args: Any, strict: bool = True, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.strict = strict

    def before_train(self, runner: Runner) -> None:
        """Find the folder and remove what an interrupted save left in it.

        Raises:
            ValueError: If the folder is not local.
        """
        super().before_train(runner)
        if not isinstance(self.file_backend, LocalBackend):
            raise ValueError(f'checkpoints can only be moved into place in a local folder, not in {self.out_dir!r}; '
                             f'leave out_dir, backend_args and file_client_args unset')
        if is_main_process():
            for name in (self.filename_tmpl.format('*'), 'best_*'):
                for leftover in glob.glob(_temporary(os.path.join(glob.escape(self.out_dir), name))):
                    os.remove(leftover)

    def _save_checkpoint_with_step(self, runner: Runner, step: int, meta: dict) -> None:
        name = self.filename_tmpl.format(step)
        path = os.path.join(self.out_dir, name)
        info = dict(last_ckpt=path)
        before = list(getattr(self, 'keep_ckpt_ids', ()))
        kept = [other for other in before if other != step] + [step]
        if self.max_keep_ckpts > 0:  # outdated files stay listed until they are gone, so a resumed run deletes them
            info['keep_ckpt_ids'] = kept
        self._write(runner, name, info, True, save_optimizer=self.save_optimizer,
                    save_param_scheduler=self.save_param_scheduler, meta=meta, by_epoch=self.by_epoch, **self.args)
        self.last_ckpt = path
        if self.max_keep_ckpts > 0:
            for outdated in kept[:-self.max_keep_ckpts]:
                self._remove(os.path.join(self.out_dir, self.filename_tmpl.format(outdated)))
            self.keep_ckpt_ids = deque(kept, self.max_keep_ckpts)
            runner.message_hub.update_info('keep_ckpt_ids', list(self.keep_ckpt_ids))

    def _save_best_checkpoint(self, runner: Runner, metrics: dict) -> None:
        if not self.save_best:
            return
        if 'auto' in self.key_indicators:
            self._init_rule(self.rules, [next(iter(metrics))])
        hub = runner.message_hub
        count = runner.epoch if self.by_epoch else runner.iter
        for key, rule in zip(self.key_indicators, self.rules):
            one = len(self.key_indicators) == 1
            score_key, path_key = ('best_score', 'best_ckpt') if one else (f'best_score_{key}', f'best_ckpt_{key}')
            score, previous = metrics[key], hub.get_info(path_key)
            if score is None or not self.is_better_than[key](score, hub.get_info(score_key,
                                                                                 self.init_value_map[rule])):
                continue
            name = f'best_{key}_{self.filename_tmpl.format(count)}'.replace('/', '_')
            path = os.path.join(self.out_dir, name)
            self._write(runner, name, {score_key: score, path_key: path}, False, save_optimizer=False,
                        save_param_scheduler=False, meta=dict(epoch=runner.epoch, iter=runner.iter), by_epoch=False)
            if previous and previous != path:
                self._remove(previous)
            if one:
                self.best_ckpt_path = path
            else:
                self.best_ckpt_path_dict[key] = path
            runner.logger.info(f'{name} has the best {key} so far, {score:.4f}')

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
        pointer = os.path.join(runner.work_dir, 'last_checkpoint')
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
            raise RuntimeError(
                f'{final} could not be saved ({error}). The previous checkpoint and last_checkpoint are as they were: '
                f'remove the cause, e.g. free disk space or choose another work dir, and go on with --resume.'
            ) from error

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
        hub['log_scalars'] = {name: _history_to_tensors(buffer) for name, buffer in hub['log_scalars'].items()}
        for key in checkpoint:
            if key != 'state_dict':
                checkpoint[key] = to_plain(checkpoint[key], key)

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Rebuild the message hub's buffers; refuse a file that does not fit the model.

        Args:
            runner: The Runner.
            checkpoint: What was loaded, changed in place.

        Raises:
            ValueError: If ``strict`` and a key is missing, unexpected or of another shape.
        """
        hub = checkpoint.get('message_hub')
        if hub:
            hub['log_scalars'] = {name: _history_from_tensors(value) for name, value in hub['log_scalars'].items()}
        problems = state_dict_problems(unwrap(runner.model), state_dict_of(checkpoint)) if self.strict else []
        if problems:
            raise ValueError('the checkpoint does not fit the model of this config:\n  ' + '\n  '.join(problems) +
                             '\nUse the config that it was made with (data set, number of clusters, architecture)')


def _temporary(final: str) -> str:
    """Name of the file that is written before it becomes ``final``."""
    return os.path.join(os.path.dirname(final), f'.{os.path.basename(final)}.tmp')


def _move_into_place(final: str) -> None:
    """Replace ``final`` by its temporary file, so that even a power cut leaves the old or the new one."""
    with open(_temporary(final), 'rb') as file:
        os.fsync(file.fileno())
    os.replace(_temporary(final), final)
    if os.name == 'posix':
        folder = os.open(os.path.dirname(final), os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _history_to_tensors(buffer: HistoryBuffer) -> dict[str, Any]:
    log, count = buffer.data
    return dict(log=torch.as_tensor(log), count=torch.as_tensor(count), max_length=buffer.max_length)


def _history_from_tensors(value: Any) -> HistoryBuffer:
    if isinstance(value, HistoryBuffer):
        return value
    return HistoryBuffer(value['log'].cpu().numpy(), value['count'].cpu().numpy(), value['max_length'])


def to_plain(value: Any, where: str = 'value') -> Any:
    """Replace numpy values and subclasses of containers inside a nested value by plain Python's.

    Args:
        value: Nested dicts, lists and tuples.
        where: Name of the value, for the error.

    Returns:
        The same with tensors, None, bool, int, float, str, dict, list and tuple only.

    Raises:
        TypeError: If something remains that a safe checkpoint cannot hold.
    """
    if isinstance(value, dict):
        return {to_plain(key, where): to_plain(item, f'{where}.{key}') for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return (tuple if isinstance(value, tuple) else list)(to_plain(item, where) for item in value)
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        return value.tolist()
    if value is None or type(value) in (bool, int, float, str) or isinstance(value, torch.Tensor):
        return value
    raise TypeError(f'{where} is a {type(value).__name__}; checkpoints hold tensors and plain Python only. Keep it in '
                    f'a buffer, or convert it in before_save_checkpoint.')
