"""The final clustering of a run, kept with its last checkpoint."""
from __future__ import annotations

import logging

import torch
from mmengine.dist import is_main_process
from mmengine.logging import print_log
from mmengine.runner import Runner

from mmcluster.compat import load_checkpoint_file
from mmcluster.evaluation.clustering import ClusteringMetric
from mmcluster.writing import whole_file

from .extract import unwrap
from .resume import latest_checkpoint

PREFIX = 'final_centers.'


def keep_centers(runner: Runner) -> None:
    """Put the centres of the last evaluation into the model, and into the checkpoint of the same iteration.

    The checkpoint of the last epoch is written before that epoch is evaluated, so they are added to the file.

    Args:
        runner: The Runner, after its last evaluation.
    """
    if runner.val_loop is None:
        return
    model = unwrap(runner.model)
    metrics = [metric for metric in runner.val_evaluator.metrics if isinstance(metric, ClusteringMetric)]
    for place, metric in enumerate(metrics):
        if metric.centers is not None and hasattr(model, 'final_centers'):
            model.final_centers.keep(metric.prefix, metric.centers, metric.options['metric'], is_result=place == 0)
    path = latest_checkpoint(runner.work_dir)
    if not is_main_process() or path is None or not any(metric.centers is not None for metric in metrics):
        return
    try:
        checkpoint = load_checkpoint_file(path)
        if checkpoint.get('meta', {}).get('iter') != runner.iter:
            return
        checkpoint['state_dict'].update((key, value.cpu()) for key, value in model.state_dict().items()
                                        if key.startswith(PREFIX))
        with whole_file(path) as stream:
            torch.save(checkpoint, stream)
    except (OSError, RuntimeError) as error:
        print_log(f'the centres of the final clustering could not be added to {path} ({error}); the checkpoint is as '
                  f'it was, and a test of it runs k-means anew', logger='current', level=logging.WARNING)


def hand_over_centers(runner: Runner) -> None:
    """Give the metrics of a test the centres that the checkpoint keeps, and say where there are none.

    Args:
        runner: The Runner, its checkpoint loaded.
    """
    kept = getattr(unwrap(runner.model), 'final_centers', None)
    for metric in runner.test_evaluator.metrics:
        if isinstance(metric, ClusteringMetric) and metric.source == 'kmeans':
            metric.kept = None if kept is None else kept.get(metric.prefix, metric.options['metric'])
            if metric.kept is None:
                runner.logger.warning(
                    f'metric {metric.prefix!r}: the checkpoint keeps no centres of a final clustering, as it was '
                    f'written before the end of its run or by an older version; k-means runs on the images of this '
                    f'test, and its clusters are other ones than those of the training')
