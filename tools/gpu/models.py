"""Models, rows and steps of shipped configs without their data."""
from __future__ import annotations

import copy
from typing import Any, Callable, Optional

import torch
from mmengine.config import Config
from torch import nn

from mmcluster.recipes import config_file
from mmcluster.recipes.stages import read_stage
from mmcluster.registry import MODELS, OPTIM_WRAPPER_CONSTRUCTORS
from mmcluster.structures import Rows

SCALARS = ('psl_weight', 'proto_weight', 'sigma', 'pisd', 'picd', 'cross_level')     # a weight of 0 skips its code
NUM_SAMPLES = 2048


def stage_of(name: str) -> Config:
    """A stage of a shipped recipe.

    Args:
        name: Config, and the stage after a slash if there are several.
    """
    file, _, stage = name.partition('/')
    return read_stage(config_file(file), stage or None)


def build(cfg: Config, **options: Any) -> nn.Module:
    """The model of a stage with random weights and a bank of made-up rows, as if its E-steps had been.

    Args:
        cfg: Config of a stage.
        options: Further settings of the model.
    """
    torch.manual_seed(0)
    given = _without_files(cfg.model.to_dict())
    if given.get('bank') is not None:
        given['bank']['num_samples'] = NUM_SAMPLES
    model = MODELS.build(dict(given, **options))
    clusters = given.get('num_clusters') or (given.get('head') or {}).get('num_clusters') or 4
    for name in getattr(model.bank, 'fills', ()):
        field = model.bank.field(name)
        rows = torch.arange(field.numel()).view(field.shape) % min(int(clusters), 4)
        model.bank.fill(**{name: rows if not field.is_floating_point() else torch.rand(field.shape)})
    if 'mapped' in getattr(getattr(model, 'labeller', None), 'host', {}):
        model.labeller.host['mapped'] = True
    return model


def _without_files(value: Any) -> Any:
    """A config whose networks start from random weights."""
    if isinstance(value, dict):
        return {key: _without_files(item) for key, item in value.items()
                if not (key == 'init_cfg' and isinstance(item, dict) and item.get('type') == 'Pretrained')}
    return [_without_files(item) for item in value] if isinstance(value, (list, tuple)) else value


def image_shape(cfg: Config) -> tuple[int, int, int]:
    """(H, W, C) of the images of a stage, by its views: 224 in workers, else what the data set says or has."""
    dataset = cfg.train_dataloader.dataset
    if dataset.get('pipelines'):
        return 224, 224, 3
    kind, size = dataset.source.type, dataset.get('size')
    if kind == 'DigitsSource':
        return 8, 8, 1
    return (size or 32, size or 32, 3)


def random_rows(cfg: Config, most: Optional[int] = None) -> dict[str, Rows]:
    """Rows of every stream as the loader hands them over, of random pixels.

    Args:
        cfg: Config of a stage.
        most: Rows of a stream; None for as many as the config says.
    """
    generator, rows = torch.Generator().manual_seed(1), {}
    pipelines, (height, width, channels) = cfg.train_dataloader.dataset.get('pipelines'), image_shape(cfg)
    for name, stream in cfg.train_dataloader.sampler.streams.items():
        size = stream['size'] if 'size' in stream else len(rows[stream['of']].index) * stream.get('entries', 1)
        size = min(size if isinstance(size, int) else NUM_SAMPLES, most or size, NUM_SAMPLES)
        shape, views = (size, height, width, channels), 1
        if pipelines:
            shape, views = (size, channels, height, width), len(pipelines.get(name, pipelines.get('batch')))
        images = [torch.randint(256, shape, dtype=torch.uint8, generator=generator) for _ in range(views)]
        rows[name] = Rows(images, torch.arange(size), torch.arange(size))
    return rows


def step_function(cfg: Config, device: torch.device) -> tuple[Callable[[], None], int]:
    """A whole training step: copy to the device, views, forward and backward pass, optimiser, teacher.

    Args:
        cfg: Config of a stage.
        device: Where the model is.

    Returns:
        The step, and its images over all streams.
    """
    model = build(cfg, data_preprocessor=dict(cfg.model.data_preprocessor, channels_last=True)).to(device).train()
    model = model.to(memory_format=torch.channels_last)
    settings = copy.deepcopy(cfg.optim_wrapper.to_dict())
    settings.update(type='AutocastOptimWrapper', dtype='bfloat16')
    settings.pop('constructor', None)
    paramwise = settings.pop('paramwise_cfg', None)
    wrapper = OPTIM_WRAPPER_CONSTRUCTORS.build(dict(
        type='GroupedOptimWrapperConstructor', optim_wrapper_cfg=settings, paramwise_cfg=paramwise))(model)
    rows = random_rows(cfg)
    if device.type == 'cuda':
        rows = {name: Rows([image.pin_memory() for image in row.images], row.index.pin_memory(), row.draw)
                for name, row in rows.items()}
    after = getattr(model, 'teacher', None) if type(model).__name__ in ('Boost', 'RUC') else None

    def step() -> None:
        streams = model.data_preprocessor(rows, True)['data_samples']
        with wrapper.optim_context(model):
            for arguments in model.steps([streams]) if hasattr(model, 'steps') else [streams]:
                total, _ = model.parse_losses(model(data_samples=arguments, mode='loss'))
                wrapper.update_params(total)
        if after is not None:
            after.update(model)

    return step, sum(len(row.index) for row in rows.values())
