"""One run at a time in a work dir, and no process that outlives its launcher."""
from __future__ import annotations

import json
import logging
import os
import shutil
import socket
import sys
import threading
import time
import uuid
from contextlib import contextmanager, suppress
from typing import Any, Iterator, Optional

from mmengine.logging import print_log

from mmcluster.utils import on_main_process

LOCK = '.lock'


class InUseError(RuntimeError):
    """Another process of this host is at work in a folder.

    Attributes:
        pid: Its number.
    """

    def __init__(self, message: str, lock: str, pid: int, start: Optional[str]) -> None:
        super().__init__(message)
        self.pid, self._lock, self._start = pid, lock, start

    def wait(self, interval: float = 1.) -> None:
        """Sleep until that process has left the folder, or has died.

        Args:
            interval: Seconds between two looks.
        """
        while os.path.exists(self._lock) and is_alive(self.pid, self._start):
            time.sleep(interval)


@contextmanager
def locked(work_dir: str) -> Iterator[None]:
    """Keep every other run out of a work dir, which is made if needed and goes again if it stays empty.

    Args:
        work_dir: The folder, on all ranks; rank 0 holds the lock.

    Raises:
        InUseError: If another run of this host holds it; the message says which, and what to do.
        RuntimeError: If one of another host does, or of a system that does not say when a process has started.
    """
    made = not os.path.isdir(work_dir)
    held = on_main_process(acquire, work_dir)
    try:
        yield
    finally:
        if held is not None:
            release(held)
            if made:
                with suppress(OSError):     # it is not empty
                    os.rmdir(work_dir)


def acquire(work_dir: str) -> Optional[str]:
    """Take the lock of a work dir: a folder ``.lock`` with one file, which names host, process and its start.

    The lock is prepared under another name and moved into place, which succeeds only while there is none or an empty
    one. That of a process of this host that has died is taken over, and so is that of an earlier start of this job of
    Slurm. As its file has a name of its own, only that file can be removed, and never the lock of a third run that was
    faster.

    Args:
        work_dir: The folder; it is made if needed.

    Returns:
        The file of the lock; ``None`` in a folder that cannot be written, where no run could do harm.

    Raises:
        InUseError: If another run of this host holds the lock.
        RuntimeError: If one of another host does, or of a system that does not say when a process has started.
    """
    name, lock = uuid.uuid4().hex, os.path.join(work_dir, LOCK)
    prepared = f'{lock}.{name}'
    try:
        with suppress(FileNotFoundError):       # the folder went in this moment, with a run that left it empty
            os.makedirs(prepared)
        os.makedirs(prepared, exist_ok=True)
        with open(os.path.join(prepared, name), 'w', encoding='utf-8') as file:
            json.dump(_owner(), file)
    except OSError as error:
        shutil.rmtree(prepared, ignore_errors=True)
        print_log(f'{work_dir} cannot be locked against other runs ({error})', logger='current', level=logging.WARNING)
        return None
    try:
        for _ in range(100):
            with suppress(OSError):         # it is there and holds a file: taken
                with suppress(OSError):     # for systems that move no folder onto an empty one
                    os.rmdir(lock)
                os.rename(prepared, lock)
                return os.path.join(lock, name)
            _remove_stale(work_dir, lock)
    finally:
        shutil.rmtree(prepared, ignore_errors=True)
    raise RuntimeError(f'{work_dir} cannot be locked; remove {lock} if no run is under way')


def release(held: str) -> None:
    """Give a lock back.

    Args:
        held: What :func:`acquire` returned.
    """
    with suppress(OSError):
        os.remove(held)
        os.rmdir(os.path.dirname(held))


def _owner() -> dict[str, Any]:
    return dict(host=socket.gethostname(), pid=os.getpid(), start=_start(os.getpid()), attempt=_attempt(),
                since=time.strftime('%Y-%m-%d %H:%M:%S'))


def _attempt() -> Optional[list]:
    """Cluster and job of Slurm, and how often it was started again; ``None`` outside of one."""
    job = os.environ.get('SLURM_JOB_ID')
    cluster, count = os.environ.get('SLURM_CLUSTER_NAME', ''), os.environ.get('SLURM_RESTART_COUNT', '0')
    return [cluster, job, int(count)] if job and count.isdecimal() else None


def _is_earlier(attempt: Any) -> bool:
    """Whether an attempt is one of this job that came before: Slurm ends all its processes before it starts again."""
    own = _attempt()
    return own is not None and isinstance(attempt, list) and attempt[:2] == own[:2] and attempt[2:] < own[2:]


def _remove_stale(work_dir: str, lock: str) -> None:
    """Remove the file of a lock whose process has died; refuse to go on beside a living one."""
    with suppress(FileNotFoundError):       # given back in this moment
        for name in os.listdir(lock):
            path = os.path.join(lock, name)
            try:
                with open(path, encoding='utf-8') as file:
                    owner = json.load(file)
                host, pid, start, since = (owner[key] for key in ('host', 'pid', 'start', 'since'))
            except (ValueError, KeyError, TypeError):
                raise RuntimeError(f'{path} is damaged: another run may be under way in {work_dir}. Remove {lock} if '
                                   f'there is none') from None
            taken = f'{work_dir} is in use: process {pid} on {host} is at work in it, since {since}'
            if host != socket.gethostname():
                if not _is_earlier(owner.get('attempt')):
                    raise RuntimeError(f'{taken}. Wait for it, or choose another folder; if that process is gone, '
                                       f'remove {lock}')
            elif is_alive(pid, start):
                if start is None:       # the number may be that of another process by now
                    raise RuntimeError(f'{taken}. Wait for it or end it, or choose another folder; if process {pid} is '
                                       f'none of mmcluster, remove {lock}')
                raise InUseError(f'{taken}. Wait for it or end it, or choose another folder', path, pid, start)
            print_log(f'process {pid}, which was at work in {work_dir} since {since}, has died; its lock is taken over',
                      logger='current', level=logging.WARNING)
            with suppress(FileNotFoundError):
                os.remove(path)


def is_alive(pid: int, start: Optional[str]) -> bool:
    """Whether a process of this host still runs.

    Args:
        pid: Its number.
        start: When it started, as it was written down; ``None`` if the system does not tell. Numbers are used again.
    """
    if start is not None:
        return _start(pid) == start
    if os.name != 'posix':      # nothing that asks without doing harm
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def _start(pid: int) -> Optional[str]:
    """Boot and clock tick in which a process started, ``None`` if it does not run or the system does not tell."""
    with suppress(OSError):
        with open(f'/proc/{pid}/stat', encoding='utf-8', errors='replace') as file:
            state, *fields = file.read().rpartition(')')[2].split()     # the name before it may hold spaces
        with open('/proc/sys/kernel/random/boot_id', encoding='utf-8') as file:
            boot = file.read().strip()
        return None if state in 'ZX' else f'{boot} {fields[18]}'        # a zombie has ended
    return None


def end_with_parent(interval: float = 1.) -> None:
    """End this process as soon as the one that started it is gone: a restart may be writing the same files by then.

    Args:
        interval: Seconds between two looks.
    """
    parent = os.getppid()

    def watch() -> None:
        """Wait for another parent."""
        while os.getppid() == parent:
            time.sleep(interval)
        print(f'process {os.getpid()} ends, as its launcher {parent} is gone', file=sys.stderr, flush=True)
        os._exit(1)

    threading.Thread(target=watch, name='end_with_parent', daemon=True).start()
