"""Failed requests and runs in the log: a few per second in full, and a count of the rest.

Callers see no stack traces; operators need them, but not ten thousand times.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from engine.documents import Document

LINES_PER_SECOND = 5
MAX_IDS = 100
"""Ids of requests in the note about those that were not logged in full."""


class FailureLog:
    """Logs failures by calling `write(label of the snap, text, id of the request)`.

    What has no request is called a run.
    """

    def __init__(
        self, write: Callable[[str, str, str], None], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._write = write
        self._clock = clock
        self._second = 0
        self._written = 0
        self._omitted = 0
        self._omitted_ids: list[str] = []

    def add(self, error: Document, request_id: str = "") -> None:
        """Log the failure, or count it."""
        second = int(self._clock())
        if second != self._second:
            self._second, self._written = second, 0
        if self._written >= LINES_PER_SECOND:
            self._omitted += 1
            if request_id and len(self._omitted_ids) < MAX_IDS:
                self._omitted_ids.append(request_id)
            return
        self._written += 1
        self._write_note()
        text = f"{'request' if request_id else 'run'} failed: {_described(error)}"
        self._write(str(error.get("snap", "")), text, request_id)

    def flush(self, *, last: bool = False) -> None:
        """Log how many were only counted, once their second is over; at once if it is the last."""
        if last or int(self._clock()) != self._second:
            self._write_note()

    def _write_note(self) -> None:
        if self._omitted:
            self._write("", self._note(), "")

    def _note(self) -> str:
        """How many were not logged, and which, as far as the ids are few."""
        count, self._omitted = self._omitted, 0
        ids, self._omitted_ids = self._omitted_ids, []
        if not ids:
            return f"{count} more failed"
        more = ", …" if len(ids) < count else ""
        return f"{count} more requests failed: {', '.join(ids)}{more}"


def _described(error: Document) -> str:
    parts = [str(error[name]) for name in ("error", "reason") if error.get(name)]
    text = ": ".join(dict.fromkeys(parts))
    trace = str(error.get("stacktrace", "")).rstrip()
    for known in (text, *parts):
        trace = trace.removeprefix(known)
    trace = trace.strip("\n")
    text += _place(error)
    return f"{text}\n{trace}" if trace else text


def _place(error: Document) -> str:
    """Where an expression that failed is in the pipeline; empty for other errors."""
    details = error.get("snap_details") or {}
    if "line" not in details:
        return ""
    target = f"target {details['target']!r}, " if "target" in details else ""
    return f" ({target}line {details['line']} of the pipeline)"
