"""What a run leaves behind: summary.json, assignments.csv and the history of its metrics."""
from __future__ import annotations

import json
import os
import platform
import time
from typing import Any, Optional

import torch
from mmengine.dist import broadcast_object_list, is_main_process
from mmengine.hooks import CheckpointHook, Hook
from mmengine.runner import EpochBasedTrainLoop, Runner

from mmcluster.evaluation.clustering import ClusteringMetric
from mmcluster.evaluation.results import HISTORY, SUMMARY, read_history, write_assignments, write_json, write_text
from mmcluster.registry import HOOKS
from mmcluster.version import __version__

from ..extract import unwrap
from ..final import hand_over_centers, keep_centers
from .watched import show_clusters

SECONDS = 'seconds'     # in the message hub of a checkpoint


@HOOKS.register_module()
class ResultHook(Hook):
    """Writes the metrics of the last checkpoint, which is the result, after training.

    The best value by ground truth over all evaluations stands beside it under ``best_by_ground_truth``; nothing is
    ever selected by it.
    """

    priority = 'LOWEST'

    def before_train(self, runner: Runner) -> None:
        """Start the clock, where a resumed run had come to; repeat an evaluation that was cut off.

        A checkpoint is saved before the evaluation of its epoch. What that one leaves, its line and a best file, may
        have been cut off, or be unknown to the checkpoint: a run that goes on repeats it.
        """
        self.started = time.time() - runner.message_hub.get_info(SECONDS, 0.)
        kept = getattr(unwrap(runner.model), 'final_centers', None)
        if kept is not None:
            kept.clear()
        if self._is_unfinished(runner):
            runner.val_loop.run()

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Keep how long it took so far, which a resumed run goes on from."""
        hub = checkpoint['message_hub']
        if hasattr(self, 'started'):
            hub['runtime_info'][SECONDS], hub['resumed_keys'][SECONDS] = time.time() - self.started, True

    def before_test(self, runner: Runner) -> None:
        """Let the metrics use the clusters of the training."""
        hand_over_centers(runner)

    def before_train_epoch(self, runner: Runner) -> None:
        """Drop history that a resumed run will write again; nothing can be refused any more."""
        self._cut_history(runner, runner.epoch)

    def after_val_epoch(self, runner: Runner, metrics: Optional[dict[str, float]] = None) -> None:
        """Append the metrics of an evaluation to those of earlier epochs."""
        if is_main_process() and metrics:
            self._cut_history(runner, runner.epoch - 1)
            with open(os.path.join(runner.work_dir, HISTORY), 'a', encoding='utf-8') as file:
                file.write(json.dumps(dict(epoch=runner.epoch, **metrics)) + '\n')
            show_clusters(runner)

    def after_train(self, runner: Runner) -> None:
        """Write both files on the main process, after an evaluation if the last one was cut off by the end of a
        process, and add the centres of its clusters to the last checkpoint."""
        if self._is_stale(runner):
            self._cut_history(runner, runner.epoch - 1)
            runner.val_loop.run()
        history = self._history(runner)
        if history:
            keep_centers(runner)
        if not is_main_process() or not history:
            return
        last = {name: value for name, value in history[-1].items() if name != 'epoch'}
        metric = _clustering_metric(runner)
        summary: dict[str, Any] = dict(
            metrics=last, best_by_ground_truth=_best(history), epochs=runner.epoch, iterations=runner.iter,
            seed=runner.seed, num_samples=len(runner.train_dataloader.dataset),
            data_fingerprint=getattr(runner.train_dataloader.dataset, 'fingerprint', None),
            seconds=round(time.time() - self.started, 1), experiment=runner.experiment_name,
            versions=dict(mmcluster=__version__, torch=torch.__version__, python=platform.python_version()))
        if metric is not None and metric.assignments is not None:
            write_assignments(os.path.join(runner.work_dir, 'assignments.csv'), metric.assignments,
                              runner.val_dataloader.dataset)
        write_json(os.path.join(runner.work_dir, SUMMARY), summary)

    def _is_stale(self, runner: Runner) -> bool:
        """Whether this process never evaluated the final weights, equal on all ranks: it resumed a run that was killed
        during its last evaluation or before its results were written."""
        if runner.val_loop is None or runner.epoch < getattr(runner.train_loop, 'val_begin', 1):
            return False
        history, metric = self._history(runner), _clustering_metric(runner)
        done = history and history[-1]['epoch'] == runner.epoch and (metric is None or metric.assignments is not None)
        stale = [not done]
        broadcast_object_list(stale)
        return stale[0]

    def _is_unfinished(self, runner: Runner) -> bool:
        """Whether the evaluation after the epoch of the checkpoint has to be repeated, equal on all ranks."""
        if runner.val_loop is None or not isinstance(runner.train_loop, EpochBasedTrainLoop):
            return False
        loop, epoch = runner.train_loop, runner.epoch
        if epoch < max(loop.val_begin, 1) or (epoch % loop.val_interval and epoch != loop.max_epochs):
            return False
        history = self._history(runner)
        again = [any(isinstance(hook, CheckpointHook) and hook.save_best for hook in runner.hooks)
                 or all(line['epoch'] != epoch for line in history)]
        broadcast_object_list(again)
        return again[0]

    def _cut_history(self, runner: Runner, last: int) -> None:
        """Keep the evaluations up to an epoch, but no line that was cut: the next one would stand behind it."""
        if not is_main_process():
            return
        history, path = self._history(runner), os.path.join(runner.work_dir, HISTORY)
        kept = [line for line in history if line['epoch'] <= last]
        if len(kept) < len(history) or _ends_cut(path):
            write_text(path, ''.join(json.dumps(line) + '\n' for line in kept))

    @staticmethod
    def _history(runner: Runner) -> list[dict]:
        try:
            history = read_history(runner.work_dir)
            if not all(isinstance(line, dict) and isinstance(line.get('epoch'), int) for line in history):
                raise ValueError('a line is no evaluation of an epoch')
            return history
        except ValueError as error:     # also of a text that is not UTF-8
            raise ValueError(f'{os.path.join(runner.work_dir, HISTORY)} is damaged ({error}): put back a copy, or '
                             f'remove it and lose the metrics of earlier evaluations') from None


def _clustering_metric(runner: Runner) -> Optional[ClusteringMetric]:
    """The first clustering metric of the evaluation, whose assignments are written."""
    return next((m for m in runner.val_evaluator.metrics if isinstance(m, ClusteringMetric)), None)


def _ends_cut(path: str) -> bool:
    """Whether the last line of a history is not whole."""
    if not os.path.exists(path):
        return False
    with open(path, 'rb') as file:
        text = file.read()
    return bool(text) and not text.endswith(b'}\n')


def _best(history: list[dict]) -> dict[str, float]:
    """The largest value of every ground-truth metric over all evaluations."""
    known = ('acc', 'nmi', 'nmi_geometric', 'ari', 'ami', 'purity')
    names = [name for name in history[-1] if name.rsplit('/')[-1] in known]
    return {name: max(line[name] for line in history if name in line) for name in names}
