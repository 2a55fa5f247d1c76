"""What a run leaves behind: summary.json, assignments.csv and the history of its metrics."""
from __future__ import annotations

import json
import os
import platform
import time
from typing import Any, Optional

import torch
from mmengine.dist import broadcast_object_list, is_main_process
from mmengine.hooks import Hook
from mmengine.runner import Runner

from mmcluster.evaluation.clustering import ClusteringMetric
from mmcluster.evaluation.results import write_assignments, write_json, write_text
from mmcluster.registry import HOOKS
from mmcluster.version import __version__

HISTORY = 'metrics.jsonl'


@HOOKS.register_module()
class ResultHook(Hook):
    """Writes the metrics of the last checkpoint, which is the result, after training.

    The best value by ground truth over all evaluations stands beside it under ``best_by_ground_truth``; nothing is
    ever selected by it.
    """

    priority = 'LOWEST'

    def before_train(self, runner: Runner) -> None:
        """Start the clock; drop history that a resumed run will write again."""
        self.started = time.time()
        self._cut_history(runner, runner.epoch)

    def after_val_epoch(self, runner: Runner, metrics: Optional[dict[str, float]] = None) -> None:
        """Append the metrics of an evaluation."""
        if is_main_process() and metrics:
            with open(os.path.join(runner.work_dir, HISTORY), 'a', encoding='utf-8') as file:
                file.write(json.dumps(dict(epoch=runner.epoch, **metrics)) + '\n')

    def after_train(self, runner: Runner) -> None:
        """Write both files on the main process, after an evaluation if the last one was cut off by the end of a
        process."""
        if self._is_stale(runner):
            self._cut_history(runner, runner.epoch - 1)
            runner.val_loop.run()
        history = self._history(runner)
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
        write_json(os.path.join(runner.work_dir, 'summary.json'), summary)

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

    def _cut_history(self, runner: Runner, last: int) -> None:
        """Keep the evaluations up to an epoch."""
        if is_main_process():
            kept = [line for line in self._history(runner) if line['epoch'] <= last]
            write_text(os.path.join(runner.work_dir, HISTORY), ''.join(json.dumps(line) + '\n' for line in kept))

    @staticmethod
    def _history(runner: Runner) -> list[dict]:
        path = os.path.join(runner.work_dir, HISTORY)
        if not os.path.exists(path):
            return []
        with open(path, encoding='utf-8') as file:
            return [json.loads(line) for line in file if line.endswith('}\n')]  # a kill may have cut the last line


def _clustering_metric(runner: Runner) -> Optional[ClusteringMetric]:
    """The first clustering metric of the evaluation, whose assignments are written."""
    return next((m for m in runner.val_evaluator.metrics if isinstance(m, ClusteringMetric)), None)


def _best(history: list[dict]) -> dict[str, float]:
    """The largest value of every ground-truth metric over all evaluations."""
    known = ('acc', 'nmi', 'nmi_geometric', 'ari', 'ami', 'purity')
    names = [name for name in history[-1] if name.rsplit('/')[-1] in known]
    return {name: max(line[name] for line in history if name in line) for name in names}
