"""A file of log lines that may be renamed while it is written."""

from __future__ import annotations

import logging
import os
from typing import IO

from engine.errors import ConfigurationError

log = logging.getLogger(__name__)


class LogFile:
    """Appends to a file that only its user can read. Raises ConfigurationError if it cannot."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._file = _opened(path)

    def write(self, data: bytes) -> None:
        self._file.write(data)

    def reopen(self) -> None:
        """Continue in a new file, in case the old one was renamed."""
        try:
            file = _opened(self._path)
        except ConfigurationError as error:
            log.error("%s; lines still go to the old file", error)
        else:
            self._file.close()
            self._file = file

    def close(self) -> None:
        self._file.close()


def _opened(path: str) -> IO[bytes]:
    try:
        return open(path, "ab", buffering=0, opener=_open)
    except OSError as error:
        raise ConfigurationError(
            f"cannot write the access log {path!r}: {error.strerror}"
        ) from error


def _open(path: str, flags: int) -> int:
    descriptor = os.open(path, flags | os.O_NONBLOCK, mode=0o600)  # a pipe may have no reader
    os.set_blocking(descriptor, True)
    return descriptor
