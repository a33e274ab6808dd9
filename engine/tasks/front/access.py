"""The access log: a line per request, in the common log format with more fields at its end."""

from __future__ import annotations

import asyncio
import logging
import os
import time
from functools import lru_cache
from typing import IO, Any, Literal
from urllib.parse import quote

import msgspec

from engine.errors import ConfigurationError
from engine.tasks.front.head import Head
from engine.tasks.front.line_writer import LineWriter

log = logging.getLogger(__name__)

LogFormat = Literal["text", "json"]

_FLUSH_INTERVAL = 1.0
_MAX_BUFFERED = 64 * 1024
_MAX_PATH = 4096


class AccessEntry(msgspec.Struct, frozen=True, gc=False):
    """A request that was answered; times in seconds.

    `task` is empty if it was for none, `token` the name of the token that it had. `waited` and
    `worked` are None if no process of the task got it. `trace` is the id of its trace.
    """

    head: Head
    status: int
    size: int
    seconds: float
    task: str = ""
    token: str = ""
    waited: float | None = None
    worked: float | None = None
    trace: str = ""


class AccessLog:
    """Writes to a file, or passes lines on; buffered lines are written every second, in a thread.

    A line of text is `client - token [time] "METHOD path HTTP/1.1" status bytes milliseconds id
    task queue work`, the last two in milliseconds; what is unknown is `-`.
    """

    def __init__(self, target: str | LineWriter, form: LogFormat = "text") -> None:
        """Raises ConfigurationError if the file cannot be written."""
        self.scheme = "http"
        """What callers speak, unless a proxy says otherwise."""

        self._form = form
        self._lines: list[bytes] = []
        self._size = 0
        self._timer: asyncio.TimerHandle | None = None
        self._second = 0
        self._time = ""
        self._file: LogFile | None = None
        if isinstance(target, str):
            self._file = LogFile(target)
            self._writer = LineWriter(self._file.write, self._file.note_failure)
        else:
            self._writer = target

    @property
    def dropped(self) -> int:
        """How often lines were dropped because nobody took them."""
        return self._writer.dropped

    def write(self, entry: AccessEntry) -> None:
        """Log a request that was answered."""
        line = self._as_json(entry) if self._form == "json" else self._as_text(entry)
        self._lines.append(line)
        self._size += len(line)
        if self._size > _MAX_BUFFERED:
            self.flush()
        elif self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(_FLUSH_INTERVAL, self.flush)

    def reopen(self) -> None:
        """Continue in a new file, in case the old one was renamed."""
        self.flush()
        if self._file is not None:
            self._writer.call(self._file.reopen)

    def close(self) -> None:
        """Write the buffered lines and close the file."""
        self.flush()
        if self._file is not None:
            self._writer.call(self._file.close)
        self._writer.close()

    def flush(self) -> None:
        """Write the buffered lines."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        lines, self._lines, self._size = self._lines, [], 0
        if lines:
            self._writer.write(b"".join(lines))

    def _as_json(self, entry: AccessEntry) -> bytes:
        head = entry.head
        fields: dict[str, Any] = {
            "time": self._now("%Y-%m-%dT%H:%M:%SZ"),
            "request_id": head.tag.id,
            "client": _address(head),
            "token": entry.token or None,
            "method": head.method,
            "scheme": head.scheme or self.scheme,
            "host": head.host or None,
            "path": _path(head),
            "status": entry.status,
            "bytes": entry.size,
            "milliseconds": _milliseconds(entry.seconds),
            "task": entry.task or None,
            "queue_milliseconds": _milliseconds(entry.waited),
            "work_milliseconds": _milliseconds(entry.worked),
        }
        if trace := entry.trace or head.tag.trace:
            fields["trace_id"] = trace
        return msgspec.json.encode(fields) + b"\n"

    def _as_text(self, entry: AccessEntry) -> bytes:
        head = entry.head
        path = _path(head).replace('"', "%22")
        when = self._now("%d/%b/%Y:%H:%M:%S +0000")
        times = [_milliseconds(each) for each in (entry.waited, entry.worked)]
        waited, worked = ("-" if each is None else each for each in times)
        return (
            f"{_address(head)} - {_word(entry.token)} [{when}] "
            f'"{head.method} {path} HTTP/{head.http_version}" {entry.status} {entry.size} '
            f"{_milliseconds(entry.seconds)} {head.tag.id or '-'} {_word(entry.task)} "
            f"{waited} {worked}\n"
        ).encode("latin-1", "replace")

    def _now(self, pattern: str) -> str:
        second = int(time.time())
        if second != self._second:
            self._second, self._time = second, time.strftime(pattern, time.gmtime(second))
        return self._time


class LogFile:
    """A file that only its user can read, and that may be renamed while it is written.

    Raises ConfigurationError if it cannot be opened.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._file = _opened(path)
        self._failed = False

    def write(self, data: bytes) -> None:
        self._file.write(data)
        self._failed = False

    def note_failure(self, error: OSError) -> None:
        if not self._failed:  # a full disk must not cost responses, nor fill the log
            log.error("cannot write the access log: %s", error)
        self._failed = True

    def reopen(self) -> None:
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


def _address(head: Head) -> str:
    return head.client.rpartition(":")[0] or "-"


def _path(head: Head) -> str:
    path = f"{head.raw_path}?{head.query}" if head.query else head.raw_path
    return path[:_MAX_PATH]


def _milliseconds(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds * 1000, 3)


@lru_cache(1024)
def _word(text: str) -> str:
    """The text without blanks, or `-`."""
    return quote(text, safe="!$&'()*+,/:;=@") or "-"
