"""Writes what taps show: lines of JSON, or a readable form on a terminal."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import msgspec

from engine.cli.preview_values import tree

_MOST_WAITING = 16 * 1024 * 1024
"""Bytes that may wait to be written."""

_LAST_SECONDS = 2.0
"""How long the end of a run waits for lines to be written."""

_decode = msgspec.json.Decoder(float_hook=Decimal).decode


class TapOutput:
    """Writes lines in a thread of its own. If the reader is too slow, lines are left out.

    `write` gets all lines that are waiting, each of which ends in a newline.
    """

    def __init__(self, write: Callable[[bytes], None]) -> None:
        self.lost = 0
        self._write = write
        self._lines: list[bytes] = []
        self._size = 0
        self._is_closed = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._work, name="taps", daemon=True)
        self._thread.start()

    def put(self, line: bytes) -> None:
        """Never waits for the reader. From any thread."""
        with self._changed:
            if self._size > _MOST_WAITING:
                self.lost += 1
                return
            self._lines.append(line)
            self._size += len(line)
            self._changed.notify()

    def close(self) -> None:
        """Write what is waiting, but do not wait long for a reader that has stopped reading."""
        with self._changed:
            self._is_closed = True
            self._changed.notify()
        self._thread.join(_LAST_SECONDS)
        self.lost += len(self._lines)

    def _work(self) -> None:
        while lines := self._take():
            try:
                self._write(b"".join(line + b"\n" for line in lines))
            except OSError:  # the run goes on when nobody reads what the taps show
                return

    def _take(self) -> list[bytes]:
        """The next lines; none at the end."""
        with self._changed:
            while not self._lines and not self._is_closed:
                self._changed.wait()
            lines, self._lines, self._size = self._lines, [], 0
        return lines


def readable_item(line: bytes, width: int) -> Iterator[str]:
    """The lines of text for a line of a tap: where the item crossed, and the item as a tree."""
    shown: dict[str, Any] = _decode(line)
    yield f"{shown['label']}.{shown['view']} #{shown['number']:,}"
    if "document" in shown:
        yield from (f"  {each}" for each in tree(shown["document"], width - 2))
        return
    yield from (f"  {each}" for each in tree(shown["header"], width - 2))
    start = shown.get("text", shown.get("base64", ""))
    yield from (f"  {each}" for each in tree({"begins with": start}, width - 2))
