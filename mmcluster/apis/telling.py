"""How long work tells a user what it does."""
from __future__ import annotations

import time
from contextlib import contextmanager
from typing import Iterator


class Teller:
    """Tells nothing; what talks to a console or a notebook overrides both methods.

    Attributes:
        seconds: Phase -> seconds that it took.
    """

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    def line(self, text: str) -> None:
        """Say one line."""

    def progress(self, phase: str, done: int, total: int) -> None:
        """Say how far a phase is."""

    @contextmanager
    def muted(self) -> Iterator[None]:
        """Keep the log of a training from the console where only errors are wanted; its file has it all."""
        yield

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Take the time of a phase."""
        start = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[name] = round(self.seconds.get(name, 0) + time.perf_counter() - start, 2)
