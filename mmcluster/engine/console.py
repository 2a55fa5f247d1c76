"""A console that shows what matters: the whole config and what libraries say of themselves go into the log file."""
from __future__ import annotations

import copy
import logging
import os
from typing import Any

from mmengine.logging import MMLogger
from mmengine.runner import Runner

LINES, FULL_LOG = 6, 'MMCLUSTER_FULL_LOG'
# what mmengine says of itself and of frozen weights, of which a user can change nothing
NOISE = ('is skipped since its requires_grad=False', '"FileClient" will be deprecated',
         '"HardDiskBackend" is the alias')


def matters(record: logging.LogRecord) -> bool:
    """Whether the console shows an entry; the log file has all of them."""
    return not any(text in record.getMessage() for text in NOISE)


class ShortFormatter(logging.Formatter):
    """The first line of entries that have many; warnings and errors stay whole.

    Args:
        inner: Formats the entry.
    """

    def __init__(self, inner: logging.Formatter):
        super().__init__()
        self.inner = inner

    def format(self, record: logging.LogRecord) -> str:
        """Text of an entry."""
        lines = record.getMessage().strip().splitlines()
        if record.levelno > logging.INFO or len(lines) <= LINES:
            return self.inner.format(record)
        heading = next((line for line in lines if any(map(str.isalpha, line))), lines[0]).strip(' :')
        short = copy.copy(record)                   # the file's handler gets the record itself
        short.msg, short.args = f'{heading}: {len(lines)} lines, in the log file', ()
        return self.inner.format(short)


class ShortLogRunner(Runner):
    """mmengine's Runner, whose console shows long entries by their first line and leaves :data:`NOISE` out.

    A ``log_level`` above INFO quiets the console only: whoever waits for a long run looks into its log file.

    Args:
        args: See ``mmengine.runner.Runner``.
        kwargs: See ``mmengine.runner.Runner``.
    """

    def build_logger(self, *args: Any, **kwargs: Any) -> MMLogger:
        """mmengine's logger; the environment variable ``MMCLUSTER_FULL_LOG=1`` leaves its console as it is."""
        logger = super().build_logger(*args, **kwargs)
        for handler in logger.handlers:
            console = isinstance(handler, logging.StreamHandler) and not isinstance(handler, logging.FileHandler)
            if console and os.environ.get(FULL_LOG, '0') in ('', '0') and not isinstance(
                    handler.formatter, ShortFormatter):
                handler.setFormatter(ShortFormatter(handler.formatter))
                handler.addFilter(matters)
            elif isinstance(handler, logging.FileHandler):
                handler.setLevel(min(handler.level, logging.INFO))
        return logger
