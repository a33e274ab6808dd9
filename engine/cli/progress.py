"""Prints a progress line at intervals, so that a log is never silent for minutes."""

from __future__ import annotations

import threading
from collections.abc import Callable

from engine.run.report import Report, SnapStatistics

INTERVAL = 30.0
"""Seconds from one line to the next."""


class ProgressLines:
    """Calls `write` with a progress line every INTERVAL seconds of `clock`, from its own thread."""

    def __init__(self, write: Callable[[str], None], clock: Callable[[], float]) -> None:
        self._write = write
        self._clock = clock
        self._stopped = threading.Event()
        self._ticking = threading.Lock()

    def start(self, report: Report) -> None:
        self._report = report
        self._started = self._clock()
        self._due = self._started + INTERVAL
        threading.Thread(target=self._watch, name="progress", daemon=True).start()

    def stop(self) -> None:
        self._stopped.set()

    def tick(self) -> None:
        """Write a line if one is due."""
        with self._ticking:
            now = self._clock()
            if now < self._due:
                return
            self._due = now + INTERVAL
        self._write(progress_line(self._report, now - self._started))

    def _watch(self) -> None:
        while not self._stopped.wait(1.0):
            self.tick()


def progress_line(report: Report, seconds: float) -> str:
    """What each snap has done so far."""
    done = ", ".join(_done(snap) for snap in report.snaps)
    return f"{report.pipeline}: running for {seconds:.0f} s ({done})"


def _done(snap: SnapStatistics) -> str:
    failed = f", {snap.errors:,} failed" if snap.errors else ""
    return f"{snap.label} {snap.documents_in:,} in {snap.documents_out:,} out{failed}"
