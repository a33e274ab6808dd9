"""What went wrong with requests, for the log: a few a second in full, and how many more there were.

A caller is told no traces; whoever runs the server needs them, but not ten thousand times.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from engine.documents import Document

LINES_PER_SECOND = 5


class FailureLog:
    """Tells of failed requests by calling `tell(label of the snap, text)`."""

    def __init__(self, tell: Callable[[str, str], None]) -> None:
        self._tell = tell
        self._second = 0
        self._told = 0
        self._more = 0

    def add(self, error: Document) -> None:
        """A request has failed."""
        second = int(time.monotonic())
        if second != self._second:
            self._second, self._told = second, 0
        if self._told >= LINES_PER_SECOND:
            self._more += 1
            return
        self._told += 1
        more, self._more = self._more, 0
        if more:
            self._tell("", f"{more} more requests have failed")
        self._tell(str(error.get("snap", "")), _described(error))


def _described(error: Document) -> str:
    parts = [str(error[name]) for name in ("error", "reason") if error.get(name)]
    text = ": ".join(dict.fromkeys(parts))
    trace = str(error.get("stacktrace", "")).rstrip()
    for said in (text, *parts):
        trace = trace.removeprefix(said)
    trace = trace.strip("\n")
    return f"{text}\n{trace}" if trace else text
