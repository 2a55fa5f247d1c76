"""The heartbeat of this process: begun with its process group, told where the run is, ended with it."""
from __future__ import annotations

import atexit
import logging
import os
import secrets
import socket
import sys
from contextlib import contextmanager
from typing import Iterator, Optional

from mmengine.dist import broadcast_object_list, get_rank, get_world_size
from mmengine.logging import print_log

from .heartbeat import Heartbeat, about_process

_ACTIVE: list[Heartbeat] = []


def say(sentence: str) -> None:
    """Print why the process ends.

    Args:
        sentence: Why.
    """
    print(f'mmcluster: {sentence}', file=sys.stderr, flush=True)


def end_process() -> None:
    """End this process, whatever its other threads wait for."""
    os._exit(1)


def start_heartbeat(silence: float) -> None:
    """Look after each other from now on; all processes of a group call it together.

    Args:
        silence: See :class:`~mmcluster.engine.heartbeat.Heartbeat`.
    """
    if get_world_size() < 2 or _ACTIVE:
        return
    listener = None
    first: list[dict] = [{}]
    if get_rank() == 0:
        listener = socket.create_server(('', 0), backlog=get_world_size())
        host = os.environ.get('MASTER_ADDR') or socket.gethostname()
        first = [dict(at=(host, listener.getsockname()[1]), word=secrets.token_hex(16), about=about_process(0))]
    broadcast_object_list(first)
    try:
        _ACTIVE.append(Heartbeat(get_rank(), silence, first[0], listener, say, end_process))
    except OSError as error:
        print_log(f'rank {get_rank()} cannot reach rank 0 at {first[0]["at"]} ({error}): if a process dies, the others '
                  f'wait for it until the timeout of the process group', logger='current', level=logging.WARNING)
        return
    atexit.register(_leave_at_exit)


def note_place(number: int, place: str) -> None:
    """Keep where this process is; without effect in a single process.

    Args:
        number: Grows with the run.
        place: The end of a sentence, such as ``'in epoch 3, iteration 120'``.
    """
    for beat in _ACTIVE:
        beat.note(number, place)


def stop_heartbeat(error: Optional[BaseException] = None) -> None:
    """End the heartbeat of this process.

    Args:
        error: What ends the process, if something does: the others then end, too.
    """
    while _ACTIVE:
        beat = _ACTIVE.pop()
        beat.fail(error) if isinstance(error, Exception) else beat.leave()     # an interrupt reaches all


@contextmanager
def ends_group() -> Iterator[None]:
    """Let an error of this process end the whole group."""
    try:
        yield
    except BaseException as error:
        stop_heartbeat(error)
        raise


def _leave_at_exit() -> None:
    """Take leave of the others where a script forgot to; one that ends by an error fails."""
    stop_heartbeat(getattr(sys, 'last_value', None))
