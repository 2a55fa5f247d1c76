"""A dress rehearsal of a GPU on any machine: models whose tensors are fake ones on the device ``cuda``.

A fake tensor has a shape, a type and a device, and no values. What a GPU would punish raises at once: a tensor left on
the host meets one of the device, a value is read, a shape depends on data. Kernels and backward passes need a real
device and stay out.
"""
from __future__ import annotations

from contextlib import ExitStack, contextmanager
from typing import Any, Iterator, Sequence
from unittest import mock

import torch
from mmengine.config import Config
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensorMode

from mmcluster.functional.views.augment import RowOp
from mmcluster.registry import MODELS
from mmcluster.structures import Rows

NUM_SAMPLES = 120


@contextmanager
def fake_cuda(dtype: torch.dtype = torch.bfloat16) -> Iterator[FakeTensorMode]:
    """Inside, tensors of the device ``cuda`` exist without one, real tensors are refused, and autocast is on.

    Args:
        dtype: Of autocast.
    """
    with ExitStack() as stack:
        # autocast asks for a driver before it casts; casting needs none
        stack.enter_context(mock.patch('torch.amp.autocast_mode.torch.cuda.amp.common.amp_definitely_not_available',
                                       return_value=False))
        stack.enter_context(mock.patch('torch.cuda.is_bf16_supported', return_value=True))
        stack.enter_context(mock.patch('torch.cuda.get_device_capability', return_value=(9, 0)))
        for module in ('augment', 'randaugment'):
            stack.enter_context(mock.patch(f'mmcluster.functional.views.{module}.apply_by_row', _to_every_row))
        mode = stack.enter_context(FakeTensorMode(allow_non_fake_inputs=False))
        stack.enter_context(torch.autocast('cuda', dtype=dtype))
        yield mode


def _to_every_row(x: Tensor, choice: Tensor, ops: Sequence[RowOp], value: Tensor) -> Tensor:
    """Stands in for ``apply_by_row``, whose groups have sizes that the host knows, by values that a fake lacks.

    Every operation is applied to all rows, so that each of them is rehearsed.
    """
    if choice.device.type != 'cpu' or value.device.type != 'cpu':
        raise RuntimeError('choices of operations have to lie on the host: their counts are sizes')
    for op in filter(None, ops):
        x = op(x, value[:, 0].to(x.device, non_blocking=True))
    return x


def to_fake_cuda(model: nn.Module) -> nn.Module:
    """Replace every parameter and buffer of a model by a fake tensor on ``cuda``, in place; inside the mode."""
    for module in model.modules():
        for name, value in module._parameters.items():
            if value is not None:
                module._parameters[name] = nn.Parameter(_like(value), requires_grad=value.requires_grad)
        for name, value in module._buffers.items():
            if value is not None:
                module._buffers[name] = _like(value)
        if '_device' in vars(module):           # mmengine's preprocessor remembers where it is
            module._device = torch.device('cuda')
    return model


def _like(value: Tensor) -> Tensor:
    """A fake tensor of another's shape, strides and type on ``cuda``."""
    return torch.empty_strided(value.shape, value.stride(), dtype=value.dtype, device='cuda')


def build(cfg: Config) -> nn.Module:
    """The model of a config, with random weights and a bank of :data:`NUM_SAMPLES` rows."""
    model = cfg.model.to_dict()
    if model.get('bank') is not None:
        model['bank']['num_samples'] = NUM_SAMPLES
    return MODELS.build(_without_files(model))


def _without_files(value: Any) -> Any:
    """A config whose networks start from random weights."""
    if isinstance(value, dict):
        return {key: _without_files(item) for key, item in value.items()
                if not (key == 'init_cfg' and isinstance(item, dict) and item.get('type') == 'Pretrained')}
    return [_without_files(item) for item in value] if isinstance(value, (list, tuple)) else value


def fake_rows(cfg: Config, shape: tuple[int, ...]) -> dict[str, Rows]:
    """Rows of every stream of a config, on the host, as the loader hands them over; inside the mode.

    Args:
        cfg: Of a stage; with ``pipelines`` its views are ready.
        shape: (H, W, C) of an image.
    """
    rows = {}
    pipelines = cfg.train_dataloader.dataset.get('pipelines')
    for name, stream in cfg.train_dataloader.sampler.streams.items():
        size = stream['size'] if 'size' in stream else rows[stream['of']].index.numel() * stream.get('entries', 1)
        views = [torch.empty(size, *shape, dtype=torch.uint8)] if not pipelines else [
            torch.empty(size, shape[2], *shape[:2], dtype=torch.uint8) for _ in pipelines.get(name, pipelines.get('batch'))]
        rows[name] = Rows(views, torch.empty(size, dtype=torch.long), torch.empty(size, dtype=torch.long))
    return rows


def rehearse(model: nn.Module, rows: dict[str, Rows]) -> list[dict[str, Tensor]]:
    """Views and losses of one step, which a clusterer of inner steps takes as several; inside the mode.

    Args:
        model: See :func:`to_fake_cuda`.
        rows: See :func:`fake_rows`.
    """
    streams = model.data_preprocessor(rows, True)['data_samples']
    steps = model.steps([streams]) if hasattr(model, 'steps') else [streams]
    return [model(data_samples=arguments, mode='loss') for arguments in steps]
