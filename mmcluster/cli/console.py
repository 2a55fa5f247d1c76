"""What a command says: lines on the standard output, progress on the error output."""
from __future__ import annotations

import json
import os
import sys
import time
import warnings
from contextlib import ExitStack, contextmanager, redirect_stdout
from typing import Any, Iterator, Optional, TextIO, Union

from mmcluster.apis.telling import Teller
from mmcluster.image_names import printable

TERMINAL_SECONDS, FILE_SECONDS = 0.2, 15.
WIDTH = 79


class Console(Teller):
    """Tells on a console.

    Args:
        quiet: Say nothing but errors.
        as_json: Leave the standard output to one JSON object.
        lines_to: Where lines go; the standard output by default.
    """

    def __init__(self, quiet: bool = False, as_json: bool = False, lines_to: Optional[TextIO] = None) -> None:
        super().__init__()
        self.lines_to = lines_to
        self.quiet, self.as_json = quiet or as_json, as_json
        self.current: Optional[str] = None
        self.began = self.shown = 0.
        self.first = 0

    def line(self, text: str) -> None:
        """See :class:`~mmcluster.apis.telling.Teller`."""
        if not self.quiet:
            self._clear()
            stream = self.lines_to or sys.stdout
            encoding = getattr(stream, 'encoding', None) or 'utf-8'     # of a console it may be ASCII
            text = printable(text).encode(encoding, 'backslashreplace').decode(encoding)
            print(text, file=stream, flush=True)

    def progress(self, phase: str, done: int, total: int) -> None:
        """Show a line that moves on a terminal, a line now and then elsewhere."""
        if self.quiet:
            return
        now, moving = time.monotonic(), sys.stderr.isatty()
        if phase != self.current:
            self._clear()
            self.current, self.began, self.first = phase, now, done
            self.shown = now if not moving else 0.
        last, every = done >= total, TERMINAL_SECONDS if moving else FILE_SECONDS
        if (not last and now - self.shown < every) or (last and not moving and now - self.began < every):
            return
        self.shown = now
        text = progress_text(phase, done, total, self.first, now - self.began)
        print(f'\r{text[:WIDTH]:{WIDTH}}' if moving else text, end='' if moving else '\n', file=sys.stderr, flush=True)
        if last:
            self._clear()

    @contextmanager
    def muted(self) -> Iterator[None]:
        """See :class:`~mmcluster.apis.telling.Teller`."""
        with ExitStack() as stack:
            if self.quiet:
                stack.enter_context(redirect_stdout(stack.enter_context(open(os.devnull, 'w'))))
            yield

    def result(self, content: dict[str, Any]) -> None:
        """Print what scripts read, if they asked for it."""
        if self.as_json:
            print(json.dumps(content, allow_nan=False), flush=True)

    def _clear(self) -> None:
        """End the line that moves."""
        if self.current is not None and self.shown and sys.stderr.isatty():
            print(f'\r{"":{WIDTH}}\r', end='', file=sys.stderr, flush=True)
        self.current = None


def progress_text(phase: str, done: int, total: int, first: int, seconds: float) -> str:
    """Line with rate and time to go.

    Args:
        phase: Name.
        done: Steps that are done.
        total: All steps.
        first: Steps that were done before, such as images in the store.
        seconds: Since then.
    """
    text = f'{phase}: {done:,} of {total:,}'
    rate = (done - first) / seconds if seconds > 0 else 0
    if rate and total > 1:
        left = (total - done) / rate
        text += f', {rate:.{0 if rate >= 10 else 1}f}/s, {int(left // 60)}:{int(left % 60):02d} to go'
    return text


@contextmanager
def short_warnings(console: Console) -> Iterator[None]:
    """Show warnings in a line each, without the place in the code."""
    def show(message: Union[Warning, str], category: type[Warning], filename: str, lineno: int,
             file: Optional[TextIO] = None, line: Optional[str] = None) -> None:
        """Print the message alone."""
        if not console.quiet:
            print(f'note: {message}', file=sys.stderr)

    with warnings.catch_warnings():
        for kind in (DeprecationWarning, FutureWarning, PendingDeprecationWarning):
            warnings.simplefilter('ignore', kind)
        warnings.showwarning = show
        yield
