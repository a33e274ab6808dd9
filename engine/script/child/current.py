"""The request that the script works on: in `snaplogic_pipe`, and as a mark on the lines it prints.

A line that is printed while a row of a request is processed begins with the id of that request,
between two marks; the engine takes that off again (`engine.sdk.scripts.without_mark`).
"""

from __future__ import annotations

import io
import sys
import threading
from typing import Any

MARK = "\x1e"

_id = [""]
_thread = threading.get_ident()


class MarkedOutput(io.TextIOWrapper):
    """Standard output or standard error. Lines of other threads have no mark."""

    _begins_line = True

    def write(self, text: str) -> int:
        request = _id[0]
        if request and text.__class__ is str and threading.get_ident() == _thread:
            super().write(self._marked(text, f"{MARK}{request}{MARK}"))
        else:
            super().write(text)
        if text:
            self._begins_line = text[-1:] == "\n"
        return len(text)

    def _marked(self, text: str, mark: str) -> str:
        marked = text[:-1].replace("\n", f"\n{mark}") + text[-1:]
        return mark + marked if self._begins_line else marked


def mark_output() -> None:
    """Let standard output and standard error mark their lines."""
    global _thread
    _thread = threading.get_ident()
    for name in ("stdout", "stderr"):
        plain = getattr(sys, name)
        encoding = plain.encoding
        marked = MarkedOutput(
            plain.detach(), encoding=encoding, errors="backslashreplace", line_buffering=True
        )
        setattr(sys, name, marked)
        setattr(sys, f"__{name}__", marked)


class CurrentRequest:
    """Says in `pipe` which request the script works on; `ids` belong to rows, in their order."""

    def __init__(self, pipe: dict[str, Any]) -> None:
        self._pipe = pipe

    def is_one(self, request: str) -> None:
        """A row of this request is next; empty if it has none."""
        self._pipe["request_id"] = _id[0] = request

    def are(self, ids: list[str]) -> None:
        """The rows of these requests are next, together."""
        self._pipe["request_ids"] = ids
        self.is_one(ids[0] if ids and ids.count(ids[0]) == len(ids) else "")

    def is_none(self) -> None:
        """No row is being processed."""
        self._pipe.pop("request_ids", None)
        self.is_one("")
