"""Processes that look after each other: one that dies or stands still ends the run, and is named."""
from __future__ import annotations

import json
import os
import selectors
import socket
import threading
import time
import traceback
from collections import deque
from contextlib import suppress
from typing import Any, Callable, Optional

_MOST = 1 << 16     # bytes of one message
_GRACE = 3.         # seconds that a failing process waits to hear whether another one failed before it
_PARTING = 1.       # seconds that a process waits at its end for the others to take its last words


class _Process:
    """What is known of a process; ``about`` is None before it gave its name."""

    def __init__(self, about: Optional[dict] = None) -> None:
        self.about, self.text = about, b''
        self.missed = self.failing = 0          # signs since it was heard, and since it said that it failed
        self.left, self.gone, self.failed = False, False, ''
        self.place: list = [-1, 'at the start']

    @property
    def name(self) -> str:
        """What messages call it."""
        about = self.about or {}
        return f'rank {about.get("rank")} (process {about.get("pid")} on {about.get("host")})'

    @property
    def works(self) -> bool:
        """Whether it goes on."""
        return not (self.left or self.gone or self.failed)


class _Peer(_Process):
    """Another process, with the way to it."""

    def __init__(self, link: socket.socket) -> None:
        super().__init__()
        self.link = link


class Heartbeat:
    """A thread that tells the others once a second that this process lives, and hears it from them.

    Process 0 hears all others, and they hear process 0: a socket for each, beside those of the process group, since a
    collective waits for a dead process as it does for a slow one. Whoever ends without taking leave, stands still (a
    stopped process has no running thread either) or says that it failed is named in one sentence, in the output of
    every process, and all of them end. Stillness is counted in seconds in which this process ran itself, so that a
    computer that slept accuses nobody.

    Args:
        rank: Number of this process.
        silence: Seconds without a sign after which a process counts as standing still.
        first: Process 0: ``about`` it, ``at`` which host and port it listens, and a ``word`` that strangers do not
            know.
        listener: The listening socket, in process 0.
        say: Called with the sentence, at once.
        end: Called when the others have heard it, or after a second. It does not return.
        interval: Seconds between two signs.
    """

    def __init__(self, rank: int, silence: float, first: dict, listener: Optional[socket.socket],
                 say: Callable[[str], Any], end: Callable[[], Any], interval: float = 1.) -> None:
        self.silence, self.word, self.listener, self.say, self.end = silence, first['word'], listener, say, end
        self.interval = min(interval, silence / 4)
        self.own = _Process(about=about_process(rank))
        self.peers: list[_Peer] = []
        self.selector = selectors.DefaultSelector()
        self.done, self.judged = threading.Event(), threading.Event()
        self.outbox: deque[dict] = deque()      # filled by two threads
        self.verdict = ''
        if listener is not None:
            listener.setblocking(False)
            self.selector.register(listener, selectors.EVENT_READ)
        else:
            self._add(socket.create_connection(first['at'], timeout=30)).about = first['about']
            self.outbox.append(dict(about_process(rank), word=self.word))
        self.thread = threading.Thread(target=self._run, name='heartbeat', daemon=True)
        self.thread.start()

    def note(self, number: int, place: str) -> None:
        """Keep where this process is, for the sentence; ``number`` grows with it."""
        self.own.place = [number, place]

    def leave(self) -> None:
        """Take leave: the others do not miss this process any more."""
        self.outbox.append(dict(leaves=True))
        self._stop()

    def fail(self, error: BaseException) -> None:
        """Say that this process fails, and wait a little: another one may turn out to be the reason.

        Where all fail, such as by a wrong setting, nothing more is said.

        Args:
            error: Why. Collectives raise when a process at their other end is gone, or after their timeout.
        """
        traceback.print_exception(error)        # the sentence that ends the group has no place for it
        self.own.failed = ' '.join(f'{type(error).__name__}: {error}'.split())[:500]
        self.outbox.append(dict(failed=self.own.failed))
        self.judged.wait(2 * _GRACE)
        self._stop()

    def _stop(self) -> None:
        self.done.set()
        self.thread.join(2 * self.interval + 2 * _PARTING)

    # ---- the thread

    def _run(self) -> None:
        """Hear, tell and judge until the end."""
        due, sentence = time.monotonic(), ''
        while not (sentence or self.done.is_set()):
            for key, _ in self.selector.select(max(0., due - time.monotonic())):
                self._accept() if key.fileobj is self.listener else self._hear(key.data)
            if time.monotonic() >= due:
                due = time.monotonic() + self.interval
                for peer in self.peers:
                    peer.missed += 1
                for each in (*self.peers, self.own):
                    each.failing += bool(each.failed)
                self.outbox.append(dict(place=self.own.place))
            self._tell()
            sentence = self._judge()
            if not sentence and self.listener is not None and self.own.failed \
                    and not any(peer.works for peer in self.peers):
                self.outbox.append(dict(over=True))
                self.judged.set()
        ends = bool(sentence) and not self.done.is_set()
        if ends:
            self.outbox.append(dict(sentence=sentence))
            self.say(sentence)
        self._part()
        if ends:
            self.judged.set()
            self.end()

    def _part(self) -> None:
        """Say the last words and wait for the others to close: unread signs of theirs at a close would discard them."""
        self._tell()
        if self.listener is not None:
            self.selector.unregister(self.listener)
            self.listener.close()
        for peer in self.peers:
            with suppress(OSError):
                peer.link.shutdown(socket.SHUT_WR)
        end = time.monotonic() + _PARTING
        while any(peer.about and not peer.gone for peer in self.peers) and time.monotonic() < end:
            for key, _ in self.selector.select(max(0., end - time.monotonic())):
                self._hear(key.data)
        for peer in self.peers:
            peer.link.close()
        self.selector.close()

    def _add(self, link: socket.socket) -> _Peer:
        link.setblocking(False)
        peer = _Peer(link)
        self.peers.append(peer)
        self.selector.register(link, selectors.EVENT_READ, peer)
        return peer

    def _accept(self) -> None:
        assert self.listener is not None
        with suppress(OSError):
            self._add(self.listener.accept()[0])

    def _tell(self) -> None:
        """Send what is due to all that take it; a stopped process does not."""
        text = b''
        while self.outbox:
            text += json.dumps(self.outbox.popleft()).encode() + b'\n'
        for peer in self.peers:
            if text and not peer.gone and peer.about is not None:
                with suppress(OSError):
                    peer.link.send(text)

    def _hear(self, peer: _Peer) -> None:
        """Read what another process says."""
        try:
            text = peer.link.recv(_MOST)
        except BlockingIOError:
            return
        except OSError:
            text = b''
        *lines, peer.text = (peer.text + text).split(b'\n')
        try:
            for line in lines:
                self._understand(peer, json.loads(line))
            stranger = peer.about is None and (len(peer.text) > _MOST or not text)
        except (ValueError, TypeError, AttributeError):
            stranger = True
        if stranger or not text:
            self.selector.unregister(peer.link)
            peer.gone = True
            if stranger:
                self.peers.remove(peer)
            peer.link.close()

    def _understand(self, peer: _Peer, message: dict) -> None:
        """Take one message to heart."""
        if peer.about is None:
            if message.pop('word', None) != self.word:
                raise ValueError('a stranger')
            peer.about = message
        peer.missed = 0
        peer.place = message.get('place', peer.place)
        peer.left |= 'leaves' in message
        peer.failed = message.get('failed', peer.failed)
        if self.listener is None:
            if 'over' in message:
                self.judged.set()
            self.verdict = message.get('sentence', self.verdict)

    def _judge(self) -> str:
        """The sentence about the process that ends the run; an empty text while all is well."""
        known = [peer for peer in (*self.peers, self.own) if peer.about is not None and not peer.left]
        if not any(peer.works for peer in known):
            known = [peer for peer in known if not peer.failed]     # all failed: only a dead one tells more
        for peer in known:
            still = peer.missed * self.interval
            if peer.gone and not peer.failed:
                return self._sentence(peer, 'has ended')
            if still > self.silence and not peer.failed:
                return self._sentence(peer, f'has given no sign for {still:.0f} seconds')
            if peer.failing * self.interval > _GRACE and self.listener is not None:
                return self._sentence(peer, f'failed ({peer.failed})')
        return self.verdict

    def _sentence(self, peer: _Process, what: str) -> str:
        """What happened to a process, where, and what to do."""
        known = [one for one in (peer, self.own, *self.peers) if one.about is not None]
        last = min(known, key=lambda one: one.place[0])
        behind = f'; {last.name} was furthest behind, {last.place[1]}' if last.place[0] < peer.place[0] else ''
        return (f'{peer.name} {what}, {peer.place[1]}{behind}: all processes end. Read its last lines for the reason '
                f'(a full memory, a lost machine, a file system that hangs), then give the same command again, for a '
                f'config of one stage with --resume: it goes on from the last checkpoint')


def about_process(rank: int) -> dict:
    """What the others are told of this process."""
    return dict(rank=rank, host=socket.gethostname(), pid=os.getpid())
