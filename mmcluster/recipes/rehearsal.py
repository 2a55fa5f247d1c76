"""The parts of every stage, built before the first one trains: a wrong value of the last would else end hours of it."""
from __future__ import annotations

import logging
from contextlib import contextmanager
from typing import Any, Callable, Iterator, Optional, Sequence

import torch
from mmengine.config import Config
from mmengine.optim import build_optim_wrapper
from mmengine.registry import init_default_scope
from torch import nn

from mmcluster.engine.extract import sweep_loader
from mmcluster.engine.hooks import EStepHook
from mmcluster.engine.launch import without_pretrained
from mmcluster.models.clusterers.base import BaseClusterer
from mmcluster.registry import DATASETS, HOOKS, METRICS, MODELS

from .binding import bind_data
from .stages import stage_config


def rehearse(cfg: Config, name: str, names: Sequence[str], edit: Optional[Callable[[Config], None]] = None) -> None:
    """Build data, model, hooks, metrics and optimiser of a stage, and pass two images through the network.

    No weights are loaded: those of earlier stages are not there yet.

    Args:
        cfg: The recipe, which :func:`~mmcluster.recipes.stages.check_stages` has accepted; it stays as it is.
        name: The stage.
        names: All stages.
        edit: See :func:`mmcluster.recipes.recipe.run`.

    Raises:
        ValueError: What refused to be built, or does not fit the images; the message names the stage.
    """
    init_default_scope('mmcluster')
    single = stage_config(cfg, name, dict.fromkeys(names, 'not_trained_yet.pth'))
    if edit is not None:
        edit(single)
    try:
        _build(single)
    except (AssertionError, KeyError, TypeError, ValueError) as error:
        text = error.args[0] if isinstance(error, KeyError) and error.args else error
        raise ValueError(f'stage {name!r} could not start: {text}') from error


def _build(cfg: Config) -> None:
    """Build what a Runner would."""
    cfg = Config(without_pretrained(cfg._cfg_dict), filename=cfg.filename)
    bind_data(cfg)
    model = MODELS.build(cfg.model)
    hooks = [HOOKS.build(hook) if isinstance(hook, dict) else hook for hook in cfg.get('custom_hooks') or ()]
    check_fields(model, hooks)
    wrapper = cfg.get('optim_wrapper')
    if isinstance(wrapper, dict) and 'optimizer' in wrapper:
        with _quiet():      # its groups are logged when it trains
            build_optim_wrapper(model, wrapper)
    for name in ('val_evaluator', 'test_evaluator'):
        metrics = cfg.get(name) or []
        for metric in metrics if isinstance(metrics, (list, tuple)) else [metrics]:
            if isinstance(metric, dict):
                METRICS.build(metric)
    if isinstance(model, BaseClusterer):
        check_images(model, DATASETS.build(cfg.train_dataloader.dataset))


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep what is said in passing out of the log."""
    level = logging.root.manager.disable
    logging.disable(logging.INFO)
    try:
        yield
    finally:
        logging.disable(level)


def check_fields(model: nn.Module, hooks: list[Any]) -> None:
    """Refuse an E-step that fills what no part of the model reads.

    Args:
        model: With its bank.
        hooks: Of the run.

    Raises:
        ValueError: If the bank lacks a field.
    """
    known = getattr(getattr(model, 'bank', None), 'fills', {})
    for hook in hooks:
        for field in hook.fields() if isinstance(hook, EStepHook) else ():
            if field not in known:
                loss = getattr(model, 'pseudo_label_loss', None)
                reader = type(model if loss is None else loss).__name__
                raise ValueError(f'{type(hook).__name__} writes {field!r} of every image, which {reader} does not '
                                 f'read; what is read here: {sorted(known)}. Remove the hook, or add the field in '
                                 f'model.bank.fields if another part of yours reads it')


@torch.no_grad()
def check_images(model: BaseClusterer, dataset: Any) -> None:
    """Refuse a network that cannot take the images of its data set.

    Args:
        model: A clusterer; its mode stays as it is.
        dataset: With evaluation views.

    Raises:
        ValueError: If a shape does not fit.
    """
    training = model.training
    model.eval()
    data = next(iter(sweep_loader(dataset, batch_size=2)))
    batch = next(iter(model.data_preprocessor(data, False)['data_samples'].values()))
    try:
        model.outputs(batch.views[0])
    except RuntimeError as error:       # torch names two matrices, not the parts that made them
        shape = tuple(batch.views[0].shape[1:])
        raise ValueError(f'{type(model).__name__} cannot take images of {shape}, channels, height and width: {error}. '
                         f'Compare in_channels of backbone, neck and head with what comes before each') from error
    model.train(training)
