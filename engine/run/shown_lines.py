"""A limit on the lines that a snap shows: a script that prints for ever must not fill the log."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

BURST = 4 << 20
RATE = 64 << 10
"""Characters that a snap may show at once, and each second after that."""


class ShownLines:
    """Hands the lines of one snap on while they are within the limit, and says what it left out.

    Lines may come from any thread.
    """

    def __init__(
        self, show: Callable[[str], None], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._show = show
        self._clock = clock
        self._lock = threading.Lock()
        self._left = float(BURST)
        self._at = clock()
        self._lines = self._characters = 0

    def show(self, text: str) -> None:
        with self._lock:
            now = self._clock()
            self._left = min(BURST, self._left + (now - self._at) * RATE)
            self._at = now
            size = len(text) + 1
            # Once lines are left out, a second's worth is awaited: one note a second is enough.
            if self._left >= (max(size, RATE) if self._lines else size):
                self._report()
                self._left -= size
                self._show(text)
                return
            if not self._lines:
                self._show(f"… it prints more than {RATE >> 10} KiB a second; lines are left out")
            self._lines += 1
            self._characters += size

    def end(self) -> None:
        """Nothing more will come."""
        with self._lock:
            self._report()

    def _report(self) -> None:
        if self._lines:
            self._show(f"… {self._lines:,} lines left out ({self._characters:,} characters)")
            self._lines = self._characters = 0
