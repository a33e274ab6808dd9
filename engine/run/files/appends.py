"""When appended files reach the disk."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

from engine.run.files.failures import failure

SYNC_SECONDS = 1.0
"""How often, in seconds, appended files are synced to the disk; also at the end of the run."""


class Appends:
    """Syncs appended files to the disk: at intervals, and on request.

    Syncing after each of many small streams would take most of the time of a run.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._synced: dict[Path, float] = {}
        self._waiting: set[Path] = set()

    def appended(self, path: Path, descriptor: int) -> None:
        now = time.monotonic()
        with self._lock:
            if now - self._synced.setdefault(path, now) < SYNC_SECONDS:
                self._waiting.add(path)
                return
            self._synced[path] = now
            self._waiting.discard(path)
        os.fsync(descriptor)

    def sync(self) -> None:
        """Sync all files to the disk. Raises DataError if one fails."""
        with self._lock:
            waiting, self._waiting = self._waiting, set()
            self._synced.clear()
        for path in waiting:
            try:
                with path.open("rb", buffering=0) as file:
                    os.fsync(file.fileno())
            except FileNotFoundError:
                pass  # removed in the meantime
            except OSError as error:
                raise failure("write", str(path), error) from error
