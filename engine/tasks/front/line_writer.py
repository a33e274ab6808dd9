"""Writes lines in a thread: a reader that stalls costs lines, not the server."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from functools import partial

MAX_WAITING_BYTES = 4 * 1024 * 1024
"""Bytes of lines that may wait; those beyond are dropped, and counted."""

CLOSE_SECONDS = 2.0


class LineWriter:
    """Passes lines to `write`, in order; an OSError of it goes to `on_error`.

    `dropped` counts the calls of `write` whose lines were dropped.
    """

    def __init__(
        self, write: Callable[[bytes], object], on_error: Callable[[OSError], object] = repr
    ) -> None:
        self.dropped = 0
        self._write = write
        self._on_error = on_error
        self._work: queue.SimpleQueue[bytes | Callable[[], object] | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._waiting = 0
        self._untold = 0
        self._thread: threading.Thread | None = None

    def write(self, data: bytes) -> None:
        with self._lock:
            if self._waiting + len(data) > MAX_WAITING_BYTES:
                self._untold += 1
                self.dropped += 1
                return
            self._waiting += len(data)
        self._put(data)

    def call(self, function: Callable[[], object]) -> None:
        """Call the function in the thread, after the lines that were written before."""
        self._put(function)

    def close(self) -> None:
        """Write what is waiting, unless that takes longer than CLOSE_SECONDS."""
        thread, self._thread = self._thread, None
        if thread is not None:
            self._work.put(None)
            thread.join(CLOSE_SECONDS)

    def _put(self, work: bytes | Callable[[], object]) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="lines", daemon=True)
            self._thread.start()
        self._work.put(work)

    def _run(self) -> None:
        while (work := self._work.get()) is not None:
            if not isinstance(work, bytes):
                self._try(work)
                continue
            self._try(partial(self._write, self._note() + work))
            with self._lock:
                self._waiting -= len(work)
        if note := self._note():
            self._try(partial(self._write, note))

    def _note(self) -> bytes:
        with self._lock:
            count, self._untold = self._untold, 0
        return b"%d lines were dropped: nobody read them in time\n" % count if count else b""

    def _try(self, work: Callable[[], object]) -> None:
        try:
            work()
        except OSError as error:  # a full disk must not cost responses
            self._on_error(error)
