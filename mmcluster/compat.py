"""Reads checkpoints without running code that a file may hold, and environment variables in configs as they are.

Importing this module puts our loaders into mmengine's ``CheckpointLoader``, through which resume, ``load_from``,
``init_cfg=dict(type='Pretrained')`` and the inferencers read their files.
"""
from __future__ import annotations

import hashlib
import logging
import os
import pickle
import pickletools
import re
import zipfile
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Callable, Iterator, Optional

import torch
from mmengine.config import Config
from mmengine.dist import barrier
from mmengine.logging import print_log
from mmengine.runner.checkpoint import CheckpointLoader, get_torchvision_models

from .environment import substitute_file

_PICKLE_ALLOWED: ContextVar[bool] = ContextVar('mmcluster_pickle_allowed', default=False)
_UNPROTECTED = ('pavi://', r'(\S+\:)?s3://', r'(\S+\:)?petrel://', 'modelzoo://', 'open-mmlab://', 'openmmlab://',
                'mmcls://')
_OPCODES = {ord(opcode.code) for opcode in pickletools.opcodes}
_EXECUTED = ('config', 'cfg')   # texts of a checkpoint that mmengine's resume and inferencers run as Python


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
    """Read a checkpoint of tensors and plain Python values, once its checksums are found to be right.

    Texts of configs are left out, as mmengine would execute them.

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
        RuntimeError: If the file is damaged, be it by one bit.
    """
    path = os.path.expanduser(path)
    if not os.path.isfile(path):
        raise FileNotFoundError(f'no checkpoint at {path!r}; check the path, and that the run which writes it is done')
    unsafe = allow_pickle or _PICKLE_ALLOWED.get()
    checked = _check_archive(path)
    try:
        checkpoint = torch.load(path, map_location=map_location, weights_only=not unsafe)
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
    if not checked:
        print_log(f'{path} has no checksums, as it is in the format that torch had before 1.6: damage to its values '
                  f'would not be noticed', logger='current', level=logging.WARNING)
    return _without_code(checkpoint)


def _check_archive(path: str) -> bool:
    """Compare each record of a torch archive with its checksum, which torch's own reader does not; ``False`` if the
    file is no archive."""
    with open(path, 'rb') as file:
        archived = file.read(4) == b'PK\x03\x04'
    if not archived and not zipfile.is_zipfile(path):
        return False
    try:
        with zipfile.ZipFile(path) as archive:
            for record in archive.infolist():
                if record.external_attr & 0x10:     # the mark of a folder, in whose place torch would read zeros
                    raise zipfile.BadZipFile(f'{record.filename} is marked as a folder')
                with archive.open(record) as content:
                    while content.read(1 << 20):
                        pass
    except Exception as error:   # zipfile raises a dozen kinds, each of which means the same here
        raise _damaged(path, error) from error
    return True


def _without_code(checkpoint: Any) -> Any:
    """Drop the texts that mmengine would execute, in place; our own comparison of configs does not need them."""
    if isinstance(checkpoint, dict):
        hub = checkpoint.get('message_hub')
        for place in (checkpoint.get('meta'), hub.get('runtime_info') if isinstance(hub, dict) else None):
            if isinstance(place, dict):
                for name in _EXECUTED:
                    place.pop(name, None)
    return checkpoint


def _refused(text: str) -> Optional[str]:
    """What torch's safe reader would not build, in words; ``None`` if the file is no pickle at all."""
    found = re.search(r'(?:GLOBAL|Unsupported class|reduce for|build for type) (?:<class )?(\S+)', text)
    if found:
        return f'`{found[1].rstrip(".,>")}`'
    opcode = re.search(r'Unsupported operand (\d+)', text)
    return 'something else' if opcode and int(opcode[1]) in _OPCODES else None


def _damaged(path: str, error: Exception) -> RuntimeError:
    reason = str(error).splitlines()[0].split('. ')[0] if str(error) else 'no further reason'
    return RuntimeError(f'{path!r} ({os.path.getsize(path)} bytes) cannot be read: it is damaged or truncated, or no '
                        f'checkpoint. Copy or download it again{_earlier(path)}. ({type(error).__name__}: {reason})')


def _earlier(path: str) -> str:
    """How to go on from the newest file of the same numbered name, such as ``epoch_3.pth`` instead of ``epoch_4.pth``;
    nothing if there is none."""
    folder, name = os.path.split(os.path.abspath(path))
    parts = re.fullmatch(r'(\w+_)(\d+)(\.\w+)', name)
    if parts is None:
        return ''
    same = (re.fullmatch(re.escape(parts[1]) + r'(\d+)' + re.escape(parts[3]), other) for other in os.listdir(folder))
    numbers = {int(other[1]): other[0] for other in same if other and int(other[1]) < int(parts[2])}
    if not numbers:
        return ''
    return f', or go on from {numbers[max(numbers)]}: write that name into {os.path.join(folder, "last_checkpoint")}'


@CheckpointLoader.register_scheme(prefixes='', force=True)
def load_from_local(filename: str, map_location: Any = None) -> dict[str, Any]:
    """Loader of local files for mmengine, see :func:`load_checkpoint_file`; the CPU is the default place."""
    return load_checkpoint_file(filename, map_location or 'cpu')


@CheckpointLoader.register_scheme(prefixes=('http://', 'https://'), force=True)
def load_from_http(filename: str, map_location: Any = None) -> dict[str, Any]:
    """Download into torch hub's folder, on one process of each machine, and read the file from there.

    The name under which it is kept holds a digest of the whole address: many files are called ``model.pth``.

    Args:
        filename: Address of the file.
        map_location: As in ``torch.load``; the CPU by default.

    Returns:
        What the file holds.
    """
    folder = os.path.join(torch.hub.get_dir(), 'checkpoints')
    digest = hashlib.sha256(filename.encode()).hexdigest()[:16]
    path = os.path.join(folder, f'{digest}-{os.path.basename(filename.split("?")[0])}')
    if int(os.environ.get('LOCAL_RANK', '0')) == 0 and not os.path.exists(path):
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
        return _without_code(loader(filename, map_location))

    return load_from_guarded


for _prefix in _UNPROTECTED:
    CheckpointLoader.register_scheme(_prefix, _guarded(CheckpointLoader._schemes[_prefix]), force=True)

Config._substitute_env_variables = staticmethod(substitute_file)
