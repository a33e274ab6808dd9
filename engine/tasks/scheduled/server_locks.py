"""Which servers live: each locks a file of its own, and the system releases the lock however the
server ends, so whoever gets it knows that the owner is dead."""

from __future__ import annotations

import fcntl
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO


class ServerLocks:
    """The locks in a folder; `server` is the name of this server, which has one after `take`."""

    def __init__(self, folder: Path) -> None:
        self.server = uuid.uuid4().hex
        self._folder = folder
        self._own: IO[bytes] | None = None

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """Held by one server at a time. Makes the folders."""
        self._folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._folder.mkdir(mode=0o700, exist_ok=True)
        with _opened(self._folder.parent / "opening.lock", "ab") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def take(self) -> None:
        """Lock the own file, and remove those of the dead; call it while `exclusive`."""
        for old in self._folder.iterdir():
            self.is_dead(old.name)
        self._own = _opened(self._folder / self.server, "wb")
        fcntl.flock(self._own, fcntl.LOCK_EX)

    def release(self) -> None:
        if self._own is not None:
            (self._folder / self.server).unlink(missing_ok=True)
            self._own.close()
            self._own = None

    def is_dead(self, server: str) -> bool:
        lock = self._folder / server
        try:
            with lock.open("rb+") as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                lock.unlink(missing_ok=True)
        except FileNotFoundError:
            return True
        except BlockingIOError:
            return False
        return True


def _opened(path: Path, mode: str) -> IO[bytes]:
    """Only for its user: others could take the lock, and keep it."""
    return open(path, mode, opener=lambda name, flags: os.open(name, flags, 0o600))
