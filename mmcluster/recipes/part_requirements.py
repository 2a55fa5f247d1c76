"""What metrics, schedules and checkpoints ask of the run around them, checked before the first iteration."""
from __future__ import annotations

from mmengine.hooks import CheckpointHook
from mmengine.runner import Runner

from mmcluster.checks import near
from mmcluster.engine.extract import unwrap
from mmcluster.engine.hooks import ScheduleHook
from mmcluster.evaluation.clustering import ClusteringMetric
from mmcluster.models.clusterers.base import BaseClusterer, num_clusters_of


def check_metrics(runner: Runner) -> None:
    """Refuse clusters of a head that the model does not have; warn of k-means with another number than it has.

    Args:
        runner: The Runner.

    Raises:
        ValueError: If there is no head.
    """
    model = unwrap(runner.model)
    known = num_clusters_of(model)
    # a model that answers in a way of its own may have clusters without a head
    plain = isinstance(model, BaseClusterer) and type(model).forward is BaseClusterer.forward
    for metric in runner.val_loop.evaluator.metrics if runner.val_loop is not None else ():
        headless = plain and type(model).outputs is BaseClusterer.outputs and model.deployed()[2] is None
        if isinstance(metric, ClusteringMetric) and metric.source == 'head' and headless:
            raise ValueError(f"ClusteringMetric(source='head') needs a model with a head, and {type(model).__name__} "
                             f"has none; take source='kmeans', or give it model.head")
        asked = metric.num_clusters if getattr(metric, 'source', None) == 'kmeans' else None
        if None not in (known, asked) and known != asked:
            runner.logger.warning(f'{type(metric).__name__} forms {asked} clusters by k-means, and the model has '
                                  f'{known}; give val_evaluator and test_evaluator num_clusters={known} if that is not '
                                  f'meant')


def check_best(runner: Runner) -> None:
    """Refuse a ``save_best`` that no metric of the evaluation gives.

    Args:
        runner: The Runner.

    Raises:
        ValueError: If there is one, and all metrics say which names they give.
    """
    metrics = runner.val_loop.evaluator.metrics if runner.val_loop is not None else ()
    # what is inherited says nothing: a class made from one of ours may give more
    stated = [vars(type(metric)).get('names') for metric in metrics]
    if not stated or None in stated:
        return
    names = [f'{metric.prefix}/{name}' for metric, each in zip(metrics, stated) for name in each]
    for hook in runner.hooks:
        for name in hook.key_indicators if isinstance(hook, CheckpointHook) and hook.save_best else ():
            if name not in (*names, 'auto'):
                raise ValueError(f'default_hooks.checkpoint.save_best: the evaluation has no {name!r}'
                                 f'{near(name, names)}; it has {names}')


def check_schedules(runner: Runner) -> None:
    """Warn of a number in the model's config that a ``ScheduleHook`` replaces by others.

    Args:
        runner: The Runner.
    """
    for hook in runner.hooks:
        if not isinstance(hook, ScheduleHook):
            continue
        for place in {hook.param, hook.param.removeprefix('teacher.')}:     # a model makes its teacher of its own decay
            value = runner.cfg.get('model')
            for name in place.split('.'):
                value = value.get(name) if isinstance(value, dict) else None
            if isinstance(value, (int, float)) and value not in hook.extremes():
                runner.logger.warning(f'model.{place}={value} has no effect: the ScheduleHook of {hook.param!r} in '
                                      f'custom_hooks sets {sorted(hook.extremes())}; change it there, or drop the hook')
