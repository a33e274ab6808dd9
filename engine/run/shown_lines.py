"""A limit on the lines that a snap shows, so that an endless script cannot fill the log."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

BURST = 4 << 20
RATE = 64 << 10
"""Characters that a snap may show at once, and per second after that."""


class ShownLines:
    """Passes on the lines of one snap within the limit, and reports how many it omitted.

    Lines may come from any thread.
    """

    def __init__(
        self, show: Callable[[str, str], None], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._show = show
        self._clock = clock
        self._lock = threading.Lock()
        self._left = float(BURST)
        self._at = clock()
        self._lines = self._characters = 0

    def show(self, text: str, request_id: str = "") -> None:
        with self._lock:
            now = self._clock()
            self._left = min(BURST, self._left + (now - self._at) * RATE)
            self._at = now
            size = len(text) + 1
            # After omitting lines, wait for a second's worth of room: one note a second is enough.
            if self._left >= (max(size, RATE) if self._lines else size):
                self._report()
                self._left -= size
                self._show(text, request_id)
                return
            if not self._lines:
                self._show(f"… output exceeds {RATE >> 10} KiB per second; omitting lines", "")
            self._lines += 1
            self._characters += size

    def end(self) -> None:
        """Report omitted lines: there will be no more."""
        with self._lock:
            self._report()

    def _report(self) -> None:
        if self._lines:
            self._show(f"… {self._lines:,} lines omitted ({self._characters:,} characters)", "")
            self._lines = self._characters = 0
