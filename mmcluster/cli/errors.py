"""From an error to one sentence and an exit code.

0: done. 1: a fault of the program, with its traceback. 2: the command line or the input is wrong. 3: something cannot
be written or read, such as a full disk. 130: interrupted; the same command goes on. 141: who read the output, such as
``head``, has closed it.
"""
from __future__ import annotations

import errno
import os
import select
import sys
import traceback
from pathlib import Path

DONE, FAULT, WRONG, MACHINE, INTERRUPTED, UNREAD = 0, 1, 2, 3, 130, 141
TRACEBACK = 'MMCLUSTER_TRACEBACK'
PACKAGE = Path(__file__).resolve().parents[1]
_FULL = {errno.ENOSPC: 'the disk is full', errno.EDQUOT: 'the quota is used up', errno.EFBIG: 'a file may not grow'}


def exit_code(error: BaseException) -> int:
    """Say what went wrong, in one sentence if this package foresaw it.

    Args:
        error: What ended the command.

    Returns:
        See the module.
    """
    if isinstance(error, BrokenPipeError) and _nobody_reads():
        return UNREAD
    if isinstance(error, KeyboardInterrupt):
        print('mmcluster: stopped; the same command goes on from here, train of a config of one stage with --resume',
              file=sys.stderr)
        return INTERRUPTED
    foreseen = isinstance(error, OSError) or _is_ours(error)
    if not foreseen or os.environ.get(TRACEBACK, '0') not in ('', '0'):
        traceback.print_exception(error)
        if not foreseen:
            return FAULT
    print(f'mmcluster: error: {_sentence(error)}', file=sys.stderr)
    wrong = (FileNotFoundError, NotADirectoryError, IsADirectoryError, FileExistsError, ConnectionError)
    return MACHINE if isinstance(error, OSError) and not isinstance(error, wrong) else WRONG


def _nobody_reads() -> bool:
    """Whether the output is a closed pipe; what is left of it then goes nowhere, or Python would tell of it."""
    poll = select.poll()
    poll.register(sys.stdout.fileno(), 0)       # of errors it tells unasked
    closed = any(event & select.POLLERR for _, event in poll.poll(0))
    if closed:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return closed


def _is_ours(error: BaseException) -> bool:
    """Whether this package raised it, and so wrote its message for a user."""
    frames = traceback.extract_tb(error.__traceback__)
    return bool(frames) and Path(frames[-1].filename).resolve().is_relative_to(PACKAGE) and \
        isinstance(error, (ValueError, RuntimeError, ImportError, LookupError, FloatingPointError))


def _sentence(error: BaseException) -> str:
    """The message; of a bare error of the system with what to do."""
    if not isinstance(error, OSError) or error.errno is None or (error.filename is None and error.errno not in _FULL):
        return ' '.join(str(error).split('\n'))
    where = f' ({error.filename})' if error.filename else ''
    if error.errno in _FULL:
        return f'{_FULL[error.errno]}{where}: make room and start again; what is computed is kept'
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return (f'no permission for {error.filename}: if it was to be read, allow yourself to (chmod u+r); if written, '
                'name another folder, such as --out in your home folder')
    return f'{error.strerror}: {error.filename}'
