"""The log of the server on standard error: text for people, or JSON for machines."""

from __future__ import annotations

import logging
import sys
import time
from typing import Any, Literal

import msgspec

LogFormat = Literal["text", "json"]
_FIELDS = ("task", "instance", "snap")


def configure_logs(form: LogFormat) -> None:
    """Send the engine's log to standard error, and uvicorn's errors."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Json() if form == "json" else _Text())
    logger = logging.getLogger("engine")
    logger.handlers[:] = [handler]
    logger.setLevel(logging.INFO)
    logger.propagate = False
    server = logging.getLogger("uvicorn")
    server.handlers[:] = [handler]
    server.setLevel(logging.ERROR)
    server.propagate = False


class _Text(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        when = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(record.created))
        level = "" if record.levelno == logging.INFO else f"{record.levelname.lower()}: "
        known = record.__dict__
        task = f"{known['task']}: " if known.get("task") else ""
        snap = f"[{known['snap']}] " if known.get("snap") else ""
        return f"{when} {task}{snap}{level}{_message(self, record)}"


class _Json(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        entry: dict[str, Any] = {
            "time": f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(record.created))}"
            f".{int(record.msecs):03d}Z",
            "level": record.levelname.lower(),
            "message": _message(self, record),
        }
        known = record.__dict__
        entry |= {name: known[name] for name in _FIELDS if known.get(name) is not None}
        return msgspec.json.encode(entry).decode()


def _message(formatter: logging.Formatter, record: logging.LogRecord) -> str:
    text = record.getMessage()
    return f"{text}\n{formatter.formatException(record.exc_info)}" if record.exc_info else text
