"""The access log: a line per request, in the common log format with more fields at its end."""

from __future__ import annotations

import asyncio
import logging
import time
from functools import lru_cache
from typing import Any, Literal, Protocol
from urllib.parse import quote

import msgspec

from engine.tasks.front.head import Head
from engine.tasks.front.line_writer import LineWriter
from engine.tasks.front.log_file import LogFile

log = logging.getLogger(__name__)

LogFormat = Literal["text", "json"]

_FLUSH_INTERVAL = 1.0
_MAX_BUFFERED = 64 * 1024
_MAX_PATH = 4096


class Writable(Protocol):
    def write(self, data: bytes, /) -> object: ...


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
    """Writes to a file or an open stream; buffered lines are written every second, those of a file
    in a thread.

    A line of text is `client - token [time] "METHOD path HTTP/1.1" status bytes milliseconds id
    task queue work`, the last two in milliseconds; what is unknown is `-`.
    """

    def __init__(self, target: str | Writable, form: LogFormat = "text") -> None:
        """Raises ConfigurationError if the file cannot be written."""
        self.scheme = "http"
        """What callers speak, unless a proxy says otherwise."""

        self._form = form
        self._lines: list[bytes] = []
        self._size = 0
        self._timer: asyncio.TimerHandle | None = None
        self._failed = False
        self._second = 0
        self._time = ""
        self._file = LogFile(target) if isinstance(target, str) else None
        self._target = target if isinstance(target, LineWriter) else None
        self._stream: Writable | None = None
        if self._file is not None:
            self._target = LineWriter(self._write_to_file, self._note_failure)
        elif not isinstance(target, str | LineWriter):
            self._stream = target

    @property
    def dropped(self) -> int:
        """How often lines were dropped because nobody took them."""
        return 0 if self._target is None else self._target.dropped

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
        if self._target is not None and self._file is not None:
            self._target.call(self._file.reopen)

    def close(self) -> None:
        """Write the buffered lines and close the file."""
        self.flush()
        if self._target is not None:
            if self._file is not None:
                self._target.call(self._file.close)
            self._target.close()

    def flush(self) -> None:
        """Write the buffered lines."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        lines, self._lines, self._size = self._lines, [], 0
        if not lines:
            return
        data = b"".join(lines)
        if self._target is not None:
            self._target.write(data)
        elif self._stream is not None:
            try:
                self._stream.write(data)
            except OSError as error:
                self._note_failure(error)
            else:
                self._failed = False

    def _write_to_file(self, data: bytes) -> None:
        assert self._file is not None  # this is only called for a file
        self._file.write(data)
        self._failed = False

    def _note_failure(self, error: OSError) -> None:
        if not self._failed:  # a full disk must not cost responses, nor fill the log
            log.error("cannot write the access log: %s", error)
        self._failed = True

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
