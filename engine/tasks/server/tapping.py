"""The server's end of `engine tap`: passes on what the processes of a task show.

A client that does not read fast enough misses documents; neither the task nor the front waits for
it. Its taps are detached when it hangs up.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Any

import msgspec

from engine.errors import ConfigurationError
from engine.run.tap_points import check_condition, tap_points
from engine.tasks.pool.hosted_task import HostedTask
from engine.tasks.server.operations import OperationError
from engine.tasks.wire.messages import Tapped

MAX_WAITING = 1024 * 1024
"""Bytes that may wait for a client."""

SILENT_SECONDS = 15.0
"""Seconds after which an empty line shows that the server is still there."""


class TapStream:
    """The lines of a tap, as the pieces of a response; the first says what is tapped.

    `views` and `condition`: see engine.run.tap_points.
    """

    def __init__(self, hosted: HostedTask, views: list[str], condition: str = "") -> None:
        """Raises OperationError if there is no such view, or the condition is not valid."""
        try:
            ports = tap_points(views, hosted.plan)
            if condition:
                check_condition(condition, hosted.plan)
        except ConfigurationError as error:
            raise OperationError(400, str(error)) from None
        self.lines = TapLines()
        self.lines.add({"tapping": [str(port) for port in ports]})
        self._taps = hosted.taps
        self._number = hosted.taps.attach(views, condition, self.lines.show)

    def __aiter__(self) -> TapStream:
        return self

    async def __anext__(self) -> bytes:
        return await self.lines.next()

    async def aclose(self) -> None:
        """The client has gone."""
        self._taps.detach(self._number)


class TapLines:
    """Lines that wait for a client, as long as it reads."""

    def __init__(self) -> None:
        self._waiting: deque[bytes] = deque()
        self._size = 0
        self._missed = 0
        self._there = asyncio.Event()

    def show(self, tapped: Tapped) -> None:
        self._missed += tapped.missed
        if self._size > MAX_WAITING:
            self._missed += bool(tapped.line)
            return
        if self._missed:
            self.add({"missed": self._missed})
            self._missed = 0
        if tapped.line:
            self._add(tapped.line + b"\n")

    def add(self, message: dict[str, Any]) -> None:
        self._add(msgspec.json.encode(message) + b"\n")

    async def next(self) -> bytes:
        """All that waits; an empty line if nothing comes for a while."""
        try:
            async with asyncio.timeout(SILENT_SECONDS):
                await self._there.wait()
        except TimeoutError:
            return b"\n"
        lines = b"".join(self._waiting)
        self._waiting.clear()
        self._size = 0
        self._there.clear()
        return lines

    def _add(self, line: bytes) -> None:
        self._waiting.append(line)
        self._size += len(line)
        self._there.set()
