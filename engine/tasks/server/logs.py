"""The log of the server on standard error: text for people, or JSON for machines."""

from __future__ import annotations

import logging
import re
import sys
import time
from typing import Any

import msgspec

from engine.tasks.front.access import LogFormat
from engine.tasks.front.line_writer import LineWriter

_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
_FIELDS = ("task", "instance", "snap", "request_id")


def dropped_lines() -> int:
    """How many lines were dropped because nobody took them."""
    handlers = logging.getLogger("engine").handlers
    return sum(each.dropped for each in handlers if isinstance(each, _QueuedHandler))


def configure_logs(form: LogFormat) -> None:
    """Send the engine's log to standard error."""
    handler = _QueuedHandler()
    handler.setFormatter(_Json() if form == "json" else _Text())
    logger = logging.getLogger("engine")
    logger.handlers[:] = [handler]
    logger.setLevel(logging.INFO)
    logger.propagate = False


class _QueuedHandler(logging.Handler):
    """Writes to standard error in a thread, so that a reader that stalls stops nothing."""

    def __init__(self) -> None:
        super().__init__()
        self._lines = LineWriter(write_to_stderr)

    @property
    def dropped(self) -> int:
        return self._lines.dropped

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self._lines.write(f"{self.format(record)}\n".encode(errors="backslashreplace"))
        except Exception:  # noqa: BLE001  # as all handlers of logging do
            self.handleError(record)

    def close(self) -> None:
        self._lines.close()
        super().close()


def write_to_stderr(data: bytes) -> None:
    sys.stderr.buffer.write(data)
    sys.stderr.buffer.flush()


class _Text(logging.Formatter):
    """One line for each record; those of its text that follow are indented.

    Control characters are escaped: no text from outside can look like another record.
    """

    def format(self, record: logging.LogRecord) -> str:
        when = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(record.created))
        level = "" if record.levelno == logging.INFO else f"{record.levelname.lower()}: "
        known = record.__dict__
        task = f"{known['task']}: " if known.get("task") else ""
        snap = f"[{known['snap']}] " if known.get("snap") else ""
        text = _CONTROL.sub(_escaped, _message(self, record))
        if known.get("request_id"):
            first, line_break, rest = text.partition("\n")
            text = f"{first} (request {known['request_id']}){line_break}{rest}"
        return f"{when} {task}{snap}{level}{text.replace(chr(10), chr(10) + '    ')}"


class _Json(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        entry: dict[str, Any] = {
            "time": f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(record.created))}"
            f".{int(record.msecs):03d}Z",
            "level": record.levelname.lower(),
            "message": _message(self, record),
        }
        known = record.__dict__
        entry |= {name: known[name] for name in _FIELDS if known.get(name)}
        return msgspec.json.encode(entry).decode()


def _escaped(found: re.Match[str]) -> str:
    return found[0].encode("unicode_escape").decode()


def _message(formatter: logging.Formatter, record: logging.LogRecord) -> str:
    text = record.getMessage()
    return f"{text}\n{formatter.formatException(record.exc_info)}" if record.exc_info else text
