"""Files being written, hidden beside their targets, and the leftovers of dead writers.

A writer holds a lock on its hidden file as long as it lives; the system releases it however the
writer ends, and no other process can be mistaken for it. So whoever gets the lock may remove the
file. Locks may not reach other machines: their files are kept for a day after the last change.
"""

from __future__ import annotations

import os
import platform
import re
import time
from binascii import crc32
from contextlib import suppress
from pathlib import Path
from typing import IO

FOREIGN_SECONDS = 86_400
_MACHINE = f"{crc32(platform.node().encode()) & 0xFFFFFF:06x}"
_HIDDEN = re.compile(r"\..+\.([0-9a-f]{6})-[0-9a-f]{8}\.part", re.DOTALL)
_MAX_NAME_BYTES = 200
"""Bytes of the target's name kept in the name of its hidden file: names have at most 255."""


class HiddenFile:
    """The hidden file in which the content of `target` is gathered."""

    def __init__(self, target: Path) -> None:
        name = os.fsdecode(os.fsencode(target.name)[:_MAX_NAME_BYTES])
        while True:
            unique = f"{_MACHINE}-{os.urandom(4).hex()}"
            self.path = target.with_name(f".{name}.{unique}.part")
            self.file: IO[bytes] = self.path.open("xb")
            if _lock(self.file.fileno()) is not False and _is_at(self.path, self.file.fileno()):
                return
            self.file.close()  # another process removed it before it was locked

    def discard(self) -> None:
        with suppress(OSError):  # closing flushes the buffer, which fails on a full disk
            self.file.close()
        self.remove()

    def remove(self) -> None:
        with suppress(OSError):
            self.path.unlink(missing_ok=True)


def remove_leftovers(folder: Path) -> None:
    """Remove the hidden files in a folder whose writers have died."""
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            match = _HIDDEN.fullmatch(entry.name)
            if match is not None and entry.is_file(follow_symlinks=False):
                with suppress(OSError):
                    _remove_if_dead(Path(entry.path), is_ours=match[1] == _MACHINE)


def _remove_if_dead(path: Path, *, is_ours: bool) -> None:
    descriptor = os.open(path, os.O_RDWR | getattr(os, "O_NOFOLLOW", 0))
    try:
        age = time.time() - os.fstat(descriptor).st_mtime
        if (is_ours or age > FOREIGN_SECONDS) and _lock(descriptor) and _is_at(path, descriptor):
            path.unlink()
    finally:
        os.close(descriptor)


def _lock(descriptor: int) -> bool | None:
    """Whether the lock was free; None where locks do not exist."""
    try:
        import fcntl
    except ImportError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return None
    return True


def _is_at(path: Path, descriptor: int) -> bool:
    try:
        return os.path.samestat(path.lstat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False
