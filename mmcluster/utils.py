"""Set-up for interactive use, and work that one process does for all."""
from __future__ import annotations

import platform
from typing import Any, Callable, Optional, Union

import torch
from mmengine.device import get_device
from mmengine.dist import broadcast_object_list, is_main_process
from mmengine.registry import init_default_scope as init_scope

from . import registry
from .registry import SCOPE, NamedRegistry


def register_all_modules(init_default_scope: bool = True) -> None:
    """Import every package that registers names, here and in mmpretrain.

    Configs need no such call: a registry imports its packages at the first look-up.

    Args:
        init_default_scope: Make mmcluster the default scope too, so that mmengine's registries find its names.
    """
    for value in vars(registry).values():
        if isinstance(value, NamedRegistry):
            value.import_from_location()
    if init_default_scope:
        init_scope(SCOPE)


def usable_device(device: Optional[Union[str, torch.device]] = None) -> torch.device:
    """The device that a user asks for.

    Args:
        device: Its name; by default the accelerator if there is one.

    Raises:
        ValueError: If there is no such device here; the message says which to ask for.
    """
    try:
        # torch says that a device is missing when something is put there, by several kinds of error
        return torch.empty(0, device=device or get_device()).device
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        choices = ' or '.join(repr(name) for name in dict.fromkeys([get_device(), 'cpu']))
        raise ValueError(f'there is no device {str(device)!r} here: give {choices}, or leave it out') from error


def has_bfloat16(device: Union[str, torch.device]) -> Optional[bool]:
    """Whether a device has units for bfloat16; one without computes it by way of float32, and slower.

    Args:
        device: A processor or a GPU.

    Returns:
        ``None`` where nothing is known: of other kinds of devices and processors, and from torch before 2.6.
    """
    device = torch.device(device)
    if device.type == 'cuda':
        return bool(torch.version.hip) or torch.cuda.get_device_capability(device)[0] >= 8      # from Ampere on
    if device.type != 'cpu' or platform.machine().lower() not in ('x86_64', 'amd64'):
        return None
    able = [getattr(torch.cpu, name, None) for name in ('_is_avx512_bf16_supported', '_is_amx_tile_supported')]
    return None if None in able else any(tell() for tell in able if tell is not None)


def on_main_process(function: Callable, *args: Any) -> Any:
    """Call a function on rank 0; if it raises there, every rank raises instead of waiting for rank 0.

    Args:
        function: Called with ``args`` on rank 0 only.
        args: Its arguments.

    Returns:
        What it returned on rank 0, ``None`` elsewhere.

    Raises:
        RuntimeError: On other ranks, with the message of the error of rank 0.
    """
    result, error = None, None
    if is_main_process():
        try:
            result = function(*args)
        except Exception as exception:
            error = exception
    messages = [None if error is None else f'{type(error).__name__}: {error}']
    broadcast_object_list(messages)
    if error is not None:
        raise error
    if messages[0] is not None:
        raise RuntimeError(f'rank 0 stopped: {messages[0]}')
    return result


def spoken_time(seconds: float) -> str:
    """Seconds, minutes or hours, as one would say it.

    Args:
        seconds: How long.
    """
    for size, name in ((3600, 'h'), (60, 'min')):
        if seconds >= 1.5 * size:
            return f'{seconds / size:.1f} {name}' if seconds < 10 * size else f'{seconds / size:.0f} {name}'
    return f'{max(seconds, 1):.0f} s'


def counted_as(count: int, what: str) -> str:
    """A number with its noun, as one would say it.

    Args:
        count: How many.
        what: The noun for one.
    """
    return f'{count:,} {what}{"s" * (count != 1)}'
