"""The parts of every stage, built before the first one trains: a wrong value of the last would else end hours of it.

A rehearsal refuses what would fail when the stage begins. What it cannot tell, such as a part that reads the checkpoint
of a stage that has not trained yet, it leaves to that moment.
"""
from __future__ import annotations

import logging
import os
import re
from contextlib import contextmanager
from typing import Any, Callable, Iterator, Mapping, Optional, Sequence

import torch
from mmengine.config import Config
from mmengine.optim import build_optim_wrapper
from mmengine.registry import init_default_scope
from mmengine.runner import Runner
from torch import nn

from mmcluster.engine.extract import sweep_loader
from mmcluster.engine.hooks import EStepHook
from mmcluster.engine.hooks.sweep import SweepHook
from mmcluster.engine.launch import LOADERS, set_constructor
from mmcluster.models.clusterers.base import BaseClusterer, OutputError
from mmcluster.models.modes import evaluating
from mmcluster.registry import HOOKS, METRICS, MODELS

from .binding import bind_data
from .dry_run import dry_run
from .stages import STAND_IN, stage_config

# torch's words for two parts of which one is not as wide as the other
SHAPES = re.compile(r'shape|size mismatch|sizes? of tensor|expected input|channels|must match|normalized_shape', re.I)


def rehearse(cfg: Config, name: str, names: Sequence[str], edit: Optional[Callable[[Config], None]] = None,
             done: Optional[Mapping[str, str]] = None) -> None:
    """Build data, samplers, model, hooks, metrics and optimiser of a stage, let them check each other, and pass two
    images through the network.

    No weights are loaded: those of earlier stages may not be there yet, nor what is read from the recipe's work dir.

    Args:
        cfg: The recipe, which :func:`~mmcluster.recipes.stages.check_stages` has accepted; it stays as it is.
        name: The stage.
        names: All stages.
        edit: See :func:`mmcluster.recipes.recipe.run`.
        done: Stage -> its checkpoint, of those that need no training.

    Raises:
        ValueError: What refused to be built, or does not fit the images; the message names the stage.
        OSError: If a file is missing, such as the images.
    """
    init_default_scope('mmcluster')
    single = stage_config(cfg, name, {**dict.fromkeys(names, STAND_IN), **(done or {})})
    if edit is not None:
        edit(single)
    try:
        _build(single)
    except Exception as error:
        early = isinstance(error, FileNotFoundError) and os.path.join(os.path.abspath(cfg.work_dir), '') in str(error)
        if early or STAND_IN in str(error):     # a part reads the result of an earlier stage
            return
        if isinstance(error, OSError):
            raise
        text = error.args[0] if isinstance(error, KeyError) and error.args else error
        raise ValueError(f'stage {name!r} could not start: {text}') from error


def _build(cfg: Config) -> None:
    """Build what a Runner would."""
    set_constructor(cfg)
    # what is tested is what is evaluated, in most configs
    loaders = {name: Runner.build_dataloader(cfg[name], seed=0) for name in LOADERS
               if cfg.get(name) and not (name == 'test_dataloader' and cfg[name] == cfg.get('val_dataloader'))}
    bind_data(cfg, loaders['train_dataloader'].dataset)
    model = MODELS.build(cfg.model)
    hooks = [*_built(HOOKS, cfg.get('custom_hooks')), *_built(HOOKS, list((cfg.get('default_hooks') or {}).values()))]
    check_fields(model, hooks)
    metrics = {name: built_metrics(cfg.get(name)) for name in ('val_evaluator', 'test_evaluator')}
    wrapper = cfg.get('optim_wrapper')
    with _quiet():      # what is said is said again when it trains
        if isinstance(wrapper, dict) and 'optimizer' in wrapper:
            wrapper = build_optim_wrapper(model, wrapper)
        dry_run(cfg, model, hooks, loaders, metrics['val_evaluator'], wrapper)
    if isinstance(model, BaseClusterer):
        check_outputs(model, hooks)
        check_images(model, loaders.get('val_dataloader', loaders['train_dataloader']).dataset)


def built_metrics(evaluator: Any) -> list[Any]:
    """The metrics of an evaluator's config, which is a list, one of them, or a dict of ``metrics``."""
    given = evaluator or []
    given = given['metrics'] if isinstance(given, dict) and 'metrics' in given else given
    return _built(METRICS, given if isinstance(given, (list, tuple)) else [given])


def _built(registry: Any, parts: Any) -> list[Any]:
    """Parts from their configs; what is no config is there already. A hook's priority is for who registers it."""
    return [registry.build({key: value for key, value in part.items() if key != 'priority'})
            if isinstance(part, dict) and 'type' in part else part for part in parts or ()]


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep what is said in passing out of the log."""
    level = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(level)


def check_fields(model: nn.Module, hooks: Sequence[Any]) -> None:
    """Refuse an E-step of this package that fills what no part of the model reads.

    Args:
        model: With its bank.
        hooks: Of the run. One of the user's may add its fields when the run begins.

    Raises:
        ValueError: If the bank lacks a field.
    """
    known = getattr(getattr(model, 'bank', None), 'fills', {})
    for hook in hooks:
        ours = isinstance(hook, EStepHook) and type(hook).__module__.startswith('mmcluster.')
        for field in hook.fields() if ours else ():
            if field not in known:
                loss = getattr(model, 'pseudo_label_loss', None)
                reader = type(model if loss is None else loss).__name__
                raise ValueError(f'{type(hook).__name__} writes {field!r} of every image, which {reader} does not '
                                 f'read; what is read here: {sorted(known)}. Remove the hook, or add the field in '
                                 f'model.bank.fields if another part of yours reads it')


def check_outputs(model: BaseClusterer, hooks: Sequence[Any]) -> None:
    """Refuse a sweep for an output that its network does not have.

    Args:
        model: A clusterer.
        hooks: Of the run.

    Raises:
        ValueError: If there is one.
    """
    for hook in hooks:
        if isinstance(hook, SweepHook):
            hook.check_output(model)


@torch.no_grad()
def check_images(model: BaseClusterer, dataset: Any) -> None:
    """Refuse a network that cannot take the images of its data set.

    Args:
        model: A clusterer; its mode stays as it is.
        dataset: With evaluation views.

    Raises:
        ValueError: If a shape does not fit, or a part returns no vector per image. Whatever else goes wrong is no
            matter of the images: kernels that a processor lacks, weights that are not there yet.
    """
    shape: tuple[int, ...] = ()
    try:
        with evaluating(model):
            for data in sweep_loader(dataset, batch_size=2):
                image = next(iter(model.data_preprocessor(data, False)['data_samples'].values())).views[0]
                shape = tuple(image.shape[1:])
                model.outputs(image)
                break
    except OutputError:
        raise
    except Exception as error:      # torch names two matrices, not the parts that made them
        if isinstance(error, RuntimeError) and shape and SHAPES.search(str(error)):
            raise ValueError(f'{type(model).__name__} cannot take images of {shape}, channels, height and width: '
                             f'{error}. Compare in_channels of backbone, neck and head with what comes before '
                             f'each') from error

