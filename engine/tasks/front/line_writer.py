"""Writes lines in a thread: a reader that stalls costs lines, not the server."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable

MAX_WAITING_BYTES = 4 * 1024 * 1024
"""Bytes of lines that may wait; those beyond are dropped, and counted."""

CLOSE_SECONDS = 1.0


class LineWriter:
    """Passes lines to `write`, in order; an OSError of it goes to `on_error`."""

    def __init__(
        self, write: Callable[[bytes], object], on_error: Callable[[OSError], object] = repr
    ) -> None:
        self._write = write
        self._on_error = on_error
        self._lines: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._waiting = 0
        self._dropped = 0
        self._thread: threading.Thread | None = None

    def write(self, data: bytes) -> None:
        with self._lock:
            if self._waiting + len(data) > MAX_WAITING_BYTES:
                self._dropped += 1
                return
            self._waiting += len(data)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="lines", daemon=True)
                self._thread.start()
        self._lines.put(data)

    def close(self) -> None:
        """Write what is waiting, unless that takes longer than CLOSE_SECONDS."""
        thread, self._thread = self._thread, None
        if thread is not None:
            self._lines.put(None)
            thread.join(CLOSE_SECONDS)

    def _run(self) -> None:
        while (data := self._lines.get()) is not None:
            with self._lock:
                dropped, self._dropped = self._dropped, 0
            note = b"%d lines were dropped: nobody read them in time\n" % dropped
            try:
                self._write(note + data if dropped else data)
            except OSError as error:  # a full disk must not cost responses
                self._on_error(error)
            with self._lock:
                self._waiting -= len(data)
