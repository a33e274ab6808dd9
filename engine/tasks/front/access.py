"""The access log: a line per request, in the common log format with milliseconds added."""

from __future__ import annotations

import asyncio
import logging
import os
import time
from functools import partial
from typing import IO, Literal, Protocol

import msgspec

from engine.errors import ConfigurationError
from engine.tasks.front.head import Head

log = logging.getLogger(__name__)

LogFormat = Literal["text", "json"]

_FLUSH_INTERVAL = 1.0
_MAX_BUFFERED = 64 * 1024
_MAX_PATH = 4096


class Writable(Protocol):
    def write(self, data: bytes, /) -> object: ...


class AccessLog:
    """Writes to a file or an open stream; buffered lines are written every second.

    A line of text is `client - - [time] "METHOD path HTTP/1.1" status bytes milliseconds`.
    """

    def __init__(self, target: str | Writable, form: LogFormat = "text") -> None:
        self._form = form
        self._path = target if isinstance(target, str) else None
        self._lines: list[bytes] = []
        self._size = 0
        self._timer: asyncio.TimerHandle | None = None
        self._failed = False
        self._second = 0
        self._time = ""
        self._file: IO[bytes] | None = None
        if isinstance(target, str):
            target = self._file = _opened(target)
        self._target: Writable = target

    def write(self, head: Head, status: int, size: int, seconds: float) -> None:
        """Log a request that was answered."""
        line = self._line(head, status, size, seconds)
        self._lines.append(line)
        self._size += len(line)
        if self._size > _MAX_BUFFERED:
            self.flush()
        elif self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(_FLUSH_INTERVAL, self.flush)

    def reopen(self) -> None:
        """Continue in a new file, in case the old one was renamed."""
        self.flush()
        if self._path is None:
            return
        try:
            file = _opened(self._path)
        except ConfigurationError as error:
            log.error("%s; lines still go to the old file", error)
        else:
            if self._file is not None:
                self._file.close()
            self._file = self._target = file

    def close(self) -> None:
        """Write the buffered lines and close the file."""
        self.flush()
        if self._file is not None:
            self._file.close()

    def flush(self) -> None:
        """Write the buffered lines."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        lines, self._lines, self._size = self._lines, [], 0
        if not lines:
            return
        try:
            self._target.write(b"".join(lines))
        except OSError as error:  # a full disk must not cost responses
            if not self._failed:
                log.error("cannot write the access log: %s", error)
            self._failed = True
        else:
            self._failed = False

    def _line(self, head: Head, status: int, size: int, seconds: float) -> bytes:
        client = head.client.rpartition(":")[0] or "-"
        path = f"{head.raw_path}?{head.query}" if head.query else head.raw_path
        path = path[:_MAX_PATH]
        milliseconds = round(seconds * 1000, 3)
        if self._form == "json":
            entry = {
                "time": self._now("%Y-%m-%dT%H:%M:%SZ"),
                "client": client,
                "method": head.method,
                "path": path,
                "status": status,
                "bytes": size,
                "milliseconds": milliseconds,
            }
            return msgspec.json.encode(entry) + b"\n"
        path = path.replace('"', "%22")
        request = f"{head.method} {path} HTTP/{head.http_version}"
        when = self._now("%d/%b/%Y:%H:%M:%S +0000")
        text = f'{client} - - [{when}] "{request}" {status} {size} {milliseconds}\n'
        return text.encode("latin-1", "replace")

    def _now(self, pattern: str) -> str:
        second = int(time.time())
        if second != self._second:
            self._second, self._time = second, time.strftime(pattern, time.gmtime(second))
        return self._time


def _opened(path: str) -> IO[bytes]:
    try:
        return open(path, "ab", buffering=0, opener=partial(os.open, mode=0o600))
    except OSError as error:
        raise ConfigurationError(
            f"cannot write the access log {path!r}: {error.strerror}"
        ) from error
