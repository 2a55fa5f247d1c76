"""Reads checkpoints without running code that a file may hold.

Importing this module puts our loaders into mmengine's ``CheckpointLoader``, through which resume, ``load_from``,
``init_cfg=dict(type='Pretrained')`` and the inferencers read their files.
"""
from __future__ import annotations

import os
import pickle
import pickletools
import re
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Callable, Iterator, Optional

import torch
from mmengine.dist import barrier
from mmengine.runner.checkpoint import CheckpointLoader, get_torchvision_models

_PICKLE_ALLOWED: ContextVar[bool] = ContextVar('mmcluster_pickle_allowed', default=False)
_UNPROTECTED = ('pavi://', r'(\S+\:)?s3://', r'(\S+\:)?petrel://', 'modelzoo://', 'open-mmlab://', 'openmmlab://',
                'mmcls://')


@contextmanager
def allow_pickle(allowed: bool = True) -> Iterator[None]:
    """Let files run code while they are read: only for files whose author you trust.

    Args:
        allowed: ``False`` changes nothing, so that a command-line flag can be handed on.
    """
    token = _PICKLE_ALLOWED.set(allowed or _PICKLE_ALLOWED.get())
    try:
        yield
    finally:
        _PICKLE_ALLOWED.reset(token)


def load_checkpoint_file(path: str, map_location: Any = 'cpu', allow_pickle: bool = False) -> dict[str, Any]:
    """Read a checkpoint of tensors and plain Python values.

    Args:
        path: Local file.
        map_location: As in ``torch.load``.
        allow_pickle: Read any pickle, which can run code. The context manager of the same name does so for calls
            that go through mmengine.

    Returns:
        What the file holds, a dict for every checkpoint of this project.

    Raises:
        FileNotFoundError: If there is no such file.
        pickle.UnpicklingError: If the file holds more than tensors and plain values, and pickles are not allowed.
        RuntimeError: If the file is damaged.
    """
    path = os.path.expanduser(path)
    if not os.path.isfile(path):
        raise FileNotFoundError(f'no checkpoint at {path!r}; check the path, and that the run which writes it is done')
    unsafe = allow_pickle or _PICKLE_ALLOWED.get()
    try:
        return torch.load(path, map_location=map_location, weights_only=not unsafe)
    except torch.cuda.OutOfMemoryError:
        raise
    except pickle.UnpicklingError as error:
        refused = _refused(str(error))
        if refused is None:
            raise _damaged(path, error) from error
        raise pickle.UnpicklingError(
            f'{path!r} was refused: besides tensors and plain values it holds {refused}, and reading such a file can '
            f'run code. If you trust whoever wrote it, pass --allow-pickle, or read it inside '
            f'`with mmcluster.compat.allow_pickle():`.') from None
    except (EOFError, RuntimeError, ValueError, KeyError, AttributeError, OSError) as error:
        raise _damaged(path, error) from error


def _refused(text: str) -> Optional[str]:
    """What torch's safe reader would not build, in words; ``None`` if the file is no pickle at all."""
    found = re.search(r'(?:GLOBAL|Unsupported class|reduce for|build for type) (?:<class )?(\S+)', text)
    if found:
        return f'`{found[1].rstrip(".,>")}`'
    opcode = re.search(r'Unsupported operand (\d+)', text)
    return 'something else' if opcode and chr(int(opcode[1])) in pickletools.code2op else None


def _damaged(path: str, error: Exception) -> RuntimeError:
    reason = str(error).splitlines()[0].split('. ')[0] if str(error) else 'no further reason'
    return RuntimeError(f'{path!r} ({os.path.getsize(path)} bytes) cannot be read: it is truncated, or no checkpoint. '
                        f'Copy or download it again, or go on from an earlier one. ({type(error).__name__}: {reason})')


@CheckpointLoader.register_scheme(prefixes='', force=True)
def load_from_local(filename: str, map_location: Any = None) -> dict[str, Any]:
    """Loader of local files for mmengine, see :func:`load_checkpoint_file`; the CPU is the default place."""
    return load_checkpoint_file(filename, map_location or 'cpu')


@CheckpointLoader.register_scheme(prefixes=('http://', 'https://'), force=True)
def load_from_http(filename: str, map_location: Any = None) -> dict[str, Any]:
    """Download into torch hub's folder, on one process of each machine, and read the file from there.

    Args:
        filename: Address of the file.
        map_location: As in ``torch.load``; the CPU by default.

    Returns:
        What the file holds.
    """
    folder = os.path.join(torch.hub.get_dir(), 'checkpoints')
    path = os.path.join(folder, os.path.basename(filename.split('?')[0]))
    if int(os.environ.get('LOCAL_RANK', 0)) == 0 and not os.path.exists(path):
        os.makedirs(folder, exist_ok=True)
        torch.hub.download_url_to_file(filename, path, progress=False)
    barrier()
    return load_checkpoint_file(path, map_location or 'cpu')


@CheckpointLoader.register_scheme(prefixes='torchvision://', force=True)
def load_from_torchvision(filename: str, map_location: Any = None) -> dict[str, Any]:
    """Weights of torchvision by name, such as ``'torchvision://resnet50'``."""
    return load_from_http(get_torchvision_models()[filename.split('://')[1]], map_location)


def _guarded(loader: Callable) -> Callable:
    """A loader of mmengine that may read any pickle, behind the same opt-in."""

    def load_from_guarded(filename: str, map_location: Any = None) -> dict[str, Any]:
        """Read by mmengine's loader if pickles are allowed."""
        if not _PICKLE_ALLOWED.get():
            raise pickle.UnpicklingError(f'{filename!r}: this kind of address is read without protection against code '
                                         f'in the file. Download the file and give its path, or pass --allow-pickle.')
        return loader(filename, map_location)

    return load_from_guarded


for _prefix in _UNPROTECTED:
    CheckpointLoader.register_scheme(_prefix, _guarded(CheckpointLoader._schemes[_prefix]), force=True)
